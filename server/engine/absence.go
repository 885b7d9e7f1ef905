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
	if c.policy.Restarts && c.ticket.StateID != "" && !canceled {
		if c.absentSince.IsZero() {
			c.absentSince = time.Now()
		}
		return c.awaitRestart(ctx, nil)
	}
	if c.absentSince.IsZero() {
		c.absentSince = time.Now()
		text := "Waiting for the machine: " + why.Error() + "."
		if c.ticket.StateID != "" {
			text += " The script goes on there; its output comes later."
		}
		c.say(tasklog.Wait, text)
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

func (c *carrier) present() {
	if c.absentSince.IsZero() {
		return
	}
	c.say(tasklog.Info,
		fmt.Sprintf("The machine is back after %s.", time.Since(c.absentSince).Round(100*time.Millisecond)))
	c.absentSince, c.isLost = time.Time{}, false
}
