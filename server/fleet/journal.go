// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/target"
)

// keepJournalsAfter is how long a position that an agent told is only in memory: a machine that is
// restored from a snapshot within that time of a crash of the server is not found out.
const keepJournalsAfter = time.Second

// journal is how far an agent's journal has come.
type journal struct {
	stateID  string
	position int64 // 0 is not known
}

// journals are what the server was told of a machine's journals, stored or not. An agent is to be held against
// what was there before it was asked: its answer may be overtaken by that to an order.
func (f *Fleet) journals(id deploy.MachineID) []journal {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := []journal{f.known[id].journal}
	if p, ok := f.machines[id]; ok {
		all = append(all, p.journal)
	}
	return all
}

// behind is how far the journal had come already that now is further back; 0 when it is not.
func (f facts) behind(known []journal) (was int64) {
	for _, j := range known {
		if f.journal > 0 && j.stateID == f.stateID && j.position > f.journal {
			was = max(was, j.position)
		}
	}
	return was
}

// witness is a target that notes what the agent says of its journal.
type witness struct {
	target.Target
	fleet   *Fleet
	session *session
}

// Start implements target.Target.
func (w witness) Start(ctx context.Context, order contract.Order) (contract.TicketStatus, error) {
	status, err := w.Target.Start(ctx, order)
	if err == nil && status.Journal > 0 {
		w.fleet.told(w.session, status.Journal)
	}
	return status, err
}

// Status implements target.Target.
func (w witness) Status(ctx context.Context, ticket contract.TicketID) (contract.TicketStatus, error) {
	status, err := w.Target.Status(ctx, ticket)
	if err == nil && status.Journal > 0 {
		w.fleet.told(w.session, status.Journal)
	}
	return status, err
}

// Follow implements target.Target.
func (w witness) Follow(ctx context.Context, ticket contract.TicketID, offset int64, f target.FollowFunc) error {
	return w.Target.Follow(ctx, ticket, offset, func(records []contract.Record, status *contract.TicketStatus) error {
		if status != nil && status.Journal > 0 {
			w.fleet.told(w.session, status.Journal)
		}
		return f(records, status)
	})
}

// told notes a position of a session's journal; it is stored soon.
func (f *Fleet) told(s *session, position int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.machines[s.machine]
	if !ok {
		return
	}
	p.told(s.facts.stateID, position)
	select {
	case f.rose <- struct{}{}:
	default:
	}
}

// told notes a position in memory.
func (p *presence) told(stateID string, position int64) {
	if p.journal.stateID != stateID {
		p.journal = journal{stateID: stateID}
	}
	p.journal.position = max(p.journal.position, position)
}

// keepJournals stores positions soon after they were told, many at once.
func (f *Fleet) keepJournals(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.rose:
		}
		timer := time.NewTimer(keepJournalsAfter)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		// Also at the end: what was told is not told again.
		if err := f.storeJournals(context.WithoutCancel(ctx)); err != nil {
			f.log.Warn("how far the agents' journals are was not stored", "err", err)
		}
	}
}

func (f *Fleet) storeJournals(ctx context.Context) error {
	risen := map[deploy.MachineID]journal{}
	var ids []deploy.MachineID
	f.mu.Lock()
	for id, p := range f.machines {
		if m := f.known[id]; p.journal.position > 0 && (m.journal.stateID != p.journal.stateID ||
			m.journal.position < p.journal.position) {
			risen[id], ids = p.journal, append(ids, id)
		}
	}
	f.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	err := f.Store.Update(ctx, func(w store.Writer) error {
		for _, id := range ids {
			m, err := w.Machine(id)
			switch {
			case errkind.Of(err) == errkind.NotFound:
				continue
			case err != nil:
				return fmt.Errorf("read %s: %w", id, err)
			case m.Facts.StateID != risen[id].stateID || m.Facts.Journal >= risen[id].position:
				continue
			}
			m.Facts.Journal = risen[id].position
			if err := w.PutMachine(m); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		f.Refresh()
	}
	return err
}
