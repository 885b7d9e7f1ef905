// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"sync"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/target"
)

// forget is tried once: what stays is swept when the machine comes on line next.
func (c *carrier) forget(ctx context.Context) {
	t, stateID, err := c.worker.engine.Reach.Target(c.ticket.Machine)
	if err != nil {
		return
	}
	known := c.ticket
	if c.wait.isHeard {
		known.Ruling = deploy.RulingNone // nothing is to be learned
	}
	_, _ = c.worker.engine.forget(ctx, t, stateID, known)
}

// Online lets a machine that has come on line forget tickets whose verdicts are kept here. What it
// says of those that the server had to rule on is recorded as late; of those that still run, when
// they end or the line does, which Online waits for.
func (e *Engine) Online(ctx context.Context, machine deploy.MachineID) error {
	t, stateID, err := e.Reach.Target(machine)
	if err != nil {
		return err
	}
	var open []deploy.Ticket
	err = e.Store.View(ctx, func(r store.Reader) (err error) {
		open, err = r.OpenTickets(machine)
		return err
	})
	if err != nil {
		return err
	}
	var listening sync.WaitGroup
	defer listening.Wait()
	for _, ticket := range open {
		if ticket.State != deploy.TicketFinished {
			continue
		}
		runs, err := e.forget(ctx, t, stateID, ticket)
		if err != nil {
			return err
		}
		if runs {
			listening.Go(func() { e.listen(ctx, t, stateID, ticket) })
		}
	}
	return nil
}

// listen waits for the end of a script that the server has ruled on. One that still waits for its lock
// is called off: nobody counts on it any more.
func (e *Engine) listen(ctx context.Context, t target.Target, stateID string, ticket deploy.Ticket) {
	status, err := t.Status(ctx, ticket.ID)
	if err == nil && status.State == contract.Waiting {
		err = t.Cancel(ctx, ticket.ID, e.Limits.Grace, "the server, which had given the script up before it began")
	}
	if err == nil && status.State != contract.Finished && status.State != contract.Unknown {
		err = t.Follow(ctx, ticket.ID, status.LogEnd, func([]contract.Record, *contract.TicketStatus) error { return nil })
	}
	if err == nil {
		_, err = e.forget(ctx, t, stateID, ticket)
	}
	if err != nil && ctx.Err() == nil {
		e.log.Debug("a late verdict was not heard yet", "ticket", ticket.ID, "err", err)
	}
}

// forget tells the machine, then notes that it was told. A journal that is not the one the
// ticket went to has nothing to forget. A ticket that the server has ruled on and that still runs
// stays.
func (e *Engine) forget(ctx context.Context, t target.Target, stateID string, ticket deploy.Ticket) (
	runs bool, err error,
) {
	var late *contract.Verdict
	if ticket.StateID == stateID {
		if ticket.Ruling != deploy.RulingNone {
			status, err := t.Status(ctx, ticket.ID)
			if err != nil {
				return false, err
			}
			if late = status.Verdict; late == nil && status.State != contract.Unknown {
				return true, nil
			}
		}
		if late != nil {
			h, err := e.lateArtifacts(ctx, t, ticket, *late)
			if kind := errkind.Of(err); err != nil && (kind == errkind.Exhausted || kind == errkind.Corrupt) {
				e.log.Warn("the machine keeps what came late, until it is on line next", "ticket", ticket.ID, "err", err)
				return false, nil
			}
			if err == nil {
				err = e.recordLate(ctx, ticket, *late, h.kept)
			}
			h.release()
			if err != nil {
				return false, err
			}
		}
		if err := t.Forget(ctx, ticket.ID); err != nil && errkind.Of(err) != errkind.NotFound {
			return false, err
		}
	}
	return false, e.Store.Update(ctx, func(w store.Writer) error {
		kept, err := w.Ticket(ticket.ID)
		if err != nil {
			return err
		}
		kept.State = deploy.TicketForgotten
		return w.PutTicket(kept)
	})
}

// recordLate keeps what a machine says of a ticket that the server has ruled on, and what its script handed
// over. The ruling stands.
func (e *Engine) recordLate(
	ctx context.Context, ticket deploy.Ticket, late contract.Verdict, artifacts []deploy.Artifact,
) error {
	isNew := false
	err := e.Store.Update(ctx, func(w store.Writer) error {
		kept, err := w.Ticket(ticket.ID)
		if isNew = err == nil && kept.Late == nil; !isNew {
			return err
		}
		kept.Late = &late
		if err := errors.Join(w.PutTicket(kept), e.putArtifacts(w, kept.Machine, artifacts)); err != nil {
			return err
		}
		name := string(kept.Machine)
		if m, err := w.Machine(kept.Machine); err == nil {
			name = m.Name
		}
		task, err := w.Task(kept.Task)
		if err != nil {
			return err
		}
		_, err = w.AddEvent(deploy.Event{
			At: e.Env.Wall(), Space: task.Space, User: "system", Category: "VerdictCameLate", Subject: string(kept.Task),
			Message: name + " said late how its script ended: " + deploy.Sentence(late),
		})
		return err
	})
	if isNew && err == nil {
		e.tellLate(ticket, late)
	}
	return err
}

// tellLate says it in the task's log too, while that is written.
func (e *Engine) tellLate(ticket deploy.Ticket, late contract.Verdict) {
	e.mu.Lock()
	w := e.workers[ticket.Task]
	e.mu.Unlock()
	if w == nil {
		return
	}
	place := node(w.plan.Steps[ticket.Step], ticket.Machine)
	w.mu.Lock()
	log := w.log
	w.mu.Unlock()
	if log != nil {
		_ = log.Append(tasklog.Line{ // a log that cannot be written shows in the next Flush
			At: e.Env.Wall(), Category: tasklog.Warning, Node: place,
			Text: "Late, and too late to count: " + deploy.Sentence(late),
		})
	}
}
