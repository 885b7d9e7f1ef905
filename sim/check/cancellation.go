// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func cancellation() Statement {
	return Statement{
		ID: "L5", Says: "a task whose cancel was granted ends in time, whether its machines answer or not",
		Judge: judgeCancellation,
	}
}

func judgeCancellation(r history.Run) (bad []Violation) {
	x := newIndex(r)
	bound := Bounds(r.Plan)["L5"]
	judged := map[deploy.TaskID]bool{}
	for _, e := range r.Of(history.Answered) {
		if e.Text != cancelWord || !accepted(e) || judged[e.Task] {
			continue
		}
		judged[e.Task] = true
		ended, seen := x.completedAt(e.Task)
		if !seen {
			if x.tasks[e.Task].State.IsCompleted() {
				continue // nobody looked any more when it ended
			}
			ended = r.Over
		}
		from := max(e.At, x.disturbedUntil(ended))
		if took := ended - from; took > bound {
			what := fmt.Sprintf("%s was canceled at %s and had not ended %s later: want at most %s", e.Task, e.At, took, bound)
			bad = append(bad, Violation{At: ended, What: what})
		}
	}
	return bad
}

// disturbedUntil is when the last fault before a moment was healed, or a server began again.
func (x *index) disturbedUntil(before time.Duration) (at time.Duration) {
	for _, o := range outages(x.run) {
		if o.from <= before {
			at = max(at, min(o.to, before))
		}
	}
	for _, e := range x.run.Of(history.Launched) {
		if x.isServer(e.Who) && e.At <= before {
			at = max(at, e.At)
		}
	}
	return at
}
