// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// found is an unfinished ticket of an earlier agent.
type found struct {
	t        *ticket
	launches int
	canceled *cancelRequest
	at       time.Time // of the intent
}

// recover takes over what earlier agents left: first the tickets that hold the isolation lock,
// then those that wait, in the order of their intents.
func (s *Service) recover() error {
	if groups, ok := s.env.Exec.(host.Cgroups); ok {
		groups.SweepCgroups()
	}
	entries, err := os.ReadDir(s.home)
	if err != nil {
		return storage("list the tickets", err)
	}
	var open []found
	for _, entry := range entries {
		id, err := contract.ParseTicketID(entry.Name())
		if err != nil || !entry.IsDir() {
			s.clean(entry.Name())
			continue
		}
		f, err := s.recoverTicket(id)
		if err != nil {
			return err
		}
		if f != nil {
			open = append(open, *f)
		}
	}
	if len(open) == 0 {
		sweepLocks(s.home)
	}
	slices.SortFunc(open, func(a, b found) int {
		return cmp.Or(cmp.Compare(min(b.launches, 1), min(a.launches, 1)), a.at.Compare(b.at), cmp.Compare(a.t.id, b.t.id))
	})
	for _, f := range open {
		if f.canceled != nil {
			s.mu.Lock()
			f.t.canceled = f.canceled
			s.mu.Unlock()
		}
		if f.launches == 0 && f.canceled == nil {
			s.held = append(s.held, f)
			continue
		}
		f.t.begin(recovered{launches: f.launches})
	}
	return nil
}

// letGo begins with the recovered tickets that were never launched, in their order. They wait for a
// word of the server on any ticket, which it has for no machine in quarantine: on a disk that went back
// in time a script that was started and has ended looks like one that waits.
func (s *Service) letGo() {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	for _, f := range held {
		f.t.begin(recovered{})
	}
}

// clean removes unfinished files of the ledger's, beside the tickets.
func (s *Service) clean(name string) {
	if strings.HasPrefix(name, ledgerName) && durable.IsUnfinished(name) {
		_ = os.Remove(filepath.Join(s.home, name))
	}
}

// recoverTicket takes one folder over. It returns nil when nothing is left to be done for it.
func (s *Service) recoverTicket(id contract.TicketID) (*found, error) {
	dir := folder(filepath.Join(s.home, string(id)))
	cancel, intended := dir.cancel(), dir.has("order.json")
	if s.ledger.knows(id) || !intended && cancel == nil {
		// Forgotten; or a crash before the intent: the server was never told of it.
		// A left-over that stays is no reason not to work: it is swept again at the next start.
		if err := os.RemoveAll(string(dir)); err != nil {
			s.env.Log.Warn("a left-over ticket cannot be deleted", "ticket", id, "err", err)
		}
		return nil, nil
	}
	order := contract.Order{Ticket: id}
	var damage error
	if intended {
		order, damage = dir.order()
		order.Ticket = id
	}
	t := s.newTicket(&order)
	close(t.ready)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.raise(order.Task, order.Epoch)
	s.tickets[id] = t
	if dir.has("launched") || dir.has("claim") {
		// A claim and the position of a start are told as durable; whoever made them may have died before.
		if err := s.env.Disk.SyncFolder(string(dir)); err != nil {
			s.env.Log.Warn("a ticket's folder cannot be synced", "ticket", id, "err", err)
		}
	}
	s.passLocked(dir.position())
	o, ok := t.observe().(observed)
	t.shareLocked()
	switch {
	case !intended:
		t.verdict = neverStarted(*cancel)
	case !ok:
		delete(s.tickets, id)
		err := errkind.Internal.Errorf("recover ticket %s: its folder cannot be read, so it may run or not", id)
		return nil, errkind.Hinted(err, "the log says why; end what still runs of it and move %s away", dir)
	case o.verdict != nil:
		t.verdict = o.verdict
	case o.exit != nil:
		t.verdict = o.exit
	case o.claim != nil && o.claim.Verdict != nil:
		t.verdict = o.claim.Verdict
	case damage != nil && o.claim == nil:
		t.verdict = &contract.Verdict{
			Outcome: contract.Indeterminate, Reason: "its order cannot be read: " + shorten(damage.Error(), maxReasonBytes/2),
			LogSHA256: emptySHA256,
		}
	default:
		s.unfinished++
		return s.foundOpen(t, o, cancel), nil
	}
	return nil, nil
}

func (s *Service) foundOpen(t *ticket, o observed, cancel *cancelRequest) *found {
	f := &found{t: t, launches: t.dir.launchesIn(s.env.Facts().BootID), canceled: cancel}
	if o.claim != nil {
		f.launches = max(f.launches, 1)
	}
	if info, err := os.Lstat(t.dir.path("order.json")); err == nil {
		f.at = info.ModTime()
	}
	if o.claim != nil && o.claim.WallMS > 0 {
		t.since = time.UnixMilli(o.claim.WallMS)
	}
	return f
}
