// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"fairlead/sim/history"
)

func revocation() Statement {
	return Statement{
		ID: "S2", Says: "a machine that was removed gets no work, no new session, and loses the one it has in time",
		Judge: judgeRevocation,
	}
}

func judgeRevocation(r history.Run) (bad []Violation) {
	x := newIndex(r)
	all := outages(r)
	for _, name := range slices.Sorted(maps.Keys(x.removed)) {
		gone := x.removed[name]
		up := false
		closed := r.Over
		for _, e := range r.Events {
			switch {
			case e.Who != name:
			case e.Kind == history.LineUp && e.At > gone+revokeReach:
				bad = append(bad, Violation{At: e.At, Who: name, What: since("a session serves", e.At-gone)})
			case e.Kind == history.Started && x.asked[e.Task] > gone+revokeReach:
				what := fmt.Sprintf("ticket %s of %s started", e.Ticket, e.Task)
				bad = append(bad, Violation{At: e.At, Who: name, What: since(what, e.At-gone)})
			case e.Kind == history.LineUp:
				up = true
			case e.At <= gone && (e.Kind == history.LineDown || e.Kind == history.Crashed):
				up = false
			case e.At > gone && e.At < closed && (e.Kind == history.LineDown || e.Kind == history.Crashed):
				closed = e.At
			}
		}
		undisturbed := quiet(all, gone-Bounds(r.Plan)["L3"], gone+revokeReach)
		if up && undisturbed && !x.group(name).Listening && closed > gone+revokeReach && r.Over > gone+revokeReach {
			what := fmt.Sprintf("its session went on for %s after it was removed, want at most %s", closed-gone, revokeReach)
			bad = append(bad, Violation{At: gone + revokeReach, Who: name, What: what})
		}
	}
	return bad
}

func since(what string, d time.Duration) string {
	return fmt.Sprintf("%s %s after it was removed", what, d.Round(time.Millisecond))
}
