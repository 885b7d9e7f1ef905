// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"

	"fairlead/sim/history"
)

func leaks() Statement {
	return Statement{
		ID: "S14", Says: "at the end no connection, listener or program is left, and each program ends in peace when it " +
			"is told to",
		Judge: judgeLeaks,
	}
}

func judgeLeaks(r history.Run) (bad []Violation) {
	if n := r.End.Leaks.Conns; n > 0 {
		bad = append(bad, Violation{At: r.Over, What: fmt.Sprintf("%d connections were never closed", n)})
	}
	if n := r.End.Leaks.Listeners; n > 0 {
		bad = append(bad, Violation{At: r.Over, What: fmt.Sprintf("%d listeners were never closed", n)})
	}
	all := outages(r)
	for _, e := range r.Of(history.Ended) {
		broken := slices.ContainsFunc(all, func(o outage) bool { return o.breaksDisk(e.Who) })
		if e.Text != "" && !broken {
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: "the program ended by itself: " + e.Text})
		}
	}
	return bad
}
