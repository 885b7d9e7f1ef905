// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"net/http"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func queue() Statement {
	return Statement{
		ID: "S13", Says: "what people read of a task fits one order of events: it is found once it was made, its state " +
			"never goes back, its end never changes, and a granted cancel is seen by every later read",
		Judge: judgeQueue,
	}
}

// readTime is how long an answer may have been under way: a read that began before something and
// ended after it may show either.
const readTime = 15 * time.Second

// rank orders the states; a task goes up only.
func rank(s deploy.TaskState) int {
	switch s {
	case deploy.TaskQueued:
		return 1
	case deploy.TaskExecuting:
		return 2
	case deploy.TaskCancelling:
		return 3
	case deploy.TaskSuccess, deploy.TaskFailed, deploy.TaskCanceled, deploy.TaskTimedOut:
		return 4
	}
	return 0
}

func judgeQueue(r history.Run) (bad []Violation) {
	last := map[deploy.TaskID]deploy.TaskState{}
	made := map[deploy.TaskID]bool{}
	canceled := map[deploy.TaskID]time.Duration{}
	for _, e := range r.Of(history.Answered, history.Seen) {
		if e.Task == "" {
			continue
		}
		say := func(format string, args ...any) {
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: string(e.Task) + " " + fmt.Sprintf(format, args...)})
		}
		state := deploy.TaskState(e.Text)
		when, isCanceled := canceled[e.Task]
		switch before := last[e.Task]; {
		case e.Kind == history.Answered:
			made[e.Task] = made[e.Task] || accepted(e)
			if e.Text == cancelWord && accepted(e) && !isCanceled {
				canceled[e.Task] = e.At
			}
			continue
		case e.Code == http.StatusNotFound && made[e.Task]:
			say("is not found, and was made before")
			continue
		case e.Text == "":
			continue
		case rank(state) == 0:
			say("is in the state %q, which is none", state)
		case before.IsCompleted() && state != before:
			say("is %s, and was %s, which is an end", state, before)
		case rank(state) < rank(before):
			say("is %s, and was %s before", state, before)
		case isCanceled && rank(state) < rank(deploy.TaskCancelling) && e.At > when+readTime:
			say("is %s, and its cancel was granted at %s", state, when)
		}
		last[e.Task] = state
	}
	for _, t := range r.End.Tasks {
		if before := last[t.ID]; before.IsCompleted() && t.State != before {
			what := fmt.Sprintf("%s is kept as %s, and was seen as %s, which is an end", t.ID, t.State, before)
			bad = append(bad, Violation{At: r.Over, What: what})
		}
	}
	return bad
}
