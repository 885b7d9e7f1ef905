// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"maps"
	"slices"

	"fairlead/internal/contract"
)

// maxListedNameBytes bounds the names in a list, so that a page holds more than a few.
const maxListedNameBytes = 200

// List names the tickets that are kept, by name, from the one after args.After on: as many as one
// answer holds. A server that was restored from a backup learns so of what it has lost.
func (s *Service) List(ctx context.Context, args contract.ListArgs) (list contract.TicketList, err error) {
	if err := s.await(ctx); err != nil {
		return list, err
	}
	list.Tickets = []contract.ListedTicket{}
	size := 0
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.tickets)) {
		if id <= args.After || !s.tickets[id].keptLocked() {
			continue
		}
		listed := s.tickets[id].listedLocked()
		size += len(encode(listed)) + len(",")
		if len(list.Tickets) == contract.MaxListed || size > contract.MaxListedBytes {
			list.More = true
			break
		}
		list.Tickets = append(list.Tickets, listed)
	}
	return list, nil
}

// Packages are the contents, by SHA-256, of the packages that unfinished tickets are to install. It does
// not wait.
func (s *Service) Packages() (sums []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tickets {
		if t.verdict == nil && t.content != "" {
			sums = append(sums, t.content)
		}
	}
	slices.Sort(sums)
	return slices.Compact(sums)
}

// keptLocked reports whether the intent is durable.
func (t *ticket) keptLocked() bool {
	select {
	case <-t.ready:
		return t.err == nil
	default:
		return false
	}
}

func (t *ticket) listedLocked() contract.ListedTicket {
	status := t.statusLocked()
	return contract.ListedTicket{
		Ticket: t.id, Task: shorten(t.task, maxListedNameBytes), Name: shorten(t.name, maxListedNameBytes),
		State: status.State, Verdict: status.Verdict,
	}
}
