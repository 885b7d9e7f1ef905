// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package finding

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fairlead/internal/link"
	"fairlead/netem"
	"fairlead/sim/plan"
)

// memory is how long something on the way remembers a quiet connection.
type memory struct {
	name string
	idle time.Duration
}

// memories lists what forgets on a group's way, the shortest first.
func (g group) memories() (all []memory) {
	add := func(name, preset string, idle plan.Duration) {
		m := memory{name: name, idle: idle.D()}
		if known, is := netem.FindPreset(preset); is && m.idle == 0 {
			m.idle = known.Idle
		}
		if m.idle > 0 {
			all = append(all, m)
		}
	}
	for _, b := range g.route.Boxes {
		add(b.Name, b.Preset, b.Idle)
	}
	for _, p := range g.route.Programs {
		add(p.Name, p.Preset, p.Idle)
	}
	slices.SortStableFunc(all, func(a, b memory) int { return cmp.Compare(a.idle, b.idle) })
	return all
}

// advisedIdle is the shortest memory that never costs a line: two pings that get lost.
const advisedIdle = 3 * link.PingAfter

// memories tells of boxes that forget quiet lines sooner than agents ping.
func (v *view) memories() (found []string) {
	for _, g := range v.groups {
		short := g.memories()
		if len(short) == 0 || short[0].idle >= link.PingAfter {
			continue
		}
		if text := v.forgotten(g, short[0]); text != "" {
			found = append(found, text)
		}
	}
	return found
}

// forgotten tells what came of the shortest memory on a group's way; "" when it cost no line.
func (v *view) forgotten(g group, m memory) string {
	var hit []member
	var away []time.Duration
	var last time.Duration
	times, cuts := 0, 0
	for _, one := range g.members {
		n := 0
		for _, o := range one.outages {
			if (o.silent() || o.cut()) && !v.faulty(g, one, o) {
				n++
				away = append(away, o.away())
				last = max(last, o.to)
			}
		}
		if n > 0 {
			hit = append(hit, one)
		}
		times, cuts = times+n, max(cuts, n)
	}
	if times == 0 {
		return ""
	}
	ping, keeps := paceAfter(cuts), "keep the line"
	if v.run.Over-last < advisedIdle {
		keeps = "do not keep it for long"
	}
	if ping >= m.idle {
		keeps = "cannot keep it"
	}
	lost := fmt.Sprintf("%s lost the line %d %s until %s because %s forgets connections that are quiet for %s",
		g.who(hit), times, is(times, "time", "times"), span(last), m.name, span(m.idle))
	return fmt.Sprintf("%s; they now ping every %s and %s; without a line for up to %s; ask for a memory of %s or more",
		lost, span(ping), keeps, most(away), span(advisedIdle))
}

// remembered tells of the shortest memory on a group's way that pings outrun; "" when there is none.
func (v *view) remembered(g group) string {
	all := g.memories()
	if len(all) == 0 || all[0].idle < link.PingAfter {
		return ""
	}
	return fmt.Sprintf("%s forgets connections that are quiet for %s: pings every %s keep the lines of %s",
		all[0].name, span(all[0].idle), span(link.PingAfter), g.Name)
}

// paceAfter is how often an agent pings after so many lines that looked like idle cuts.
func paceAfter(cuts int) time.Duration {
	var pace link.Pace
	for range cuts {
		pace = pace.Adapt(&link.CloseError{Reason: link.ReasonDead, Silence: pace.Interval()})
	}
	return pace.Interval()
}
