// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"fairlead/internal/errkind"
	"fairlead/netem/netns"
	"fairlead/sim/plan"
)

// Unsupported tells everything in a plan that cannot be had for real, nil when all can.
func Unsupported(p plan.Plan) error {
	var found []error
	add := func(yes bool, format string, args ...any) {
		if yes {
			found = append(found, fmt.Errorf(format, args...))
		}
	}
	add(len(p.Programs) > 0, "programs in the network")
	add(p.Join, "joining over the network")
	wires := map[string]plan.Wire{}
	for _, e := range p.Edges {
		wires["edge "+e.Name()] = e.Wire
	}
	for _, s := range p.Servers {
		wires["server "+s.Name] = s.Wire
		add(len(s.ProxyProtocolFrom) > 0, "server %s: PROXY headers", s.Name)
	}
	for _, a := range p.Agents {
		wires["agents "+a.Name] = a.Wire
		add(a.Listening || a.Proxy != "", "agents %s: listening, or through a proxy", a.Name)
	}
	for _, what := range slices.Sorted(maps.Keys(wires)) {
		w := wires[what]
		add(w.Jitter != 0 || w.Loss != 0 || w.Rate != 0 || w.MTU != 0, "%s: a wire with more than latency", what)
	}
	for _, b := range p.Boxes {
		add(b.Preset != "" || b.States != 0, "box %s: presets and limits of states", b.Name)
		add(b.Idle.D()%time.Second != 0, "box %s: idle %s: the kernel counts whole seconds", b.Name, b.Idle)
	}
	for i, op := range p.Ops {
		known := slices.Contains([]string{plan.DoScript, plan.DoRestart, plan.DoFailover}, op.Do)
		add(!known || op.Every != 0 || op.Any != 0, "op %d: %s, or more than once, or on any", i+1, op.Do)
		add(op.Reboot || op.Restarts || op.Limit != 0, "op %d: reboot, restarts or limit", i+1)
	}
	for i, f := range p.Faults {
		_, known := faults[f.Kind]
		add(!known || f.Point != "", "fault %d: %s, or at a point", i+1, f.Kind)
	}
	if len(found) == 0 {
		return nil
	}
	return errkind.Invalid.Errorf("plan %q has what is not there for real: %w", p.Name, errors.Join(found...))
}

// Topology makes a network of a plan.
func Topology(p plan.Plan) (netns.Topology, error) {
	t := netns.Topology{Names: map[string]netip.Addr{}}
	for _, n := range p.Nets {
		prefix, err := netip.ParsePrefix(n.Prefix)
		if err != nil {
			return t, errkind.Invalid.Errorf("net %s: %w", n.Name, err)
		}
		t.Segments = append(t.Segments, netns.Segment{Name: n.Name, Prefix: prefix})
	}
	for _, s := range p.Servers {
		h := netns.Host{Name: s.Name, Segment: s.On, Delay: s.Latency.D()}
		if s.Addr != "" {
			var err error
			if h.Addr, err = netip.ParseAddr(s.Addr); err != nil {
				return t, errkind.Invalid.Errorf("server %s: %w", s.Name, err)
			}
		}
		t.Hosts = append(t.Hosts, h)
	}
	for _, a := range p.Agents {
		for _, name := range machines(plan.Plan{Agents: []plan.Agents{a}}, "") {
			t.Hosts = append(t.Hosts, netns.Host{Name: name, Segment: a.On, Delay: a.Latency.D()})
		}
	}
	for _, e := range p.Edges {
		edge := netns.Edge{Name: e.Name(), Inner: e.From, Outer: e.To, Delay: e.Latency.D()}
		for _, name := range e.Boxes {
			box, err := boxOf(p, name)
			if err != nil {
				return t, errkind.Invalid.Errorf("box %s: %w", name, err)
			}
			if box.Balancer != nil {
				t.Names[name] = box.Balancer.Address
			}
			edge.Boxes = append(edge.Boxes, box)
		}
		t.Edges = append(t.Edges, edge)
	}
	return t, nil
}

func boxOf(p plan.Plan, name string) (box netns.Box, err error) {
	at := slices.IndexFunc(p.Boxes, func(b plan.Box) bool { return b.Name == name })
	if at < 0 {
		return box, errors.New("there is none by that name")
	}
	b := p.Boxes[at]
	box = netns.Box{Name: name, Idle: b.Idle.D(), Stray: reaction(b.Expired)}
	switch b.Kind {
	case plan.NAT:
		box.NAT, err = natOf(b)
	case plan.Firewall, plan.SecurityGroup:
		box.Firewall, err = firewallOf(b)
	case plan.Balancer:
		box.Balancer, err = balancerOf(p, b)
	default:
		err = fmt.Errorf("kind %q", b.Kind)
	}
	return box, err
}

func reaction(word string) netns.Reaction {
	switch word {
	case "reset":
		return netns.Reset
	case "unreachable":
		return netns.Unreachable
	case "pass":
		return netns.Pass
	}
	return netns.Silence
}

func natOf(b plan.Box) (*netns.NAT, error) {
	public, err := netip.ParseAddr(b.Public)
	n := &netns.NAT{Public: public}
	if err == nil && b.Ports != "" {
		n.FirstPort, n.LastPort, err = plan.ParsePorts(b.Ports)
	}
	return n, err
}

func firewallOf(b plan.Box) (*netns.Firewall, error) {
	f := &netns.Firewall{Refuse: reaction(b.Refuse)}
	for _, way := range []struct {
		texts []string
		rules *[]netns.Rule
	}{{b.Out, &f.Out}, {b.In, &f.In}} {
		for _, text := range way.texts {
			r, err := plan.ParseRule(text)
			if err != nil {
				return nil, err
			}
			*way.rules = append(*way.rules, netns.Rule(r))
		}
	}
	return f, nil
}

func balancerOf(p plan.Plan, b plan.Box) (*netns.Balancer, error) {
	address, err := netip.ParseAddr(b.Public)
	if err != nil {
		return nil, err
	}
	v := &netns.Balancer{
		Address: address, HideClient: b.HideClient, Check: b.Check.D(), CheckPort: plan.LinkPort, Up: b.Up, Down: b.Down,
	}
	for _, name := range b.Backends {
		at := slices.IndexFunc(p.Servers, func(s plan.Server) bool { return s.Name == name })
		if at < 0 || p.Servers[at].Addr == "" {
			return nil, fmt.Errorf("backend %s: want a server with an address of its own", name)
		}
		backend, err := netip.ParseAddr(p.Servers[at].Addr)
		if err != nil {
			return nil, err
		}
		v.Backends = append(v.Backends, backend)
	}
	return v, nil
}
