// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"time"

	"fairlead/internal/errkind"
	"fairlead/server/identity"
)

const (
	// abandonedLook is how often machines are looked for that were out of reach for too long.
	abandonedLook = 10 * time.Minute
	// retentionLooks of them lie between two looks for what has expired: 4 h.
	retentionLooks = 24
)

// housekeep deletes what policies and lifecycles do not keep any more, from time to time.
func (d *Daemon) housekeep(ctx context.Context, phase time.Duration) error {
	timer := time.NewTimer(phase)
	defer timer.Stop()
	for looks := 1; ; looks++ {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		d.tidy(ctx, looks%retentionLooks == 0)
		timer.Reset(abandonedLook)
	}
}

// tidy looks once. A server in safe mode, or without space, refuses new tasks: then it is for the next time.
func (d *Daemon) tidy(ctx context.Context, withExpired bool) {
	spaces, err := d.catalog.Spaces(ctx, identity.System())
	if err != nil && ctx.Err() == nil {
		d.log.Warn("the spaces were not read", "err", err)
	}
	for _, s := range spaces {
		d.tidySpace(ctx, identity.System().In(s.ID), withExpired)
	}
	if !withExpired {
		return
	}
	if n, err := d.artifacts.Tidy(ctx, d.env.Wall()); err != nil && ctx.Err() == nil {
		d.log.Warn("orphans among the artifacts were not removed", "err", err)
	} else if n > 0 {
		d.log.Info("orphans among the artifacts were removed", "files", n)
	}
	if n, err := d.catalog.SweepLogs(ctx, identity.System()); err != nil && ctx.Err() == nil {
		d.log.Warn("logs of tasks that are gone were not removed", "err", err)
	} else if n > 0 {
		d.log.Info("logs of tasks that are gone were removed", "files", n)
	}
}

// tidySpace does it for what is in one space.
func (d *Daemon) tidySpace(ctx context.Context, who identity.Principal, withExpired bool) {
	if n, err := d.catalog.DeleteAbandoned(ctx, who); err != nil && ctx.Err() == nil {
		d.log.Warn("machines that are out of reach were not deleted", "deleted", n, "err", err)
	}
	if !withExpired {
		return
	}
	has, err := d.catalog.HasExpired(ctx, who)
	if err == nil && has {
		_, err = d.catalog.QueueRetention(ctx, who)
	}
	switch errkind.Of(err) {
	case errkind.Conflict, errkind.Unavailable:
	default:
		if err != nil && ctx.Err() == nil {
			d.log.Warn("what has expired was not deleted", "err", err)
		}
	}
}
