// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func deploymentGoals() []Goal {
	return []Goal{
		{"approved", "people said that a deployment may go on", chosen(deploy.ChoiceProceed)},
		{"refused", "people said that a deployment may not go on", chosen(deploy.ChoiceAbort)},
		{"tried-again", "a script failed, people said that it shall be tried again, and then it succeeded", triedAgain},
		{"left-out-by-condition", "a step was left out on a machine, and run on another, by its condition", leftOut},
		{"gone-back", "an older release was deployed again and succeeded", goneBack},
		{"retained", "retention deleted a release", func(r history.Run) (n int) {
			for _, e := range r.End.Audit {
				if e.Category == releaseDeleted {
					n++
				}
			}
			return n
		}},
	}
}

// chosen counts questions that people answered in one way.
func chosen(choice deploy.Choice) func(history.Run) int {
	return func(r history.Run) (n int) {
		for _, q := range r.End.Interruptions {
			if q.Choice == choice && q.AnsweredBy != "" {
				n++
			}
		}
		return n
	}
}

func triedAgain(r history.Run) (n int) {
	retried := map[taskSlot]bool{}
	for _, q := range r.End.Interruptions {
		retried[taskSlot{q.Task, q.Slot}] = q.Choice == deploy.ChoiceRetry
	}
	for _, t := range r.End.Tickets {
		if retried[slotOf(t, t.Attempt-1)] && t.Verdict != nil && t.Verdict.Outcome == contract.Succeeded {
			n++
		}
	}
	return n
}

// leftOut counts the steps whose condition held on some machines and not on others.
func leftOut(r history.Run) (n int) {
	for _, task := range r.End.Tasks {
		held := map[int]map[bool]bool{}
		for _, d := range task.Decisions {
			if held[d.Step] == nil {
				held[d.Step] = map[bool]bool{}
			}
			held[d.Step][d.Runs] = true
		}
		for _, both := range held {
			n += len(both) / 2
		}
	}
	return n
}

// goneBack counts deployments that succeeded, of a release that is older than the one deployed before.
func goneBack(r history.Run) (n int) {
	x := newIndex(r)
	order := map[deploy.ReleaseID]int{}
	for _, d := range r.End.Deployments { // oldest first: a release is known from its first deployment on
		at, before := order[d.Release]
		if before && at < len(order)-1 && x.tasks[d.Task].State == deploy.TaskSuccess {
			n++
		}
		if !before {
			order[d.Release] = len(order)
		}
	}
	return n
}
