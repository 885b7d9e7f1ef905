// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// The names of devices, which are the same in every namespace of their kind.
const (
	hostDevice  = "eth0"
	innerDevice = "in"
	outerDevice = "out"
	bridge      = "br0"
)

// drawing is a topology with all that was left open decided.
type drawing struct {
	segments []Segment
	hosts    []Host
	edges    []*edge
	names    map[string]netip.Addr
	cables   []cable
	// ports are the bridge ports by what they lead to: a host or an edge.
	ports map[string]port
}

type edge struct {
	Edge
	routers []router
}

// router is a namespace that routes: a box, or the bare router of an edge without one.
type router struct {
	name         string
	box          Box
	inner, outer netip.Addr
}

// end is a device in a node's namespace.
type end struct{ node, device string }

// port is a device of a segment's bridge.
type port struct{ segment, device string }

// cable connects two devices.
type cable struct {
	a, b  end
	delay time.Duration // one way; 0 needs no help by this process
}

// draw decides addresses and connections. t was checked.
func draw(t Topology) (*drawing, error) {
	d := &drawing{segments: t.Segments, names: maps.Clone(t.Names), ports: map[string]port{}}
	if d.names == nil {
		d.names = map[string]netip.Addr{}
	}
	free := newAddresses(t)
	for _, h := range t.Hosts {
		if !h.Addr.IsValid() {
			var err error
			if h.Addr, err = free.host(d.segment(h.Segment)); err != nil {
				return nil, err
			}
		}
		d.hosts, d.names[h.Name] = append(d.hosts, h), h.Addr
		d.plug(h.Name, end{h.Name, hostDevice}, h.Segment, h.Delay)
	}
	pairs := 0
	for _, e := range t.Edges {
		if err := d.edge(e, free, &pairs); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *drawing) segment(name string) Segment {
	for _, s := range d.segments {
		if s.Name == name {
			return s
		}
	}
	return Segment{}
}

// plug connects a device to a segment's bridge.
func (d *drawing) plug(what string, e end, segment string, delay time.Duration) {
	p := port{segment, fmt.Sprintf("p%d", len(d.cables))}
	d.ports[what] = p
	d.cables = append(d.cables, cable{a: e, b: end{segment, p.device}, delay: delay})
}

func (d *drawing) edge(spec Edge, free *addresses, pairs *int) error {
	e := &edge{Edge: spec}
	if len(spec.Boxes) == 0 {
		e.routers = []router{{name: spec.Name}}
	}
	for _, b := range spec.Boxes {
		e.routers = append(e.routers, router{name: b.Name, box: b})
	}
	last := len(e.routers) - 1
	var err error
	if e.routers[0].inner, err = free.gateway(d.segment(spec.Inner)); err != nil {
		return err
	}
	if e.routers[last].outer = e.routers[last].box.owns(); !e.routers[last].outer.IsValid() {
		if e.routers[last].outer, err = free.gateway(d.segment(spec.Outer)); err != nil {
			return err
		}
	}
	d.plug(spec.Name+" inside", end{e.routers[0].name, innerDevice}, spec.Inner, 0)
	for i := range last {
		e.routers[i].outer, e.routers[i+1].inner = transit(*pairs)
		*pairs++
		d.cables = append(d.cables, cable{
			a: end{e.routers[i].name, outerDevice}, b: end{e.routers[i+1].name, innerDevice},
		})
	}
	d.plug(spec.Name, end{e.routers[last].name, outerDevice}, spec.Outer, spec.Delay)
	d.edges = append(d.edges, e)
	return nil
}

// nodes lists what gets a namespace.
func (d *drawing) nodes() (names []string) {
	for _, s := range d.segments {
		names = append(names, s.Name)
	}
	for _, h := range d.hosts {
		names = append(names, h.Name)
	}
	for _, e := range d.edges {
		for _, r := range e.routers {
			names = append(names, r.name)
		}
	}
	return names
}

// makeLines are the `ip` commands that make a veth pair. space names the namespace of a node.
func (c cable) makeLines(space func(string) string) []string {
	return []string{fmt.Sprintf("link add %s netns %s type veth peer name %s netns %s",
		c.a.device, space(c.a.node), c.b.device, space(c.b.node))}
}

// setUp maps each node to the `ip` commands inside its namespace, once all devices are there.
func (d *drawing) setUp() map[string][]string {
	lines := map[string][]string{}
	for _, s := range d.segments {
		lines[s.Name] = []string{"link add " + bridge + " type bridge forward_delay 0", "link set " + bridge + " up"}
	}
	for _, what := range slices.Sorted(maps.Keys(d.ports)) {
		p := d.ports[what]
		lines[p.segment] = append(lines[p.segment], p.attach()...)
	}
	for _, h := range d.hosts {
		lines[h.Name] = d.hostLines(h)
	}
	for _, e := range d.edges {
		for n, r := range e.routers {
			lines[r.name] = d.routerLines(e, n)
		}
	}
	return lines
}

func (p port) attach() []string {
	return []string{"link set " + p.device + " master " + bridge, "link set " + p.device + " up"}
}

func (d *drawing) hostLines(h Host) []string {
	lines := []string{
		"link set lo up", fmt.Sprintf("addr add %s/32 dev %s", h.Addr, hostDevice), "link set " + hostDevice + " up",
	}
	return append(lines, routeLines(d.hostRoutes(h.Segment))...)
}

func (d *drawing) routerLines(e *edge, n int) []string {
	r := e.routers[n]
	lines := []string{
		"link set lo up",
		fmt.Sprintf("addr add %s/32 dev %s", r.inner, innerDevice), "link set " + innerDevice + " up",
		fmt.Sprintf("addr add %s/32 dev %s", r.outer, outerDevice), "link set " + outerDevice + " up",
	}
	if a := r.box.owns(); a.IsValid() && a != r.outer {
		lines = append(lines, fmt.Sprintf("addr add %s/32 dev %s", a, outerDevice))
	}
	if n > 0 {
		lines = append(lines, fmt.Sprintf("route add %s/32 dev %s scope link", e.routers[n-1].outer, innerDevice))
	}
	if n < len(e.routers)-1 {
		lines = append(lines, fmt.Sprintf("route add %s/32 dev %s scope link", e.routers[n+1].inner, outerDevice))
		return append(lines, routeLines(d.routerRoutes(e, n))...)
	}
	for _, before := range e.routers[:n] {
		if a := before.box.owns(); a.IsValid() { // the outer segment asks the last router for it
			lines = append(lines, fmt.Sprintf("neigh add proxy %s dev %s", a, outerDevice))
		}
	}
	return append(lines, routeLines(d.routerRoutes(e, n))...)
}

// routeLines puts direct routes first: the kernel wants to know how a hop is reached.
func routeLines(routes []route) (lines []string) {
	for _, direct := range []bool{true, false} {
		for _, r := range routes {
			switch {
			case direct && !r.hop.IsValid():
				lines = append(lines, fmt.Sprintf("route add %s dev %s scope link", r.to, r.device))
			case !direct && r.hop.IsValid():
				lines = append(lines, fmt.Sprintf("route add %s via %s dev %s onlink", r.to, r.hop, r.device))
			}
		}
	}
	return lines
}

// hostsFile is what names resolve to on every host.
func (d *drawing) hostsFile() string {
	var out strings.Builder
	out.WriteString("127.0.0.1 localhost\n")
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		fmt.Fprintf(&out, "%s %s\n", d.names[name], name)
	}
	return out.String()
}
