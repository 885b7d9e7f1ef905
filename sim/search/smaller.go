// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"net"
	"slices"
	"time"

	"fairlead/sim/plan"
)

// step makes smaller plans of one, those that take the most away first. They may be unfit: tidy sees to
// that.
type step func(plan.Plan) []plan.Plan

// steps go from what takes the most away to what only makes a plan read well.
var steps = []step{
	fewerFaults, fewerOps, fewerGroups, fewerAgents, fewerServers, withoutBoxes, withoutPrograms, withoutSites,
	shorterPhases, simplerOps, simplerFaults, simplerWires, simplerGroups, earlier, smallerSeed,
}

// copied is a plan that shares nothing with the first.
func copied(p plan.Plan) plan.Plan {
	again, err := plan.Parse(p.Format())
	if err != nil {
		return p // then tidy refuses it
	}
	return again
}

// changed is the plan after a change.
func changed(p plan.Plan, change func(*plan.Plan)) plan.Plan {
	q := copied(p)
	change(&q)
	return q
}

// tidy drops what refers to things that are no longer there, and what would come after the safety phase.
// fit is false for a plan that does not pass its check all the same.
func tidy(p plan.Plan) (plan.Plan, bool) {
	q := p
	used := map[string]bool{}
	for i := range q.Edges {
		q.Edges[i].Boxes = slices.DeleteFunc(slices.Clone(q.Edges[i].Boxes), func(name string) bool {
			return !slices.ContainsFunc(q.Boxes, func(b plan.Box) bool { return b.Name == name })
		})
		for _, name := range q.Edges[i].Boxes {
			used[name] = true
		}
	}
	q.Boxes = slices.DeleteFunc(slices.Clone(q.Boxes), func(b plan.Box) bool { return !used[b.Name] })
	groups := []string{"", everywhere}
	for _, a := range q.Agents {
		groups = append(groups, a.Name)
	}
	refers := func(kind, on string) bool {
		places := q.Places(plan.Fault{Kind: kind, On: everywhere})
		return len(places) > 0 && (slices.Contains(places, on) || slices.Contains(groups, on))
	}
	q.Faults = slices.DeleteFunc(slices.Clone(q.Faults), func(f plan.Fault) bool {
		return f.At >= q.Safety || !refers(f.Kind, f.On)
	})
	q.Ops = slices.DeleteFunc(slices.Clone(q.Ops), func(o plan.Op) bool {
		return o.At >= q.Safety || o.On != "" && !refers("agent.crash", o.On)
	})
	whole, err := plan.Parse(q.Format())
	return whole, err == nil
}

// without gives the lists that lack a part of the first: all of it, halves, quarters, single ones.
func without[T any](list []T) (shorter [][]T) {
	for size := len(list); size > 0; size /= 2 {
		for from := 0; from < len(list); from += size {
			shorter = append(shorter, slices.Delete(slices.Clone(list), from, min(from+size, len(list))))
		}
	}
	return shorter
}

func fewerFaults(p plan.Plan) (all []plan.Plan) {
	for _, list := range without(p.Faults) {
		all = append(all, changed(p, func(q *plan.Plan) { q.Faults = list }))
	}
	return all
}

func fewerOps(p plan.Plan) (all []plan.Plan) {
	for _, list := range without(p.Ops) {
		all = append(all, changed(p, func(q *plan.Plan) { q.Ops = list }))
	}
	return all
}

func fewerGroups(p plan.Plan) (all []plan.Plan) {
	for _, list := range without(p.Agents) {
		if len(list) > 0 {
			all = append(all, changed(p, func(q *plan.Plan) { q.Agents = list }))
		}
	}
	return all
}

func fewerAgents(p plan.Plan) (all []plan.Plan) {
	for i, a := range p.Agents {
		for _, count := range []int{1, a.Count / 2, a.Count - 1} {
			if count > 0 && count < a.Count {
				all = append(all, changed(p, func(q *plan.Plan) { q.Agents[i].Count = count }))
			}
		}
	}
	return all
}

// fewerServers keeps the first.
func fewerServers(p plan.Plan) (all []plan.Plan) {
	if len(p.Servers) < 2 {
		return nil
	}
	return []plan.Plan{changed(p, func(q *plan.Plan) {
		q.Servers = q.Servers[:1]
		q.Ops = slices.DeleteFunc(q.Ops, func(o plan.Op) bool { return o.Do == plan.DoFailover })
		for i := range q.Boxes {
			q.Boxes[i].Backends = slices.DeleteFunc(q.Boxes[i].Backends, func(name string) bool {
				return name != q.Servers[0].Name
			})
		}
	})}
}

