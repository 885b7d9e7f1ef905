// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"

	"fairlead/sim/history"
)

func agreement() Statement {
	return Statement{
		ID: "L6", Says: "at rest, the server and each agent agree on whether the line is up",
		Judge: judgeAgreement,
	}
}

func judgeAgreement(r history.Run) (bad []Violation) {
	x := newIndex(r)
	bound := Bounds(r.Plan)["L6"]
	rest := r.Healed
	for _, s := range r.Plan.Servers {
		rest = max(rest, x.lastOf(s.Name, history.Launched, history.Ended, history.Crashed))
	}
	for _, name := range x.agents() {
		says, tells := r.End.Agents[name]
		online := slices.Contains(r.End.Online, name)
		last := x.lastOf(name, history.LineUp, history.LineDown, history.Launched, history.Crashed, history.Ended)
		if !tells || x.apart(name) || says.Connected == online || r.Over-max(rest, last) <= bound {
			continue
		}
		words := map[bool]string{true: "on line", false: "off line"}
		what := fmt.Sprintf("the server takes it for %s, and it says that it is %s (%s)",
			words[online], words[says.Connected], says.Trouble)
		bad = append(bad, Violation{At: r.Over, Who: name, What: what})
	}
	return bad
}
