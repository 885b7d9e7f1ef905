// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
)

// removed rules on a ticket whose machine was removed: nobody will ever tell how it ended. It is nil for
// one that is only away.
func (c *carrier) removed(ctx context.Context, why error) (*contract.Verdict, error) {
	if errkind.Of(why) != errkind.NotFound {
		return nil, nil
	}
	err := c.worker.engine.Store.View(ctx, func(r store.Reader) error {
		_, err := r.Machine(c.ticket.Machine)
		return err
	})
	switch {
	case err == nil:
		return nil, nil
	case errkind.Of(err) != errkind.NotFound:
		return nil, err
	case c.ticket.StateID == "":
		return c.rule(contract.NotStarted, "the machine was removed before it was sent there"), nil
	}
	return c.rule(contract.Indeterminate, "the machine was removed; the script may still run there"), nil
}

// absent notes that the machine cannot be reached, and gives up where the limits or the step say so.
// Otherwise it returns why.
func (c *carrier) absent(ctx context.Context, why error) (*contract.Verdict, error) {
	canceled := c.isCanceled()
	if c.restarts() && !canceled {
		if c.absentSince.IsZero() {
			c.absentSince = time.Now()
		}
		return c.awaitRestart(ctx, nil)
	}
	if c.absentSince.IsZero() {
		c.absentSince = time.Now().Add(-c.absentBefore())
		text := "Waiting for the machine: " + why.Error() + "."
		if c.ticket.StateID != "" {
			text += " The script goes on there; its output comes later."
		}
		c.say(tasklog.Wait, text)
	}
	if err := c.keepAbsence(ctx); err != nil {
		return nil, err
	}
	limits, gone := c.worker.engine.Limits, time.Since(c.absentSince)
	switch {
	case canceled && c.ticket.StateID == "":
		return c.unsent(), nil
	case canceled && time.Since(c.canceledAt) >= limits.CancelWait:
		return c.rule(contract.Indeterminate, fmt.Sprintf(
			"canceled by %s, but the machine did not answer for %s and the script may still run", c.by, limits.CancelWait)), nil
	case c.ticket.StateID == "" && gone >= limits.MachineWait:
		return c.rule(contract.NotStarted,
			fmt.Sprintf("the machine was not on line for %s: %v", limits.MachineWait, why)), nil
	case c.ticket.StateID != "" && !canceled && gone >= c.policy.LostAfter:
		return c.lost(), why
	}
	return nil, why
}

// lost does what the step wants done when its machine is out of reach for too long: it returns a
// verdict, or nil when the machine is waited for all the same.
func (c *carrier) lost() *contract.Verdict {
	away := c.policy.LostAfter
	if c.policy.WhenLost == deploy.LostWaits {
		if !c.isLost {
			c.isLost = true
			c.say(tasklog.Warning, fmt.Sprintf(
				"The machine is lost: nothing was heard of it for %s. The step waits for it; a cancel ends that.", away))
		}
		return nil
	}
	then := "fail"
	if c.policy.WhenLost == deploy.LostGoOn {
		then = "go on without the machine"
	}
	v := c.rule(contract.Indeterminate, fmt.Sprintf(
		"the machine is lost: nothing was heard of it for %s, and the step is set to %s then; the script may still run",
		away, then))
	c.ruling = deploy.RulingLost
	return v
}

// absenceKept is how long a machine has been away when that becomes durable: shorter absences, as each start of the
// server brings one for every ticket, are not worth a write.
const absenceKept = 30 * time.Second

// restarts reports whether the ticket's AwaySince is that of a restart, which its step has.
func (c *carrier) restarts() bool { return c.policy.Restarts && c.ticket.StateID != "" }

// absentBefore is how much of an absence counts that began before the server started again.
func (c *carrier) absentBefore() time.Duration {
	if c.restarts() || c.ticket.AwaySince.IsZero() {
		return 0
	}
	limit := c.policy.LostAfter
	if c.ticket.StateID == "" {
		limit = c.worker.engine.Limits.MachineWait
	}
	return countedWait(c.worker.engine.Env.Wall().Sub(c.ticket.AwaySince), limit)
}

// keepAbsence makes durable since when the machine is away, so that a server that starts anew goes on counting.
func (c *carrier) keepAbsence(ctx context.Context) error {
	gone := time.Since(c.absentSince)
	if c.restarts() || !c.ticket.AwaySince.IsZero() || gone < absenceKept {
		return nil
	}
	return c.keepAway(ctx, c.worker.engine.Env.Wall().Add(-gone))
}

// present notes that the machine can be reached. Errors: the store's.
func (c *carrier) present(ctx context.Context) error {
	if !c.restarts() {
		if since := c.ticket.AwaySince; !since.IsZero() && c.absentSince.IsZero() {
			// It is there at the first look of a server that has started again.
			c.absentSince = time.Now().Add(-c.worker.engine.Env.Wall().Sub(since))
		}
		if err := c.keepBack(ctx); err != nil {
			return err
		}
	}
	if c.absentSince.IsZero() {
		return nil
	}
	c.say(tasklog.Info,
		fmt.Sprintf("The machine is back after %s.", time.Since(c.absentSince).Round(100*time.Millisecond)))
	c.absentSince, c.isLost = time.Time{}, false
	return nil
}