// withoutBoxes takes a box away. Whoever called a balancer calls the first server.
func withoutBoxes(p plan.Plan) (all []plan.Plan) {
	for i, b := range p.Boxes {
		all = append(all, changed(p, func(q *plan.Plan) {
			q.Boxes = slices.Delete(q.Boxes, i, i+1)
			callServer(q, b.Name)
		}))
	}
	return all
}

// withoutPrograms does so with programs.
func withoutPrograms(p plan.Plan) (all []plan.Plan) {
	for i, g := range p.Programs {
		all = append(all, changed(p, func(q *plan.Plan) {
			q.Programs = slices.Delete(q.Programs, i, i+1)
			callServer(q, g.Name)
			for k := range q.Servers {
				q.Servers[k].ProxyProtocolFrom = nil
			}
			for k := range q.Agents {
				q.Agents[k].Proxy, q.Agents[k].Credentials = "", ""
			}
		}))
	}
	return all
}

func callServer(q *plan.Plan, inPlaceOf string) {
	for k := range q.Agents {
		if name, _, _ := net.SplitHostPort(q.Agents[k].Target); name == inPlaceOf {
			q.Agents[k].Target = "" // the first server
		}
	}
}

// withoutSites moves everything onto the first segment, or the machines of one segment alone.
func withoutSites(p plan.Plan) (all []plan.Plan) {
	if len(p.Nets) < 2 {
		return nil
	}
	first := p.Nets[0].Name
	for _, n := range p.Nets[1:] {
		all = append(all, changed(p, func(q *plan.Plan) {
			q.Nets = slices.DeleteFunc(q.Nets, func(one plan.Net) bool { return one.Name == n.Name })
			q.Edges = slices.DeleteFunc(q.Edges, func(e plan.Edge) bool { return e.From == n.Name })
			for i := range q.Edges {
				if q.Edges[i].To == n.Name {
					q.Edges[i].To = first
				}
			}
			for i := range q.Servers {
				move(&q.Servers[i].On, &q.Servers[i].Addr, n.Name, first)
			}
			for i := range q.Programs {
				move(&q.Programs[i].On, &q.Programs[i].Addr, n.Name, first)
			}
			for i := range q.Agents {
				move(&q.Agents[i].On, new(string), n.Name, first)
			}
		}))
	}
	return all
}

func move(on, addr *string, from, to string) {
	if *on == from {
		*on, *addr = to, ""
	}
}

// shorterPhases ends the phases soon after the last thing that the plan says, or halves them.
func shorterPhases(p plan.Plan) (all []plan.Plan) {
	const after = plan.Duration(30 * time.Second)
	last := plan.Duration(0)
	for _, o := range p.Ops {
		last = max(last, o.At+o.Lasts, o.Until)
	}
	for _, f := range p.Faults {
		last = max(last, f.At+f.For)
	}
	for _, safety := range []plan.Duration{last + after, p.Safety / 2} {
		if safety = whole(safety); safety < p.Safety {
			all = append(all, changed(p, func(q *plan.Plan) { q.Safety = safety }))
		}
	}
	if settle := settleFor(p); settle < p.Settle {
		all = append(all, changed(p, func(q *plan.Plan) { q.Settle = settle }))
	}
	return all
}

// whole rounds up to seconds.
func whole(d plan.Duration) plan.Duration {
	const second = plan.Duration(time.Second)
	return (d + second - 1) / second * second
}

