// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"strings"

	"fairlead/internal/contract"
	"fairlead/sim/history"
)

func isolation() Statement {
	return Statement{
		ID: "S8", Says: "scripts that exclude each other never run at the same time on a machine, a step starts after " +
			"those before it have ended, and what was canceled before its start never starts",
		Judge: judgeIsolation,
	}
}

func judgeIsolation(r history.Run) (bad []Violation) {
	x := newIndex(r)
	all := executions(r)
	for i, one := range all {
		for _, before := range all[:i] {
			if before.who == one.who && excludes(before.isolation, one.isolation) && before.during(one.from) {
				bad = append(bad, Violation{At: one.from, Who: one.who, What: fmt.Sprintf(
					"ticket %s (%s) started while ticket %s (%s) ran, which had started at %s", one.ticket, one.isolation,
					before.ticket, before.isolation, before.from)})
			}
			if before.during(one.from) && x.precedes(before, one) {
				bad = append(bad, Violation{At: one.from, Who: one.who, What: fmt.Sprintf(
					"ticket %s started while ticket %s of an earlier step of %s ran on %s", one.ticket, before.ticket,
					one.task, before.who)})
			}
		}
		v := x.tickets[one.ticket].Verdict
		if v != nil && v.Outcome == contract.Canceled && strings.Contains(v.Reason, beforeWords) {
			what := fmt.Sprintf("ticket %s started, and it was %s", one.ticket, v.Reason)
			bad = append(bad, Violation{At: one.from, Who: one.who, What: what})
		}
	}
	return bad
}

// excludes compares isolations as the history writes them: "full", "none", "named NAME".
func excludes(a, b string) bool {
	if a == string(contract.IsolationFull) || b == string(contract.IsolationFull) {
		return true
	}
	return a == b && strings.HasPrefix(a, string(contract.IsolationNamed)+" ")
}

// precedes reports whether a belongs to an earlier step of b's task, or to an earlier action of the
// same step on the same machine.
func (x *index) precedes(a, b execution) bool {
	first, known := x.tickets[a.ticket]
	second, alsoKnown := x.tickets[b.ticket]
	if !known || !alsoKnown || first.Task != second.Task {
		return false
	}
	return first.Step < second.Step ||
		first.Step == second.Step && first.Machine == second.Machine && first.Action < second.Action
}
