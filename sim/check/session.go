// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"

	"fairlead/sim/history"
)

func sessions() Statement {
	return Statement{
		ID: "S1", Says: "no session is taken for good through a box that ends TLS, and no script starts by way of one",
		Judge: judgeSessions,
	}
}

func judgeSessions(r history.Run) (bad []Violation) {
	x := newIndex(r)
	through := map[string]string{}
	for _, name := range x.agents() {
		if g, ends := RouteOf(r.Plan, x.group(name)).EndsTLS(); ends {
			through[name] = g.Name
		}
	}
	for _, e := range r.Of(history.LineUp, history.Started) {
		box := through[e.Who]
		if box == "" {
			continue
		}
		what := "its line serves"
		if e.Kind == history.Started {
			what = fmt.Sprintf("ticket %s started", e.Ticket)
		}
		bad = append(bad, Violation{
			At: e.At, Who: e.Who, What: fmt.Sprintf("%s, although %s on its way ends TLS", what, box),
		})
	}
	return bad
}
