// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/sim/history"
)

func expectation() Statement {
	return Statement{
		ID: "expect", Says: "what the plan expects of this very run comes true",
		Judge: judgeExpectation,
	}
}

func judgeExpectation(r history.Run) (bad []Violation) {
	x, want := newIndex(r), r.Plan.Expect
	say := func(format string, args ...any) {
		bad = append(bad, Violation{At: r.Over, What: fmt.Sprintf(format, args...)})
	}
	missing := slices.DeleteFunc(x.agents(), func(name string) bool {
		return x.apart(name) || slices.Contains(r.End.Online, name)
	})
	switch {
	case want.Online == "all" && len(missing) > 0:
		say("expected all agents on line at the end: %s is not", strings.Join(missing, ", "))
	case want.Online == "none" && len(r.End.Online) > 0:
		say("expected no agent on line at the end: %s is", strings.Join(r.End.Online, ", "))
	}
	byAgents, byServers := x.causes()
	for _, cause := range want.AgentSays {
		if !byAgents[cause] {
			say("expected an agent to name the cause %s: none did", cause)
		}
	}
	for _, cause := range want.ServerSays {
		if !byServers[cause] {
			say("expected the server to name the cause %s: it did not", cause)
		}
	}
	if lost := Lost(r); want.Lost != nil && *want.Lost >= 0 && lost > *want.Lost {
		say("expected at most %d lost lines: %d were lost", *want.Lost, lost)
	}
	known := map[string]Goal{}
	for _, g := range AllGoals() {
		known[g.Name] = g
	}
	for _, name := range want.Sometimes {
		g, is := known[name]
		switch {
		case !is:
			say("expected the goal %s: there is none of that name", name)
		case g.Count(r) == 0:
			say("expected the goal %s (%s): it was not reached", name, g.Says)
		}
	}
	return bad
}

// causes are those that the two ends have named.
func (x *index) causes() (byAgents, byServers map[string]bool) {
	byAgents, byServers = map[string]bool{}, map[string]bool{}
	for _, e := range x.run.Of(history.LineDown, history.Refused, history.Left) {
		switch {
		case e.Cause == "":
		case x.isServer(e.Who):
			byServers[e.Cause] = true
		default:
			byAgents[e.Cause] = true
		}
	}
	return byAgents, byServers
}

// Lost counts lines that scripts said and that no log shows, of tickets whose task people saw ended.
func Lost(r history.Run) (lines int) {
	x := newIndex(r)
	for _, s := range x.outputs() {
		if _, complete := x.completedAt(s.ticket.Task); complete {
			lines += max(0, len(s.said)-len(s.log))
		}
	}
	return lines
}
