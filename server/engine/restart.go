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

const (
	// restartNews is how often the log is told that a machine is still waited for.
	restartNews = 30 * time.Second
	// comeBack is what a machine gets at the least to call a server that has started again: agents
	// try once a minute.
	comeBack = 2 * time.Minute
)

// ending is what a step that restarts its machine makes of what the machine says of the script.
type ending uint8

const (
	endStands    ending = iota // the verdict is the step's
	endRestarted               // the machine has restarted, as the step has it
	endAwaited                 // the restart is still to come
)

// The codes by which a shell says that a command of its own was ended by a signal.
const (
	codeKilled     = 128 + 9
	codeTerminated = 128 + 15
)

// endingOf decides on a script that has ended. One that a shutdown ended in the middle has kept to
// its step; one that failed by itself, or was ended because somebody wanted that, has not.
func endingOf(s contract.TicketStatus, canceled bool) ending {
	v := s.Verdict
	keeps := false
	switch v.Outcome {
	case contract.Succeeded:
		keeps = true
	case contract.Failed:
		keeps = v.Code < 0 || v.Code == codeKilled || v.Code == codeTerminated
	case contract.Canceled:
		keeps = !canceled
	case contract.Indeterminate:
		// A shutdown in order lets the shim say how the script ended: this was a cut, and nobody knows
		// how far the script had come.
	case contract.TimedOut, contract.NotStarted:
	}
	switch {
	case !keeps:
		return endStands
	case s.HasRestarted():
		return endRestarted
	}
	return endAwaited
}

// restartWait is how a carrier waits for a machine that its step restarts.
type restartWait struct {
	since  time.Time // by the monotonic clock; zero while nothing is waited for
	toldAt time.Time
	name   string // of the machine
	// isHeard is set when the ruling on a restart that did not come counts in what the machine said.
	isHeard bool
}

func (r *restartWait) isOn() bool { return !r.since.IsZero() }

// untilNews is how long it is until the log is told again.
func (r *restartWait) untilNews() time.Duration {
	return max(0, restartNews-time.Since(r.toldAt)) + time.Millisecond
}

// countedWait is how much of a wait counts that began before the server started again: the machine
// gets time to call.
func countedWait(elapsed, limit time.Duration) time.Duration {
	return max(0, min(elapsed, limit-comeBack))
}

// conclude makes the verdict of a script that has ended. For a step that restarts its machine, the
// error says what is still waited for.
func (c *carrier) conclude(ctx context.Context, status contract.TicketStatus) (*contract.Verdict, error) {
	if !c.policy.Restarts {
		return status.Verdict, nil
	}
	switch endingOf(status, c.isCanceled()) {
	case endRestarted:
		text := "The machine has restarted, as the step has it."
		if c.wait.isOn() {
			text = fmt.Sprintf("The machine has restarted, as the step has it, and is back after %s.",
				time.Since(c.wait.since).Round(time.Second))
		}
		c.say(tasklog.Info, text)
		return &contract.Verdict{
			Outcome: contract.Succeeded, LogEnd: status.Verdict.LogEnd, LogSHA256: status.Verdict.LogSHA256,
		}, nil
	case endAwaited:
		return c.awaitRestart(ctx, status.Verdict)
	case endStands:
	}
	return status.Verdict, nil
}

// running notes that the script has not ended: a machine that was away had not restarted.
func (c *carrier) running(ctx context.Context, status contract.TicketStatus) error {
	if status.State == contract.Finished || c.ticket.AwaySince.IsZero() && !c.wait.isOn() {
		return nil
	}
	c.wait.since = time.Time{}
	err := c.keepBack(ctx)
	if err == nil {
		c.worker.engine.Env.Point("engine.restart.awaited")
	}
	return err
}

// awaitRestart waits for a machine that its step restarts. Ended is what the machine says of the
// script while it has not restarted; nil when it is away. It returns the verdict when the wait is
// over, or what is waited for.
func (c *carrier) awaitRestart(ctx context.Context, ended *contract.Verdict) (*contract.Verdict, error) {
	if err := c.beginWait(ctx); err != nil {
		return nil, err
	}
	limit, waited := c.policy.RestartLimit, time.Since(c.wait.since)
	switch {
	case ended != nil && c.isCanceled():
		return c.rule(contract.Canceled, "by "+c.by+" when the script had ended and the machine was to restart"), nil
	case ended != nil && waited >= limit:
		v := c.rule(contract.Failed, fmt.Sprintf(
			"the step restarts the machine, and the machine did not restart within %s (the script: %s)",
			limit, deploy.Sentence(*ended)))
		v.Code, c.wait.isHeard = -1, true
		return v, nil
	case waited >= limit:
		v := c.rule(contract.Failed, fmt.Sprintf(
			"the step restarts the machine, and the machine did not come back within %s", limit))
		v.Code, c.ruling = -1, deploy.RulingLost
		return v, nil
	}
	c.tellWait(ended != nil, waited)
	return nil, errkind.Unavailable.Errorf("%s has not come back from its restart yet", c.wait.name)
}

// beginWait makes durable since when the machine is waited for.
func (c *carrier) beginWait(ctx context.Context) error {
	if c.wait.isOn() {
		return nil
	}
	wall, elapsed := c.worker.engine.Env.Wall(), time.Duration(0)
	if c.ticket.AwaySince.IsZero() {
		if err := c.keepAway(ctx, wall); err != nil {
			return err
		}
		c.worker.engine.Env.Point("engine.restart.awaited")
	} else {
		elapsed = wall.Sub(c.ticket.AwaySince)
	}
	c.wait = restartWait{name: string(c.ticket.Machine)}
	c.wait.since = time.Now().Add(-countedWait(elapsed, c.policy.RestartLimit))
	return c.worker.engine.Store.View(ctx, func(r store.Reader) error {
		m, err := r.Machine(c.ticket.Machine)
		if err == nil {
			c.wait.name = m.Name
		}
		return nil // its id does for a machine that was removed
	})
}

// keepAway makes durable since when the machine is waited for.
func (c *carrier) keepAway(ctx context.Context, since time.Time) error {
	changed := c.ticket
	changed.AwaySince = since
	if err := c.worker.update(ctx, func(w store.Writer) error { return w.PutTicket(changed) }); err != nil {
		return err
	}
	c.ticket = changed
	return nil
}

// keepBack makes durable that the machine is not waited for any more.
func (c *carrier) keepBack(ctx context.Context) error {
	if c.ticket.AwaySince.IsZero() {
		return nil
	}
	return c.keepAway(ctx, time.Time{})
}

// tellWait says in the log, now and then, what is waited for.
func (c *carrier) tellWait(isThere bool, waited time.Duration) {
	if !c.wait.toldAt.IsZero() && time.Since(c.wait.toldAt) < restartNews {
		return
	}
	c.wait.toldAt = time.Now()
	text := fmt.Sprintf("Waiting for %s to come back, away for %s.", c.wait.name, waited.Round(time.Second))
	if isThere {
		text = fmt.Sprintf("Waiting for %s to restart, its script ended %s ago.", c.wait.name, waited.Round(time.Second))
	}
	c.say(tasklog.Wait, text)
}
