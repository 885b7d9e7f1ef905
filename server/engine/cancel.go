// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"strings"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/tasklog"
	"fairlead/server/target"
)

// maxByBytes is the longest name that an agent takes for whoever canceled.
const maxByBytes = 255

func (c *carrier) cancelOnce(by string) {
	c.once.Do(func() {
		if c.by = strings.ToValidUTF8(by[:min(len(by), maxByBytes)], ""); c.by == "" {
			c.by = "the server"
		}
		close(c.canceled)
	})
}

func (c *carrier) isCanceled() bool {
	select {
	case <-c.canceled:
		if c.canceledAt.IsZero() {
			c.canceledAt = time.Now()
		}
		return true
	default:
		return false
	}
}

// whileWanted runs f with a context that the task's cancel ends.
func (c *carrier) whileWanted(ctx context.Context, f func(context.Context) error) error {
	wanted, end := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		select {
		case <-wanted.Done():
		case <-c.canceled:
			end()
		}
	})
	err := f(wanted)
	end()
	group.Wait()
	return err
}

// callOff tells a machine that does not know a canceled ticket never to start it: the order may still be on its way.
func (c *carrier) callOff(ctx context.Context, t target.Target) (status contract.TicketStatus,
	ruled *contract.Verdict, err error,
) {
	if err := t.Cancel(ctx, c.ticket.ID, c.worker.engine.Limits.Grace, c.by); err != nil {
		return status, nil, remote(err)
	}
	if status, err = t.Status(ctx, c.ticket.ID); err != nil {
		return status, nil, remote(err)
	}
	if status.State == contract.Unknown {
		ruled = c.rule(contract.Indeterminate,
			"canceled by "+c.by+", and the machine, which was to be sent it, does not know it any more")
	}
	return status, ruled, nil
}

// cancelAt tells the machine of a cancel, again and again until it has heard, or ctx ends.
func (c *carrier) cancelAt(ctx context.Context, t target.Target) {
	select {
	case <-ctx.Done():
		return
	case <-c.canceled:
	}
	isSaid := false
	for tries := 0; ctx.Err() == nil; tries++ {
		err := t.Cancel(ctx, c.ticket.ID, c.worker.engine.Limits.Grace, c.by)
		if err == nil {
			return
		}
		if errkind.Of(err) == errkind.Exhausted && !isSaid {
			isSaid = true
			c.say(tasklog.Wait, "The machine cannot keep the cancel, and is told again: "+err.Error()+".")
		}
		timer := time.NewTimer(c.backoff(tries))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// unsent rules on a canceled ticket that no machine has heard of.
func (c *carrier) unsent() *contract.Verdict {
	return c.rule(contract.Canceled, "by "+c.by+" before it was sent to the machine")
}
