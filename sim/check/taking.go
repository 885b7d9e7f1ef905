// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func taking() Statement {
	return Statement{
		ID: "S23", Says: "all steps of a deployment see a variable as it was when the deployment was queued, whatever its " +
			"release takes afresh meanwhile",
		Judge: judgeTaking,
	}
}

// judgeTaking holds what the steps of a task say of a variable against what the first of them said.
func judgeTaking(r history.Run) (bad []Violation) {
	x := newIndex(r)
	first := map[deploy.TaskID]string{}
	for _, e := range r.Of(history.Said) {
		said, is := strings.CutPrefix(e.Text, history.PaintPrefix)
		if !is {
			continue
		}
		value, _, _ := strings.Cut(said, " ")
		task := x.tickets[e.Ticket].Task
		if task == "" { // a restored server knows no ticket of what it forgot
			continue
		}
		before, known := first[task]
		if !known {
			first[task] = value
		}
		if known && value != before {
			what := fmt.Sprintf("a step of %s sees the variable as %q, and an earlier one saw %q", task, value, before)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
		}
	}
	return bad
}
