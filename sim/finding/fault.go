// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/internal/link"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// trouble is one fault of the run.
type trouble struct {
	kind, on string
	from, to time.Duration
}

// troubles lists the faults that can cost a line. A program that dies does so when it is killed, not
// when the plan began to wait for that, and until it was started again.
func (v *view) troubles() (all []trouble) {
	end := func(e history.Event, ends func(trouble) bool) {
		i := slices.IndexFunc(all, func(t trouble) bool { return t.on == e.Who && t.to == v.run.Over && ends(t) })
		if i >= 0 {
			all[i].to = e.At
		}
	}
	kinds := plan.Kinds()
	for _, e := range v.run.Of(history.FaultOn, history.FaultOff, history.Crashed, history.Launched) {
		switch {
		case e.Kind == history.Crashed && e.Text != "shim":
			all = append(all, trouble{kind: deaths[e.Text], on: e.Who, from: e.At, to: v.run.Over})
		case e.Kind == history.Launched:
			end(e, func(t trouble) bool { return kinds[t.kind].Crash })
		case kinds[e.Text].Crash || harmless[e.Text]:
		case e.Kind == history.FaultOn:
			all = append(all, trouble{kind: e.Text, on: e.Who, from: e.At, to: v.run.Over})
		case e.Kind == history.FaultOff:
			end(e, func(t trouble) bool { return t.kind == e.Text })
		}
	}
	return all
}

// deaths are the faults behind what died.
var deaths = map[string]string{
	"server": "server.crash", "agent": "agent.crash", "power": "host.power", "reboot": "host.power",
	"rollback": "host.rollback",
}

// harmless faults cost no line that is up.
var harmless = map[string]bool{
	"host.clock": true, "disk.sync": true, "nat.ports": true, "firewall.close": true, "balancer.drain": true,
}

// momentary reports whether a fault is over as soon as it has happened: what it harmed stays so.
func (t trouble) momentary() bool {
	return strings.HasSuffix(t.kind, ".flush") || t.kind == "nat.rebind" || plan.Kinds()[t.kind].Crash
}

// noticed is how long after a fault's end a line may still be found dead for its sake.
const noticed = link.DeadAfter + link.HelloLimit

// concerns reports whether a fault lies on the way of an agent.
func (t trouble) concerns(g group, m member) bool {
	return t.on == m.name || t.on == g.Name || t.on == everywhere || slices.Contains(g.route.Names(), t.on)
}

// everywhere is how a fault on several machines at once names them all.
const everywhere = "all"

// costs reports whether a fault may be why an agent's line was found dead.
func (t trouble) costs(g group, m member, o outage) bool {
	return t.concerns(g, m) && t.from <= o.from && o.from <= t.to+noticed && !strings.HasPrefix(t.kind, "dns.")
}

// cause is the last fault that may be why a line was lost; ok is false when none may.
func (v *view) cause(all []trouble, g group, m member, o outage) (n int, ok bool) {
	for i, t := range slices.Backward(all) {
		if t.costs(g, m, o) {
			return i, true
		}
	}
	return 0, false
}

// faulty reports whether any fault may be why.
func (v *view) faulty(g group, m member, o outage) bool {
	_, ok := v.cause(v.troubles(), g, m, o)
	return ok
}

// maxFaults is how many faults are told of, the worst first.
const maxFaults = 20

// effect is what faults of a kind at one place, or on a group's own machines, did to its lines.
type effect struct {
	trouble
	times   int
	group   group
	hit     []member
	late    []time.Duration // from the fault to the moment when an agent noticed
	again   []time.Duration // from then, or from the fault's end, to the line's return
	ended   bool            // the line came back after the fault's end
	missing int
	beside  []string // other faults at the same time
}

// faults tells what each fault did to lines, and how long they took to come back.
func (v *view) faults() (found []string) {
	var effects []*effect
	all := v.troubles()
	for _, g := range v.groups {
		byPlace := map[string]*effect{}
		seen := map[int]bool{}
		for _, m := range g.members {
			for _, o := range m.outages {
				n, is := v.cause(all, g, m, o)
				if !is {
					continue
				}
				place := all[n].kind + " " + all[n].on
				if all[n].on == m.name {
					place = all[n].kind
				}
				e := byPlace[place]
				if e == nil {
					e = &effect{trouble: all[n], group: g}
					byPlace[place] = e
					effects = append(effects, e)
				}
				if !seen[n] {
					seen[n] = true
					e.times++
				}
				e.take(all, n, m, o)
			}
		}
	}
	slices.SortStableFunc(effects, func(a, b *effect) int { return cmp.Compare(b.worst(), a.worst()) })
	for i, e := range effects {
		if i == maxFaults {
			return append(found, fmt.Sprintf("%d more faults cost lines, for shorter times", len(effects)-maxFaults))
		}
		found = append(found, e.tell())
	}
	return found
}

// take adds an outage that a fault explains.
func (e *effect) take(all []trouble, n int, m member, o outage) {
	t := all[n]
	if len(e.hit) == 0 || e.hit[len(e.hit)-1].name != m.name {
		e.hit = append(e.hit, m)
	}
	e.late = append(e.late, o.from-t.from)
	if !o.over {
		if !m.removed {
			e.missing++
		}
		return
	}
	since := o.from
	if !t.momentary() && o.to > t.to {
		since, e.ended = max(t.to, o.from), true
	}
	e.again = append(e.again, o.to-since)
	for i, other := range all {
		text := other.kind + " on " + other.on
		if i != n && other.concerns(e.group, m) && other.from <= o.to && o.from <= other.to && !other.momentary() &&
			!slices.Contains(e.beside, text) {
			e.beside = append(e.beside, text)
		}
	}
}

// worst is the longest that a line took to come back; one that did not is worse than all.
func (e *effect) worst() time.Duration {
	if e.missing > 0 {
		return 1<<63 - 1
	}
	if len(e.again) == 0 {
		return 0 // of machines that were removed meanwhile
	}
	return slices.Max(e.again)
}

func (e *effect) tell() string {
	var text strings.Builder
	text.WriteString(e.kind)
	if own := e.group.members; !slices.ContainsFunc(own, func(m member) bool { return m.name == e.on }) {
		text.WriteString(" on " + e.on)
	}
	switch {
	case e.times > 1:
		fmt.Fprintf(&text, " (%d times, first at %s)", e.times, span(e.from))
	case e.momentary():
		fmt.Fprintf(&text, " at %s", span(e.from))
	default:
		fmt.Fprintf(&text, " at %s for %s", span(e.from), span(e.to-e.from))
	}
	fmt.Fprintf(&text, ": %s lost the line", e.group.who(e.hit))
	if late := slices.Max(e.late); late >= roundTo {
		fmt.Fprintf(&text, ", noticed after up to %s", most(e.late))
	}
	if len(e.again) > 0 {
		from := "that"
		if e.ended {
			from = "its end"
		}
		fmt.Fprintf(&text, " and had it again up to %s after %s", most(e.again), from)
	}
	if e.missing > 0 {
		fmt.Fprintf(&text, "; %d did not come back", e.missing)
	}
	if len(e.beside) > 0 {
		text.WriteString("; meanwhile: " + listed(e.beside))
	}
	return text.String()
}