// simplerOps lets people do less at a time.
func simplerOps(p plan.Plan) (all []plan.Plan) {
	for i, o := range p.Ops {
		add := func(does bool, change func(*plan.Op)) {
			if does {
				all = append(all, changed(p, func(q *plan.Plan) { change(&q.Ops[i]) }))
			}
		}
		const second = plan.Duration(time.Second)
		add(o.Every > 0, func(o *plan.Op) { o.Every, o.Until = 0, 0 })
		add(o.Do != plan.DoScript && o.Do != plan.DoCancel, func(o *plan.Op) { *o = plan.Op{At: o.At, Do: plan.DoScript} })
		add(o.Ignores, func(o *plan.Op) { o.Ignores = false })
		add(o.Exit != 0, func(o *plan.Op) { o.Exit = 0 })
		add(o.Limit > 0, func(o *plan.Op) { o.Limit = 0 })
		add(o.GivesUp > 0, func(o *plan.Op) { o.GivesUp = 0 })
		add(o.Restarts && !o.Reboot, func(o *plan.Op) { o.Restarts = false })
		add(o.Reboot, func(o *plan.Op) { o.Reboot, o.Restarts = false, false })
		add(o.Lines > 1, func(o *plan.Op) { o.Lines = 1 })
		add(o.Lines > 3, func(o *plan.Op) { o.Lines /= 2 })
		add(o.Lasts > second, func(o *plan.Op) { o.Lasts = second })
		add(o.Lasts > 2*second, func(o *plan.Op) { o.Lasts = whole(o.Lasts / 2) })
		add(o.Any > 1, func(o *plan.Op) { o.Any = 1 })
		add(o.Any > 0, func(o *plan.Op) { o.Any = 0 })
		add(o.KB > 1, func(o *plan.Op) { o.KB = 1 })
		add(o.Gives > 0, func(o *plan.Op) { o.Gives = 0 })
		add(o.Asks, func(o *plan.Op) { o.Asks = false })
		add(o.Guided, func(o *plan.Op) { o.Guided = false })
		add(o.Outputs, func(o *plan.Op) { o.Outputs = false })
		add(o.Turns, func(o *plan.Op) { o.Turns = false })
		add(o.Stumbles, func(o *plan.Op) { o.Stumbles, o.Retries = false, 0 })
		add(o.Retries > 0, func(o *plan.Op) { o.Retries = 0 })
		add(o.Repaints > 0, func(o *plan.Op) { o.Repaints = 0 })
		add(o.Breaks, func(o *plan.Op) { o.Breaks = false })
	}
	return all
}

// simplerFaults makes faults short and plain.
func simplerFaults(p plan.Plan) (all []plan.Plan) {
	for i, f := range p.Faults {
		add := func(does bool, change func(*plan.Fault)) {
			if does {
				all = append(all, changed(p, func(q *plan.Plan) { change(&q.Faults[i]) }))
			}
		}
		const second = plan.Duration(time.Second)
		add(f.Way != "", func(f *plan.Fault) { f.Way = "" })
		add(f.Nth > 1, func(f *plan.Fault) { f.Nth = 1 })
		add(f.Point != "", func(f *plan.Fault) { f.Point, f.Nth = "", 0 })
		add(f.For > second, func(f *plan.Fault) { f.For = second })
		add(f.For > 2*second, func(f *plan.Fault) { f.For = whole(f.For / 2) })
		add(f.Jitter > 0 && f.Delay > 0, func(f *plan.Fault) { f.Jitter = 0 })
	}
	return all
}

// simplerWires takes jitter, loss and rates away, first from all edges.
func simplerWires(p plan.Plan) (all []plan.Plan) {
	plain := plan.Wire{Latency: plan.Duration(10 * time.Millisecond)}
	all = append(all, changed(p, func(q *plan.Plan) {
		for i := range q.Edges {
			q.Edges[i].Wire = plain
		}
	}))
	for i, e := range p.Edges {
		if e.Wire != plain {
			all = append(all, changed(p, func(q *plan.Plan) { q.Edges[i].Wire = plain }))
		}
	}
	return all
}

// simplerGroups makes agents call, with nothing between.
func simplerGroups(p plan.Plan) (all []plan.Plan) {
	if p.Join {
		all = append(all, changed(p, func(q *plan.Plan) { q.Join = false }))
	}
	for i, a := range p.Agents {
		if a.Listening {
			all = append(all, changed(p, func(q *plan.Plan) { q.Agents[i].Listening = false }))
		}
	}
	return all
}

// earlier moves things to the beginning, then to whole tens of seconds.
func earlier(p plan.Plan) (all []plan.Plan) {
	const ten = plan.Duration(10 * time.Second)
	for _, round := range []func(plan.Duration) plan.Duration{
		func(d plan.Duration) plan.Duration { return whole(d / 2) },
		func(d plan.Duration) plan.Duration { return d / ten * ten },
	} {
		for i, o := range p.Ops {
			if at := round(o.At); at < o.At {
				all = append(all, changed(p, func(q *plan.Plan) { q.Ops[i].At = at }))
			}
		}
		for i, f := range p.Faults {
			if at := round(f.At); at < f.At {
				all = append(all, changed(p, func(q *plan.Plan) { q.Faults[i].At = at }))
			}
		}
	}
	return all
}

// smallerSeed tries the smallest ones.
func smallerSeed(p plan.Plan) (all []plan.Plan) {
	const few = 3
	for seed := range min(p.Seed, few) {
		all = append(all, changed(p, func(q *plan.Plan) { q.Seed = seed }))
	}
	return all
}
