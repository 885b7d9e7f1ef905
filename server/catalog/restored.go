// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// SafeMode says in sentences why a restored server begins nothing; "" when it does.
func SafeMode(row store.Installation) string {
	if !row.IsHeld() {
		return ""
	}
	return "The server was restored from a backup of " + row.BackupAt.UTC().Format(time.DateTime) + " UTC and is in " +
		"safe mode: new deployments and tasks are refused until a person accepts it. What machines did after that " +
		"backup is not known here: look at the orphan results on their pages."
}

// refuseHeld refuses to begin anything in safe mode. What only prepares work, such as a release or a
// package that the backup does not hold, is taken. Errors: Unavailable.
func refuseHeld(r store.Reader, need identity.Permission) error {
	if need != identity.DeploymentCreate && need != identity.TaskCreate {
		return nil
	}
	row, err := r.Installation()
	if errkind.Of(err) == errkind.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if why := SafeMode(row); why != "" {
		return errkind.Hinted(errkind.Unavailable.Errorf("%s", why),
			"look at the machines, then run on the server: fairlead-server accept-restore")
	}
	return nil
}

// safeMode adds the safe mode as a reason against what would begin by itself.
func (r *reasons) safeMode(from store.Reader) error {
	row, err := from.Installation()
	if why := SafeMode(row); why != "" {
		r.add("%s", why)
	}
	return err
}

// AcceptRestore ends the safe mode after a restore with a number, or after whichever it was (0). Errors:
// Denied, Conflict (the server is not in it, or after another restore).
func (c *Catalog) AcceptRestore(ctx context.Context, p identity.Principal, number int64) (
	row store.Installation, err error,
) {
	err = c.change(ctx, p, identity.ServerAdmin, func(w store.Writer) (deploy.Event, error) {
		var err error
		if row, err = w.Installation(); err != nil {
			return deploy.Event{}, err
		}
		if !row.IsHeld() {
			return deploy.Event{}, errkind.Conflict.Errorf("there is nothing to accept: the server is not in safe mode")
		}
		if number != 0 && number != row.Restores {
			return deploy.Event{}, errkind.Conflict.Errorf("restore %d is not to be accepted: the last one is %d",
				number, row.Restores)
		}
		row.AcceptedAt = c.Wall()
		return event("RestoreAccepted", row.ID, "the server works again after restore %d, from a backup of %s UTC",
			row.Restores, row.BackupAt.UTC().Format(time.DateTime)), w.PutInstallation(row)
	})
	if err == nil && c.Accepted != nil {
		c.Accepted()
	}
	return row, err
}
