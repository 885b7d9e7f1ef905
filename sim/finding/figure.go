// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/link"
	"fairlead/sim/check"
)

// losses tells of output that nobody sees and of scripts whose end nobody knows.
func (v *view) losses() (found []string) {
	if lost := check.Lost(v.run); lost > 0 {
		found = append(found, fmt.Sprintf("%d %s of output got lost: %.2f a day for each agent", lost,
			is(lost, "line", "lines"), float64(lost)/v.agentDays()))
	}
	unknown := map[string]int{}
	var reasons []string
	for _, t := range v.run.End.Tickets {
		if t.Verdict == nil || t.Verdict.Outcome != contract.Indeterminate {
			continue
		}
		if unknown[t.Verdict.Reason] == 0 {
			reasons = append(reasons, t.Verdict.Reason)
		}
		unknown[t.Verdict.Reason]++
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		found = append(found, fmt.Sprintf("nobody can tell how %d %s ended: %s", unknown[reason],
			is(unknown[reason], "script", "scripts"), reason))
	}
	return found
}

// agentDays is the time that agents lived in the run, in days; never zero.
func (v *view) agentDays() float64 {
	const hours = 24
	return max(time.Second.Hours(), v.run.Over.Hours()*float64(v.run.Plan.Machines())) / hours
}

// figures gives the times out of reach of each group, a sentence each.
func (v *view) figures() (found []string) {
	for _, g := range v.groups {
		away := g.away()
		switch {
		case !slices.ContainsFunc(g.members, func(m member) bool { return m.served }):
		case len(away) == 0:
			found = append(found, fmt.Sprintf("%s never lost a line that came back", g.who(g.members)))
		default:
			found = append(found, fmt.Sprintf("%s lost a line %d %s, and were without for up to %s",
				g.who(g.members), len(away), is(len(away), "time", "times"), most(away)))
			if kept := v.remembered(g); kept != "" {
				found = append(found, kept)
			}
		}
	}
	return found
}

// away lists how long lines were down that came back.
func (g group) away() (all []time.Duration) {
	for _, m := range g.members {
		for _, o := range m.outages {
			if o.over {
				all = append(all, o.away())
			}
		}
	}
	return all
}

// calm is the one sentence about a run in which all was well.
func (v *view) calm() string {
	var text strings.Builder
	n := v.run.Plan.Machines()
	fmt.Fprintf(&text, "nothing to complain about: %d %s on line for %s", n, is(n, "agent was", "agents were"),
		span(v.run.Over))
	if gone := v.removed(); gone > 0 {
		fmt.Fprintf(&text, " (%d until removed)", gone)
	}
	if scripts := v.scripts(); scripts > 0 {
		fmt.Fprintf(&text, ", %d %s, no line of output lost", scripts, is(scripts, "script", "scripts"))
	}
	var shortest memory
	var away []time.Duration
	for _, g := range v.groups {
		away = append(away, g.away()...)
		if all := g.memories(); len(all) > 0 && (shortest.idle == 0 || all[0].idle < shortest.idle) {
			shortest = all[0]
		}
	}
	if len(away) > 0 {
		fmt.Fprintf(&text, "; lines were made anew %d %s, within %s", len(away), is(len(away), "time", "times"), most(away))
	}
	if shortest.idle > 0 {
		fmt.Fprintf(&text, "; the shortest memory on the way is that of %s with %s, and agents ping every %s",
			shortest.name, span(shortest.idle), span(link.PingAfter))
	}
	return text.String()
}

// removed counts agents that people removed.
func (v *view) removed() (n int) {
	for _, g := range v.groups {
		for _, m := range g.members {
			if m.removed {
				n++
			}
		}
	}
	return n
}

// scripts counts tickets that have a verdict.
func (v *view) scripts() (n int) {
	for _, t := range v.run.End.Tickets {
		if t.Verdict != nil {
			n++
		}
	}
	return n
}
