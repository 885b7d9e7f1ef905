// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func starts() Statement {
	return Statement{
		ID: "S4", Says: "each ticket starts its script once at most, each place in a plan has one ticket that started, " +
			"and nothing starts under a ticket that the server has not kept",
		Judge: judgeStarts,
	}
}

// place is where a ticket stands in its task's plan.
type place struct {
	task deploy.TaskID
	slot deploy.Slot
}

func judgeStarts(r history.Run) (bad []Violation) {
	x := newIndex(r)
	first := map[contract.TicketID]history.Event{}
	holder := map[place]contract.TicketID{}
	for _, e := range r.Of(history.Started) {
		if before, again := first[e.Ticket]; again {
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: fmt.Sprintf(
				"ticket %s of %s started again: process %d on %s began at %s", e.Ticket, e.Task, before.N, before.Who, before.At)})
			continue
		}
		first[e.Ticket] = e
		t, kept := x.tickets[e.Ticket]
		if !kept {
			what := fmt.Sprintf("ticket %s of %s started, and the server has kept no such ticket", e.Ticket, e.Task)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
			continue
		}
		at := place{t.Task, deploy.Slot{Step: t.Step, Action: t.Action, Machine: t.Machine, Attempt: t.Attempt}}
		if other, taken := holder[at]; taken {
			what := fmt.Sprintf("ticket %s of %s started in the place of %s, which had started", e.Ticket, e.Task, other)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
		}
		holder[at] = e.Ticket
	}
	return bad
}
