// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"fmt"
	"slices"
	"time"

	"fairlead/internal/contract"
)

// entrant is an order in the queue for the isolation lock.
type entrant struct {
	ticket contract.TicketID
	name   string // the order's, for people
	lock   contract.Isolation
	since  time.Time // wall clock: of the grant for a holder
}

// isolation is the queue for the machine's isolation lock. It is pure and fair: an order waits
// for the holders and for the earlier orders that exclude it, so nobody is overtaken for ever.
// Its users bound it by maxUnfinished.
type isolation struct {
	holders []entrant // in the order of their grants
	waiters []entrant // in the order of their arrival
}

// excludes reports whether a and b must not run at the same time.
func excludes(a, b contract.Isolation) bool {
	if a.Level == contract.IsolationFull || b.Level == contract.IsolationFull {
		return true
	}
	return a.Level == contract.IsolationNamed && b.Level == contract.IsolationNamed && a.Name == b.Name
}

// hold counts e as a holder whatever else runs: an order found running after a restart.
func (q *isolation) hold(e entrant) { q.holders = append(q.holders, e) }

// enter queues e and returns the tickets that hold the lock from this moment.
func (q *isolation) enter(e entrant, now time.Time) []contract.TicketID {
	q.waiters = append(q.waiters, e)
	return q.grant(now)
}

// leave takes the ticket out, holder or waiter, and returns the tickets that hold the lock from
// this moment.
func (q *isolation) leave(id contract.TicketID, now time.Time) []contract.TicketID {
	of := func(e entrant) bool { return e.ticket == id }
	q.holders = slices.DeleteFunc(q.holders, of)
	q.waiters = slices.DeleteFunc(q.waiters, of)
	return q.grant(now)
}

func (q *isolation) grant(now time.Time) []contract.TicketID {
	var granted []contract.TicketID
	for i := 0; i < len(q.waiters); {
		e := q.waiters[i]
		if _, _, blocked := q.blocker(i); blocked {
			i++
			continue
		}
		e.since = now
		q.holders = append(q.holders, e)
		q.waiters = slices.Delete(q.waiters, i, i+1)
		granted = append(granted, e.ticket)
	}
	return granted
}

// blocker names what keeps the i-th waiter: a holder first, else an earlier waiter.
func (q *isolation) blocker(i int) (by entrant, holds, blocked bool) {
	excluded := func(e entrant) bool { return excludes(e.lock, q.waiters[i].lock) }
	if k := slices.IndexFunc(q.holders, excluded); k >= 0 {
		return q.holders[k], true, true
	}
	if k := slices.IndexFunc(q.waiters[:i], excluded); k >= 0 {
		return q.waiters[k], false, true
	}
	return entrant{}, false, false
}

// waitingFor says in a sentence what the ticket waits for, or "".
func (q *isolation) waitingFor(id contract.TicketID) string {
	i := slices.IndexFunc(q.waiters, func(e entrant) bool { return e.ticket == id })
	if i < 0 {
		return ""
	}
	by, holds, blocked := q.blocker(i)
	if !blocked {
		return ""
	}
	who := fmt.Sprintf("waits for %q (ticket %s)", by.name, by.ticket)
	if !holds {
		return who + ", which waits too and came first at " + by.since.Format(time.TimeOnly)
	}
	since := " since " + by.since.Format(time.TimeOnly)
	switch by.lock.Level {
	case contract.IsolationFull:
		return who + ", which runs alone on this machine" + since
	case contract.IsolationNamed:
		if q.waiters[i].lock.Level == contract.IsolationNamed {
			return who + fmt.Sprintf(", which holds the lock %q", by.lock.Name) + since
		}
	}
	return who + ", which runs on this machine" + since
}
