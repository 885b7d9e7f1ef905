// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// SetMaintenance begins or ends the maintenance mode: meanwhile only administrators change anything. Tasks
// that are queued or run go on. Errors: Denied.
func (c *Catalog) SetMaintenance(ctx context.Context, p identity.Principal, on bool) error {
	return c.change(ctx, p, identity.ServerAdmin, func(w store.Writer) (deploy.Event, error) {
		row, err := w.Installation()
		if err != nil {
			return deploy.Event{}, err
		}
		row.IsInMaintenance = on
		word := "ended"
		if on {
			word = "began"
		}
		return event("MaintenanceEdited", row.ID, "%s %s the maintenance mode", p.Name(), word), w.PutInstallation(row)
	})
}

// refuseMaintenance is for changes that the feed writes itself.
func (c *Catalog) refuseMaintenance(ctx context.Context, p identity.Principal) error {
	return c.Store.View(ctx, func(r store.Reader) error { return identity.RefuseMaintenance(r, p) })
}
