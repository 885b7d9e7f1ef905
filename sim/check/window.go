// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func window() Statement {
	return Statement{
		ID: "S16", Says: "of the machines of a step, no more run it at once than its window",
		Judge: judgeWindow,
	}
}

// judgeWindow counts, at each start of a script of a step, the machines that are in that step. One that the server has
// given up counts no more: it may be in there for ever.
func judgeWindow(r history.Run) (bad []Violation) {
	x := newIndex(r)
	type stepOf struct {
		task deploy.TaskID
		step int
	}
	begun := map[stepOf][]execution{}
	for _, one := range executions(r) {
		ticket, known := x.tickets[one.ticket]
		steps := x.tasks[ticket.Task].Plan.Steps
		if !known || ticket.Step >= len(steps) || ticket.Ruling == deploy.RulingLost {
			continue
		}
		step, at := steps[ticket.Step], stepOf{ticket.Task, ticket.Step}
		inside := map[string]bool{one.who: true}
		for _, other := range begun[at] {
			if other.during(one.from) {
				inside[other.who] = true
			}
		}
		begun[at] = append(begun[at], one)
		if step.Window > 0 && len(inside) > step.Window {
			what := fmt.Sprintf("step %q of %s runs on %d machines at once: want at most %d",
				step.Name, ticket.Task, len(inside), step.Window)
			bad = append(bad, Violation{At: one.from, Who: one.who, What: what})
		}
	}
	return bad
}
