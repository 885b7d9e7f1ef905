// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net/netip"
	"slices"
)

// maxHops bounds a path, so that a loop of routes ends.
const maxHops = 16

// Net is one segment: a LAN, a VPC, the internet.
type Net struct {
	w      *World
	index  int
	name   string
	prefix netip.Prefix
	hosts  map[netip.Addr]*Host
	edges  []*Edge
	claims []*Edge // with a box that takes packets between hosts of this segment
	ways   []*Edge // the first edge on the way to each segment; nil until somebody asks
}

// Net adds a segment whose hosts have addresses in prefix; 0.0.0.0/0 suits the internet.
func (w *World) Net(name string, prefix netip.Prefix) *Net {
	w.lock()
	defer w.mu.Unlock()
	n := &Net{w: w, index: len(w.nets), name: name, prefix: prefix, hosts: map[netip.Addr]*Host{}}
	w.nets = append(w.nets, n)
	w.forgetWaysLocked()
	return n
}

// Edge leads from one segment to another, through boxes.
type Edge struct {
	w            *World
	index        int
	name         string
	inner, outer *Net
	up, down     wire
	boxes        []Box
	clocks       []*boxClock
}

// Join connects two segments. A packet from inner to outer meets the boxes in order, one that
// comes back in reverse order.
func (w *World) Join(inner, outer *Net, l Link, boxes ...Box) *Edge {
	w.lock()
	defer w.mu.Unlock()
	e := &Edge{
		w: w, index: len(w.edges), name: inner.name + "-" + outer.name, inner: inner, outer: outer,
		up: wire{spec: l.Up}, down: wire{spec: l.Down}, boxes: boxes,
	}
	e.clocks = clocksOf(e)
	w.clocks = append(w.clocks, e.clocks...)
	if slices.ContainsFunc(boxes, func(b Box) bool { _, is := b.(claimer); return is }) {
		inner.claims = append(inner.claims, e)
	}
	w.edges = append(w.edges, e)
	inner.edges, outer.edges = append(inner.edges, e), append(outer.edges, e)
	w.forgetWaysLocked()
	return e
}

// owns reports whether a box of the edge answers for the address.
func (e *Edge) owns(a netip.Addr) bool {
	for _, b := range e.boxes {
		if b.Owns(a) {
			return true
		}
	}
	return false
}

func (e *Edge) far(from *Net) *Net {
	if from == e.inner {
		return e.outer
	}
	return e.inner
}

// toward returns the first edge on a shortest way from n to the segment that has the address, or
// nil. Of two as short the one that was joined first is taken.
func (w *World) toward(n *Net, a netip.Addr) *Edge {
	goal := w.netOf(a)
	if goal == nil || goal == n {
		return nil
	}
	if n.ways == nil {
		n.ways = w.waysFrom(n)
	}
	return n.ways[goal.index]
}

func (w *World) waysFrom(n *Net) []*Edge {
	first := make([]*Edge, len(w.nets))
	seen := make([]bool, len(w.nets))
	seen[n.index] = true
	for at := []*Net{n}; len(at) > 0; at = at[1:] {
		for _, e := range at[0].edges {
			next := e.far(at[0])
			if seen[next.index] {
				continue
			}
			seen[next.index] = true
			if first[next.index] = first[at[0].index]; first[next.index] == nil {
				first[next.index] = e
			}
			at = append(at, next)
		}
	}
	return first
}

func (w *World) forgetWaysLocked() {
	for _, n := range w.nets {
		n.ways = nil
	}
}

// netOf is the segment with the longest prefix that contains the address, or nil.
func (w *World) netOf(a netip.Addr) (best *Net) {
	for _, n := range w.nets {
		if n.prefix.Contains(a) && (best == nil || n.prefix.Bits() > best.prefix.Bits()) {
			best = n
		}
	}
	return best
}
