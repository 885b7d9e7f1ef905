// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fairlead/sim/plan"
)

// maxLegs bounds the programs and balancers on the way to a server, so that a plan in which two lead
// to each other ends all the same.
const maxLegs = 8

// Route is the way that an agent's line takes through a site, as the plan has it.
type Route struct {
	Edges    []plan.Edge
	Boxes    []plan.Box
	Programs []plan.Program
	// Server is where it ends; "" when a program on the way answers by itself.
	Server string
	// Sure is false where a balancer chooses between unlike ends.
	Sure bool
}

// RouteOf follows the line of a group of agents.
func RouteOf(p plan.Plan, a plan.Agents) Route {
	w := &walk{plan: p, route: Route{Sure: true}, at: a.On}
	if via, err := url.Parse(a.Proxy); err == nil && a.Proxy != "" {
		w.pass(via.Hostname())
	}
	w.to(a.Target, maxLegs)
	return w.route
}

// Names lists the edges, boxes, programs and the server on the way.
func (r Route) Names() (names []string) {
	for _, e := range r.Edges {
		names = append(names, e.Name())
	}
	for _, b := range r.Boxes {
		names = append(names, b.Name)
	}
	for _, g := range r.Programs {
		names = append(names, g.Name)
	}
	if r.Server != "" {
		names = append(names, r.Server)
	}
	return names
}

// EndsTLS returns the program on the way that ends TLS; ok is false when nobody does.
func (r Route) EndsTLS() (g plan.Program, ok bool) {
	i := slices.IndexFunc(r.Programs, endsTLS)
	if i < 0 || !r.Sure {
		return g, false
	}
	return r.Programs[i], true
}

func endsTLS(g plan.Program) bool {
	switch g.Kind {
	case plan.HTTPBalancer, plan.TLSListener, plan.TLSInspector, plan.CaptivePortal:
		return true
	}
	return false
}

// walk goes from segment to segment.
type walk struct {
	plan  plan.Plan
	route Route
	at    string
}

// pass goes through a proxy.
func (w *walk) pass(name string) {
	for _, g := range w.plan.Programs {
		if g.Name == name {
			w.go1(g.On, "")
			w.route.Programs = append(w.route.Programs, g)
		}
	}
}

// to goes on to host:port and behind what stands there.
func (w *walk) to(target string, legs int) {
	host, port, _ := strings.Cut(target, ":")
	for _, s := range w.plan.Servers {
		if s.Name == host || s.Addr == host && host != "" {
			w.go1(s.On, port)
			w.route.Server = s.Name
			return
		}
	}
	if legs == 0 {
		return
	}
	for _, g := range w.plan.Programs {
		if g.Name == host || g.Addr == host && host != "" {
			w.go1(g.On, port)
			w.route.Programs = append(w.route.Programs, g)
			w.one(g.To, port, legs)
			return
		}
	}
	for _, b := range w.plan.Boxes {
		if b.Kind == plan.Balancer && (b.Name == host || b.Public == host) {
			w.one(b.Backends, port, legs)
			return
		}
	}
}

// one goes on to the first of several like ends.
func (w *walk) one(ends []string, port string, legs int) {
	if len(ends) == 0 {
		return
	}
	isServer := func(end string) bool {
		host, _, _ := strings.Cut(end, ":")
		return slices.ContainsFunc(w.plan.Servers, func(s plan.Server) bool { return s.Name == host || s.Addr == host })
	}
	for _, end := range ends[1:] {
		w.route.Sure = w.route.Sure && isServer(end) == isServer(ends[0])
	}
	next := ends[0]
	if !strings.Contains(next, ":") {
		next += ":" + port
	}
	w.to(next, legs-1)
}

// go1 takes the edges to a segment, and meets whoever takes connections on them to himself.
func (w *walk) go1(segment, port string) {
	for _, e := range w.shortest(segment) {
		w.route.Edges = append(w.route.Edges, e)
		for _, name := range e.Boxes {
			i := slices.IndexFunc(w.plan.Boxes, func(b plan.Box) bool { return b.Name == name })
			if i >= 0 {
				w.route.Boxes = append(w.route.Boxes, w.plan.Boxes[i])
			}
		}
		for _, g := range w.plan.Programs {
			if g.Takes == e.Name() && takes(g, port) {
				w.route.Programs = append(w.route.Programs, g)
			}
		}
	}
	w.at = segment
}

func takes(g plan.Program, port string) bool {
	number, err := strconv.Atoi(port)
	return len(g.Ports) == 0 || err == nil && slices.Contains(g.Ports, number)
}

// shortest is the way with the fewest edges; nil when there is none, or none is needed.
func (w *walk) shortest(to string) []plan.Edge {
	ways := map[string][]plan.Edge{w.at: {}}
	for queue := []string{w.at}; len(queue) > 0; queue = queue[1:] {
		here := queue[0]
		if here == to {
			return ways[here]
		}
		for _, e := range w.plan.Edges {
			next := ""
			switch here {
			case e.From:
				next = e.To
			case e.To:
				next = e.From
			}
			if _, been := ways[next]; next != "" && !been {
				ways[next] = append(slices.Clone(ways[here]), e)
				queue = append(queue, next)
			}
		}
	}
	return nil
}
