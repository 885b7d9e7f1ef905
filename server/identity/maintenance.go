// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// RefuseMaintenance lets only administrators, and the server itself, change anything while the server is in
// maintenance mode. Errors: Unavailable.
func RefuseMaintenance(r store.Reader, p Principal) error {
	if p.Permissions.Has(ServerAdmin) {
		return nil
	}
	row, err := r.Installation()
	switch {
	case errkind.Of(err) == errkind.NotFound && err != nil:
		return nil // a store that nobody has filled yet
	case err != nil:
		return err
	case row.IsInMaintenance:
		return errkind.Hinted(errkind.Unavailable.Errorf("the server is in maintenance mode: nothing can be changed now"),
			"wait, or ask an administrator of this server when it ends")
	}
	return nil
}
