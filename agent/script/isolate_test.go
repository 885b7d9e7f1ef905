// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fairlead/internal/contract"

	"pgregory.net/rapid"
)

var (
	none  = contract.Isolation{Level: contract.IsolationNone}
	full  = contract.Isolation{Level: contract.IsolationFull}
	named = func(name string) contract.Isolation {
		return contract.Isolation{Level: contract.IsolationNamed, Name: name}
	}
)

func TestWaitingForNamesTheHolder(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 1, 7, 0, time.UTC)
	for _, test := range []struct {
		holder, waiter contract.Isolation
		want           string
	}{
		{full, none, `waits for "Deploy Web" (ticket a), which runs alone on this machine since 12:01:07`},
		{none, full, `waits for "Deploy Web" (ticket a), which runs on this machine since 12:01:07`},
		{named("db"), named("db"), `waits for "Deploy Web" (ticket a), which holds the lock "db" since 12:01:07`},
		{named("db"), full, `waits for "Deploy Web" (ticket a), which runs on this machine since 12:01:07`},
		{named("db"), named("web"), ""},
		{none, none, ""},
		{none, named("db"), ""},
	} {
		var q isolation
		q.enter(entrant{ticket: "a", name: "Deploy Web", lock: test.holder}, at)
		q.enter(entrant{ticket: "b", lock: test.waiter}, at.Add(time.Minute))
		if got := q.waitingFor("b"); got != test.want {
			t.Errorf("%v behind %v: %q, want %q", test.waiter, test.holder, got, test.want)
		}
	}
}

func TestNobodyOvertakesAnOrderThatRunsAlone(t *testing.T) {
	var q isolation
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	q.enter(entrant{ticket: "a", lock: none}, at)
	q.enter(entrant{ticket: "b", name: "B", lock: full, since: at}, at)
	q.enter(entrant{ticket: "c", lock: none}, at)
	if got, want := q.waitingFor("c"), `waits for "B" (ticket b), which waits too and came first at 12:00:00`; got != want {
		t.Errorf("c %q, want %q", got, want)
	}
	if got := q.leave("a", at); !slices.Equal(got, []contract.TicketID{"b"}) {
		t.Errorf("after a: %v, want b", got)
	}
	if got := q.leave("b", at); !slices.Equal(got, []contract.TicketID{"c"}) {
		t.Errorf("after b: %v, want c", got)
	}
}

// TestIsolationIsSafeAndFair compares the queue with its promise after random arrivals and ends:
// no two holders exclude each other, a waiter waits for a reason that came before it, and
// exclusive orders are granted in the order of their arrival.
func TestIsolationIsSafeAndFair(t *testing.T) {
	levels := []contract.Isolation{none, full, named("a"), named("b")}
	rapid.Check(t, func(t *rapid.T) {
		var q isolation
		arrivals := map[contract.TicketID]int{}
		locks := map[contract.TicketID]contract.Isolation{}
		granted := map[contract.TicketID]int{}
		take := func(ids []contract.TicketID) {
			for _, id := range ids {
				if _, twice := granted[id]; twice {
					t.Fatalf("%s was granted twice", id)
				}
				granted[id] = len(granted)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				id := contract.TicketID(fmt.Sprintf("t%d", len(arrivals)))
				lock := rapid.SampledFrom(levels).Draw(t, "lock")
				arrivals[id], locks[id] = len(arrivals), lock
				take(q.enter(entrant{ticket: id, lock: lock}, time.Time{}))
			},
			"leave": func(t *rapid.T) {
				all := append(slices.Clone(q.holders), q.waiters...)
				if len(all) > 0 {
					take(q.leave(rapid.SampledFrom(all).Draw(t, "who").ticket, time.Time{}))
				}
			},
			"": func(t *rapid.T) {
				for i, a := range q.holders {
					for _, b := range q.holders[:i] {
						if excludes(a.lock, b.lock) {
							t.Fatalf("%v and %v hold the lock together", a, b)
						}
					}
				}
				for i, waiter := range q.waiters {
					before := append(slices.Clone(q.holders), q.waiters[:i]...)
					if !slices.ContainsFunc(before, func(e entrant) bool { return excludes(e.lock, waiter.lock) }) {
						t.Fatalf("%v waits for nobody", waiter)
					}
					if q.waitingFor(waiter.ticket) == "" {
						t.Fatalf("%v has no reason to wait", waiter)
					}
				}
			},
		})
		for len(q.holders) > 0 {
			take(q.leave(q.holders[0].ticket, time.Time{}))
		}
		if len(q.waiters) > 0 {
			t.Fatalf("%v wait for nobody", q.waiters)
		}
		for a, i := range granted {
			for b, j := range granted {
				if arrivals[a] < arrivals[b] && excludes(locks[a], locks[b]) && i > j {
					t.Fatalf("%s came before %s and was granted after it", a, b)
				}
			}
		}
	})
}
