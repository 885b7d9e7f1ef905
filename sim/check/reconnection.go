// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/sim/history"
)

func reconnection() Statement {
	return Statement{
		ID: "L1", Says: "once everything is healed, each agent is on line again in time",
		Judge: judgeReconnection,
	}
}

func judgeReconnection(r history.Run) []Violation {
	x := newIndex(r)
	bound := Bounds(r.Plan)["L1"]
	if r.Plan.Expect.Online != "all" || r.Over < r.Healed+bound {
		return nil
	}
	var missing []string
	want := 0
	for _, name := range x.agents() {
		if x.apart(name) {
			continue
		}
		want++
		if !slices.Contains(r.End.Online, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		what := fmt.Sprintf("%s is not on line %s after the healing: want at most %s", strings.Join(missing, ", "),
			r.Over-r.Healed, bound)
		return []Violation{{At: r.Over, Who: missing[0], What: what}}
	}
	complete := r.Healed
	for _, e := range r.Of(history.Online) {
		if e.At > r.Healed && e.N < want {
			complete = 0 // not as of this look; the next one that is says when
		}
		if e.N >= want && complete == 0 {
			complete = e.At
		}
	}
	if complete == 0 {
		complete = r.Over
	}
	if took := complete - r.Healed; took > bound {
		what := fmt.Sprintf("all %d agents were on line %s after the healing: want at most %s", want, took, bound)
		return []Violation{{At: complete, What: what}}
	}
	return nil
}
