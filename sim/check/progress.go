// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"time"

	"fairlead/sim/history"
)

func progress() Statement {
	return Statement{
		ID: "L8", Says: "virtual time moves: the run reaches its end, and no instant holds events without end",
		Judge: judgeProgress,
	}
}

// maxAtOnce is how many events of one machine may share an instant.
const maxAtOnce = 1_000

func judgeProgress(r history.Run) (bad []Violation) {
	if r.Healed < r.Plan.Safety.D() {
		what := fmt.Sprintf("the safety phase ended at %s: the plan says %s", r.Healed, r.Plan.Safety)
		bad = append(bad, Violation{At: r.Healed, What: what})
	}
	if settled := r.Over - r.Healed; settled < r.Plan.Settle.D() {
		what := fmt.Sprintf("the site had %s to settle: the plan says %s", settled, r.Plan.Settle)
		bad = append(bad, Violation{At: r.Over, What: what})
	}
	at, count := time.Duration(-1), map[string]int{}
	for _, e := range r.Events {
		if e.At != at {
			at, count = e.At, map[string]int{}
		}
		if count[e.Who]++; count[e.Who] == maxAtOnce {
			bad = append(bad, Violation{At: at, Who: e.Who, What: fmt.Sprintf("%d events in one instant", maxAtOnce)})
		}
	}
	return bad
}
