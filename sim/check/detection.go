// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"time"

	"fairlead/sim/history"
	"fairlead/sim/plan"
)

func detection() Statement {
	return Statement{
		ID: "L3", Says: "a path that has died in silence is noticed in time on both sides of the line",
		Judge: judgeDetection,
	}
}

func judgeDetection(r history.Run) (bad []Violation) {
	x := newIndex(r)
	each := Bounds(r.Plan)["L3"]
	for _, o := range outages(r) {
		bound := each
		if oneWay(r.Plan, o) {
			bound += each // the deaf side first, then the other one, which hears nothing from then on
		}
		if !silent(o) || o.to-o.from <= bound || o.from+bound >= r.Over {
			continue
		}
		for _, name := range x.agents() {
			if !x.concerns(o, name) || x.lastedShort(name, o, bound) {
				continue
			}
			// A listening agent tells nothing of its lines; the server that calls it does.
			if x.upAt(name, o.from) && !x.group(name).Listening && !x.downIn(name, o.from, o.from+bound) {
				bad = append(bad, late(o, name, bound))
			}
			if server := x.unaware(name, o, bound); server != "" {
				bad = append(bad, late(o, server, bound))
			}
		}
	}
	return bad
}

func late(o outage, who string, bound time.Duration) Violation {
	what := fmt.Sprintf("it has not noticed within %s that %s on %s at %s had cut the line", bound, o.kind, o.on, o.from)
	return Violation{At: o.from + bound, Who: who, What: what}
}

// silent reports whether a fault swallows what crosses it for as long as it lasts.
func silent(o outage) bool {
	switch o.kind {
	case "link.cut", "link.clog", "host.freeze", "partition":
		return true
	}
	return false
}

// oneWay reports whether the plan cuts one direction alone in that place.
func oneWay(p plan.Plan, o outage) bool {
	return slices.ContainsFunc(p.Faults, func(f plan.Fault) bool {
		return f.Kind == o.kind && f.Way != "" && (f.On == o.on || slices.Contains(p.Places(f), o.on))
	})
}

// concerns reports whether a fault lies on the way of an agent's line. Of several servers only one
// holds it. A partition is between machines: those beyond a proxy do not meet.
func (x *index) concerns(o outage, name string) bool {
	route := RouteOf(x.run.Plan, x.group(name))
	switch {
	case o.kind == "partition":
		places := x.run.Plan.Places(plan.Fault{Kind: o.kind, On: o.on})
		return len(route.Programs) == 0 && slices.Contains(places, name)
	case x.isServer(o.on):
		return x.holder(name, o.from) == o.on
	}
	return o.on == name || slices.Contains(route.Names(), o.on)
}

// lastedShort reports whether something else ended the agent, its server or the line's chances
// meanwhile, so that nobody can say who noticed what.
func (x *index) lastedShort(name string, o outage, bound time.Duration) bool {
	return slices.ContainsFunc(x.run.Of(history.Crashed, history.Ended, history.Launched), func(e history.Event) bool {
		return (e.Who == name || x.isServer(e.Who)) && o.from-bound <= e.At && e.At <= o.from+bound
	})
}

// upAt reports whether an agent's line served at a moment.
func (x *index) upAt(name string, at time.Duration) (up bool) {
	for _, e := range x.run.Events {
		if e.At > at {
			break
		}
		if e.Who == name {
			switch e.Kind {
			case history.LineUp:
				up = true
			case history.LineDown, history.Crashed, history.Ended:
				up = false
			}
		}
	}
	return up
}

func (x *index) downIn(name string, from, to time.Duration) bool {
	return slices.ContainsFunc(x.run.Of(history.LineDown), func(e history.Event) bool {
		return e.Who == name && from < e.At && e.At <= to
	})
}

// holder is the server that held an agent's session at a moment; "" for none, or where the servers'
// logs do not tell.
func (x *index) holder(name string, at time.Duration) string {
	id, server := x.id(name), ""
	held := map[string]int{}
	for _, e := range x.run.Of(history.Entered, history.Left, history.Crashed, history.Ended) {
		switch {
		case e.At > at:
		case e.Kind == history.Crashed || e.Kind == history.Ended:
			delete(held, e.Who) // what a dead server held ended without a word
		case e.Peer != id || id == "":
		case e.Kind == history.Entered:
			server = e.Who
			held[server]++
		default:
			held[e.Who]--
		}
	}
	if held[server] <= 0 {
		return ""
	}
	return server
}

// unaware names the server that held a session over the cut and did not let it go in time; "" for none.
func (x *index) unaware(name string, o outage, bound time.Duration) string {
	id, server := x.id(name), x.holder(name, o.from)
	let := slices.ContainsFunc(x.run.Of(history.Left), func(e history.Event) bool {
		return e.Peer == id && o.from < e.At && e.At <= o.from+bound
	})
	if let {
		return ""
	}
	return server
}
