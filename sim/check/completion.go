// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func completion() Statement {
	return Statement{
		ID: "L2", Says: "once everything is healed, each ticket of a machine on line gets its verdict, and each task that " +
			"waits for no answer of people its end",
		Judge: judgeCompletion,
	}
}

// judgeCompletion asks how long nothing has happened that an open ticket could have waited for.
func judgeCompletion(r history.Run) (bad []Violation) {
	x := newIndex(r)
	bound := Bounds(r.Plan)["L2"]
	open := map[deploy.TaskID]bool{}
	for _, t := range r.End.Tickets {
		name := x.machines[t.Machine]
		if t.Verdict != nil {
			continue
		}
		open[t.Task] = true
		still := r.Over - max(r.Healed, x.moved(name))
		if slices.Contains(r.End.Online, name) && still > bound {
			what := fmt.Sprintf("ticket %s of %s has no verdict, and nothing has moved for %s: want at most %s",
				t.ID, t.Task, still, bound)
			bad = append(bad, Violation{At: r.Over, Who: name, What: what})
		}
	}
	for _, q := range r.End.Interruptions {
		open[q.Task] = open[q.Task] || q.IsPending()
	}
	for _, task := range r.End.Tasks {
		still := r.Over - max(r.Healed, x.asked[task.ID], x.movedAnywhere())
		if !task.State.IsCompleted() && !open[task.ID] && still > bound {
			what := fmt.Sprintf("%s is still %s, and nothing has moved for %s: want at most %s",
				task.ID, task.State, still, bound)
			bad = append(bad, Violation{At: r.Over, What: what})
		}
	}
	return bad
}

// moved is when a script on a machine last did something, or its agent came.
func (x *index) moved(name string) time.Duration {
	return x.lastOf(name, history.Started, history.Said, history.Finished, history.LineUp, history.Launched)
}

func (x *index) movedAnywhere() (at time.Duration) {
	for _, e := range x.run.Of(history.Started, history.Finished, history.Launched) {
		at = e.At
	}
	return at
}
