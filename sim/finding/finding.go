// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/sim/check"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// All returns the sentences about a run, the gravest first.
func All(r history.Run) []string {
	v := newView(r)
	found := slices.Concat(v.refusals(), v.memories(), v.serverWords(), v.faults(), v.losses())
	if len(found) == 0 {
		return []string{v.calm()}
	}
	return append(found, v.figures()...)
}

// view is a run as an engineer looks at it.
type view struct {
	run    history.Run
	groups []group
}

// group is some agents that stand and call alike.
type group struct {
	plan.Agents
	route   check.Route
	members []member
}

// member is one agent.
type member struct {
	name    string
	served  bool // its line was up at some time
	up      bool // and is at the end
	removed bool
	held    string // why the server holds it off at the end, "" when it does not
	outages []outage
	causes  []string // of its failed tries, in order, "" for none
}

func newView(r history.Run) *view {
	v := &view{run: r}
	for _, a := range r.Plan.Agents {
		g := group{Agents: a, route: check.RouteOf(r.Plan, a)}
		for i := range a.Count {
			m := v.member(fmt.Sprintf("%s-%d", a.Name, i+1))
			for _, known := range r.End.Machines {
				if known.Name == m.name {
					m.held = known.Quarantine
				}
			}
			g.members = append(g.members, m)
		}
		v.groups = append(v.groups, g)
	}
	return v
}

// who names some of a group: "the 3 agents of web on ward", "web-1 on ward".
func (g group) who(members []member) string {
	if len(members) == 1 {
		return members[0].name + " on " + g.On
	}
	if len(members) == len(g.members) {
		return fmt.Sprintf("the %d agents of %s on %s", len(members), g.Name, g.On)
	}
	return fmt.Sprintf("%d of %d agents of %s on %s", len(members), len(g.members), g.Name, g.On)
}

// is picks the word that goes with a number of things.
func is(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// roundTo is how exact times are told.
const roundTo = time.Second

// span is a time in words: "0s", "41s", "1m13s".
func span(d time.Duration) string { return plan.Duration(d.Round(roundTo)).String() }

// median of durations that there are.
func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// most tells the longest of some times, and the median where it says more.
func most(all []time.Duration) string {
	longest, middle := span(slices.Max(all)), span(median(all))
	if longest == middle {
		return longest
	}
	return fmt.Sprintf("%s (median %s)", longest, middle)
}

// listed joins names, the first few of them.
func listed(names []string) string {
	const few = 4
	if len(names) > few {
		return strings.Join(names[:few], ", ") + fmt.Sprintf(" and %d more", len(names)-few)
	}
	return strings.Join(names, ", ")
}
