// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"time"

	"fairlead/internal/deploy"
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
			if x.upAt(name, o.from) && !x.downIn(name, o.from, o.from+bound) {
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
	case "link.cut", "host.freeze":
		return true
	}
	return false
}

// oneWay reports whether the plan cuts one direction alone in that place.
func oneWay(p plan.Plan, o outage) bool {
	return slices.ContainsFunc(p.Faults, func(f plan.Fault) bool {
		return f.Kind == o.kind && f.Way != "" && slices.Contains(p.Places(f), o.on)
	})
}

// concerns reports whether a fault lies on the way of an agent's line.
func (x *index) concerns(o outage, name string) bool {
	return o.on == name || slices.Contains(RouteOf(x.run.Plan, x.group(name)).Names(), o.on)
}

// lastedShort reports whether something else ended the agent, its server or the line's chances
// meanwhile, so that nobody can say who noticed what.
func (x *index) lastedShort(name string, o outage, bound time.Duration) bool {
	if x.group(name).Listening {
		return true // tells nothing of its lines
	}
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

// unaware names the server that held a session over the cut and did not let it go in time; "" for
// none, or where the servers' logs do not tell.
func (x *index) unaware(name string, o outage, bound time.Duration) string {
	var id deploy.MachineID
	for _, m := range x.run.End.Machines {
		if m.Name == name {
			id = m.ID
		}
	}
	held, server, let := 0, "", false
	for _, e := range x.run.Of(history.Entered, history.Left) {
		switch {
		case e.Peer != id || id == "":
		case e.Kind == history.Entered && e.At <= o.from:
			held, server = held+1, e.Who
		case e.Kind == history.Left && e.At <= o.from:
			held--
		case e.Kind == history.Left && e.At <= o.from+bound:
			let = true
		}
	}
	if held <= 0 || let {
		return ""
	}
	return server
}
