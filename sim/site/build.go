// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"net/netip"

	"fairlead/internal/errkind"
	"fairlead/netem"
	"fairlead/sim/plan"
)

// internetBase is where addresses of the whole world begin here. Source: RFC 2544, 198.18.0.0/15.
func internetBase() netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, 10}) }

// firstHost is the place of the first machine in a segment.
const firstHost = 10

// build makes the network: segments first, then servers and programs, as boxes name them, then
// boxes and edges, then agents.
func (s *site) build() error {
	for _, n := range s.plan.Nets {
		s.nets[n.Name] = s.world.Net(n.Name, netip.MustParsePrefix(n.Prefix))
	}
	for _, spec := range s.plan.Servers {
		if err := s.addServer(spec); err != nil {
			return err
		}
	}
	if err := s.addPrograms(); err != nil {
		return err
	}
	if err := s.buildEdges(); err != nil {
		return err
	}
	var err error
	if s.desk, err = s.newDesk(); err != nil {
		return err
	}
	for _, group := range s.plan.Agents {
		for i := range group.Count {
			if err := s.addAgent(group, i+1); err != nil {
				return err
			}
		}
	}
	for _, name := range s.plan.Copies() {
		if err := s.addCopy(s.byName[name]); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) buildEdges() error {
	for _, b := range s.plan.Boxes {
		box, err := s.makeBox(b)
		if err != nil {
			return err
		}
		s.boxes[b.Name] = box
	}
	for _, e := range s.plan.Edges {
		var boxes []netem.Box
		for _, name := range e.Boxes {
			boxes = append(boxes, s.boxes[name])
		}
		boxes = append(boxes, s.intercepts(e.Name())...)
		s.edges[e.Name()] = s.world.Join(s.nets[e.From], s.nets[e.To], link(e.Wire), boxes...)
	}
	return nil
}

// host adds a machine to the network.
func (s *site) host(name, on, addr string, w plan.Wire) (*netem.Host, error) {
	at, err := s.address(on, addr)
	if err != nil {
		return nil, errkind.Invalid.Errorf("machine %s: %w", name, err)
	}
	h := s.nets[on].Host(name, netem.HostSpec{Addr: at, Link: link(w), KeepAlive: keepAlive()})
	s.hosts[name] = h
	return h, nil
}

// address is the one that was asked for, or the next free one of a segment.
func (s *site) address(on, asked string) (netip.Addr, error) {
	if asked != "" {
		return netip.ParseAddr(asked)
	}
	var prefix netip.Prefix
	for _, n := range s.plan.Nets {
		if n.Name == on {
			prefix = netip.MustParsePrefix(n.Prefix)
		}
	}
	base := prefix.Masked().Addr()
	if prefix.Bits() == 0 {
		base = internetBase()
	}
	for {
		at := plus(base, firstHost+s.next[on])
		s.next[on]++
		if !prefix.Contains(at) {
			return at, errkind.Exhausted.Errorf("segment %s (%s) has no address left", on, prefix)
		}
		if !s.taken(at) {
			return at, nil
		}
	}
}

// taken reports whether the plan gives an address to something else.
func (s *site) taken(at netip.Addr) bool {
	asked := []string{}
	for _, b := range s.plan.Boxes {
		asked = append(asked, b.Public, b.CheckFrom)
	}
	for _, v := range s.plan.Servers {
		asked = append(asked, v.Addr)
	}
	for _, g := range s.plan.Programs {
		asked = append(asked, g.Addr)
	}
	for _, text := range asked {
		if other, err := netip.ParseAddr(text); err == nil && other == at {
			return true
		}
	}
	return false
}

func plus(a netip.Addr, n int) netip.Addr {
	b := a.As4()
	value := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	value += uint32(n)
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)})
}

func link(w plan.Wire) netem.Link {
	return netem.Symmetric(netem.LinkSpec{
		Latency: netem.Dist{Least: w.Latency.D(), Spread: w.Jitter.D()}, Loss: w.Loss, Rate: int64(w.Rate), MTU: w.MTU,
	})
}
