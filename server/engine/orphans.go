// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/target"
)

// MaxOrphans is how many orphan results of one machine are looked at and told: the first by name. The
// others follow when those are forgotten.
const MaxOrphans = 1000

// Orphans asks a machine for tickets that this server does not know: what it did in the time that a
// restore lost. By name, at most MaxOrphans. Errors: Unavailable (off line), NotFound (no such
// machine, or its agent is too old to tell).
func (e *Engine) Orphans(ctx context.Context, machine deploy.MachineID) ([]contract.ListedTicket, error) {
	t, _, err := e.Reach.Target(machine)
	if err != nil {
		return nil, err
	}
	return e.orphans(ctx, t)
}

func (e *Engine) orphans(ctx context.Context, t target.Target) (found []contract.ListedTicket, err error) {
	page := contract.TicketList{More: true}
	for after := contract.TicketID(""); page.More && len(found) < MaxOrphans; {
		if page, err = t.List(ctx, after); err != nil {
			return found, err
		}
		if len(page.Tickets) == 0 {
			break
		}
		if page.Tickets[0].Ticket <= after {
			return found, errkind.Corrupt.Errorf("ticket %s is listed after %s", page.Tickets[0].Ticket, after)
		}
		after = page.Tickets[len(page.Tickets)-1].Ticket
		unknown, err := e.unknown(ctx, page.Tickets)
		if err != nil {
			return found, err
		}
		found = append(found, unknown...)
	}
	return found[:min(len(found), MaxOrphans)], nil
}

// unknown leaves out tickets that the store has: each was committed before it was sent.
func (e *Engine) unknown(ctx context.Context, listed []contract.ListedTicket) (
	unknown []contract.ListedTicket, err error,
) {
	err = e.Store.View(ctx, func(r store.Reader) error {
		unknown = nil
		for _, one := range listed {
			_, err := r.Ticket(one.Ticket)
			switch {
			case errkind.Of(err) == errkind.NotFound && err != nil:
				unknown = append(unknown, one)
			case err != nil:
				return err
			}
		}
		return nil
	})
	return unknown, err
}

// NoteOrphans records each orphan result of a machine once in the audit trail. A store that never
// came out of a backup has none, and no machine is asked.
func (e *Engine) NoteOrphans(ctx context.Context, machine deploy.MachineID) error {
	restored := false
	err := e.Store.View(ctx, func(r store.Reader) error {
		row, err := r.Installation()
		restored = row.Restores > 0
		return err
	})
	if err != nil || !restored {
		return err
	}
	found, err := e.Orphans(ctx, machine)
	if errkind.Of(err) == errkind.NotFound || err == nil && len(found) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return e.Store.Update(ctx, func(w store.Writer) error {
		for _, orphan := range found {
			known, err := w.Events(store.EventFilter{Subject: string(orphan.Ticket), Category: orphanFound, Take: 1})
			if err == nil && len(known) == 0 {
				err = e.record(w, "system", machine, orphanFound, orphan, "holds a result that this server does not know: ")
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// The categories of events on orphan results; the ticket is the subject.
const (
	orphanFound     = "OrphanResultFound"
	orphanForgotten = "OrphanResultForgotten"
)

func (e *Engine) record(
	w store.Writer, user string, machine deploy.MachineID, category string, orphan contract.ListedTicket, clause string,
) error {
	m, err := w.Machine(machine)
	if err != nil {
		return err
	}
	_, err = w.AddEvent(deploy.Event{
		At: e.Env.Wall(), Space: m.Space, User: user, Category: category, Subject: string(orphan.Ticket),
		Message: m.Name + " " + clause + SentenceOfOrphan(orphan),
	})
	return err
}

// SentenceOfOrphan says what an agent told of a ticket.
func SentenceOfOrphan(orphan contract.ListedTicket) string {
	text := orphan.Name
	if orphan.Task != "" {
		text += " (" + orphan.Task + ")"
	}
	if text == "" {
		text = string(orphan.Ticket)
	}
	if orphan.Verdict == nil {
		return text + ": " + string(orphan.State)
	}
	return text + ": " + deploy.Sentence(*orphan.Verdict)
}

// ForgetOrphan lets a machine delete a result that this server does not know, on a person's word.
// Errors: Unavailable (off line), NotFound (no such machine, or no such result there), Conflict (the server
// knows the ticket, or it has not ended).
func (e *Engine) ForgetOrphan(ctx context.Context, user string, machine deploy.MachineID, id contract.TicketID) error {
	t, _, err := e.Reach.Target(machine)
	if err != nil {
		return err
	}
	status, err := t.Status(ctx, id)
	if err != nil {
		return err
	}
	orphan := contract.ListedTicket{Ticket: id, State: status.State, Verdict: status.Verdict}
	unknown, err := e.unknown(ctx, []contract.ListedTicket{orphan})
	switch {
	case err != nil:
		return err
	case len(unknown) == 0:
		return errkind.Conflict.Errorf("ticket %s is no orphan: this server knows it and lets it be forgotten by itself", id)
	case status.State == contract.Unknown:
		return errkind.NotFound.Errorf("the machine has no ticket %s", id)
	case status.State != contract.Finished:
		return errkind.Conflict.Errorf("ticket %s has not ended: it is %s", id, status.State)
	}
	if err := t.Forget(ctx, id); err != nil {
		return err
	}
	return e.Store.Update(ctx, func(w store.Writer) error {
		return e.record(w, user, machine, orphanForgotten, orphan,
			"was told to forget a result that this server does not know: ")
	})
}
