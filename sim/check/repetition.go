// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func repetition() Statement {
	return Statement{
		ID: "S18", Says: "an action is done once on each machine; again it is tried only where nothing of it ran, or as " +
			"its settings or people say",
		Judge: judgeRepetition,
	}
}

// judgeRepetition looks at each ticket that is not the first of its place.
func judgeRepetition(r history.Run) (bad []Violation) {
	x := newIndex(r)
	said := answersOf(r)
	before := map[taskSlot]deploy.Ticket{}
	for _, t := range r.End.Tickets {
		before[slotOf(t, t.Attempt)] = t
	}
	for _, t := range r.End.Tickets {
		if t.Attempt == 1 {
			continue
		}
		last, known := before[slotOf(t, t.Attempt-1)]
		_, told := said[slotOf(t, t.Attempt-1)]
		if known && (told || x.mayTryAgain(last)) {
			continue
		}
		what := fmt.Sprintf("%s is attempt %d of a step of %s, and attempt %d %s",
			t.ID, t.Attempt, t.Task, t.Attempt-1, ended(last))
		bad = append(bad, Violation{At: r.Over, Who: x.machines[t.Machine], What: what})
	}
	return bad
}

func slotOf(t deploy.Ticket, attempt int) taskSlot {
	return taskSlot{t.Task, deploy.Slot{Step: t.Step, Action: t.Action, Machine: t.Machine, Attempt: attempt}}
}

// mayTryAgain reports whether a ticket's action may be begun again without asking anybody.
func (x *index) mayTryAgain(t deploy.Ticket) bool {
	action, known := x.action(t)
	policy, err := deploy.NewPolicy(action)
	if !known || err != nil || t.Verdict == nil {
		return false
	}
	switch t.Verdict.Outcome {
	case contract.NotStarted:
		return true
	case contract.Indeterminate:
		return policy.IsIdempotent
	case contract.Failed, contract.TimedOut:
		return t.Attempt <= policy.Retries
	case contract.Succeeded, contract.Canceled:
	}
	return false
}

func ended(t deploy.Ticket) string {
	switch {
	case t.ID == "":
		return "is not there"
	case t.Verdict == nil:
		return "has no verdict"
	}
	return "ended with " + string(t.Verdict.Outcome)
}
