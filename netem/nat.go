// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net/netip"
	"time"
)

// Behaviour is how much of the far end a NAT looks at. Source: RFC 4787, RFC 5382.
type Behaviour uint8

// The behaviours, from the most to the least permissive.
const (
	EndpointIndependent Behaviour = iota
	AddressDependent
	AddressPortDependent
)

// part is what a behaviour looks at.
func (b Behaviour) part(far netip.AddrPort) netip.AddrPort {
	switch b {
	case EndpointIndependent:
		return netip.AddrPort{}
	case AddressDependent:
		return netip.AddrPortFrom(far.Addr(), 0)
	}
	return far
}

const (
	// defaultEstablished and defaultTransitory are RFC 5382's minima: 2 h 4 min and 4 min.
	defaultEstablished = 124 * time.Minute
	defaultTransitory  = 4 * time.Minute
	defaultFirstPort   = 1024
	defaultLastPort    = 65535
)

// NATSpec describes a NAT. Public is required; zero times and ports take the RFC's values.
type NATSpec struct {
	Public             netip.Addr
	Mapping, Filtering Behaviour
	// Established and Transitory are how long an idle connection is remembered: one that was
	// answered, and one that is opening or closing.
	Established, Transitory time.Duration
	// FirstPort and LastPort are the outer ports to give away.
	FirstPort, LastPort uint16
	// Expired is what a packet from inside of a forgotten connection gets: Silence, Reset, or Pass,
	// the zero value, which takes it for a new one with perhaps another port (Linux's
	// nf_conntrack_tcp_loose).
	Expired Action
	// Full is what a new connection gets when no port is left: Silence unless set.
	Full Action
}

// NAT is a Box that shares one outer address among the machines inside.
type NAT struct {
	spec  NATSpec
	next  uint16
	inner map[innerKey]*mapping
	outer map[uint16]*mapping
}

type innerKey struct{ from, far netip.AddrPort }

type mapping struct {
	key      innerKey
	port     uint16
	sessions map[netip.AddrPort]*session
}

// session is one connection through a mapping.
type session struct {
	used     time.Duration
	answered bool
	ending   bool
}

// NewNAT makes a NAT with an empty table.
func NewNAT(s NATSpec) *NAT {
	n := &NAT{}
	n.Become(s)
	return n
}

// Become replaces the box by another one with an empty table.
func (n *NAT) Become(s NATSpec) {
	if s.Established == 0 {
		s.Established = defaultEstablished
	}
	if s.Transitory == 0 {
		s.Transitory = min(defaultTransitory, s.Established)
	}
	if s.FirstPort == 0 {
		s.FirstPort = defaultFirstPort
	}
	if s.LastPort == 0 {
		s.LastPort = defaultLastPort
	}
	n.spec = s
	n.Flush()
}

// Flush forgets all connections, as a reboot does.
func (n *NAT) Flush() {
	n.next, n.inner, n.outer = n.spec.FirstPort, map[innerKey]*mapping{}, map[uint16]*mapping{}
}

// Rebind gives the NAT another outer address and forgets all connections.
func (n *NAT) Rebind(public netip.Addr) {
	n.spec.Public = public
	n.Flush()
}

// Mappings counts the outer ports in use, forgotten ones included that nobody asked for again.
func (n *NAT) Mappings() int { return len(n.outer) }

// Owns implements Box.
func (n *NAT) Owns(a netip.Addr) bool { return a == n.spec.Public }

// Forward implements Box.
func (n *NAT) Forward(now time.Duration, d Direction, p *Packet) Verdict {
	if d == Outward {
		return n.outward(now, p)
	}
	return n.inward(now, p)
}

func (n *NAT) outward(now time.Duration, p *Packet) Verdict {
	key := innerKey{p.From, n.spec.Mapping.part(p.To)}
	m := n.inner[key]
	var s *session
	if m != nil {
		s = n.session(now, m, p.To)
	}
	if s == nil && !p.Kind.Opens() && n.spec.Expired != Pass {
		return Verdict{Action: n.spec.Expired, Why: "nat forgot"}
	}
	if m = n.inner[key]; m == nil { // its last session may just have been forgotten
		if m = n.open(now, key); m == nil {
			return Verdict{Action: refusal(n.spec.Full), Why: "nat out of ports"}
		}
	}
	if s == nil {
		s = &session{}
		m.sessions[p.To] = s
	}
	s.touch(now, p, false)
	p.From = netip.AddrPortFrom(n.spec.Public, m.port)
	return Verdict{}
}

func (n *NAT) inward(now time.Duration, p *Packet) Verdict {
	if p.To.Addr() != n.spec.Public {
		return Verdict{Action: Silence, Why: "nat no way in"}
	}
	m := n.outer[p.To.Port()]
	if m == nil {
		return Verdict{Action: Silence, Why: "nat no mapping"}
	}
	s := n.session(now, m, p.From)
	switch {
	case n.outer[m.port] == nil:
		return Verdict{Action: Silence, Why: "nat forgot"}
	case s == nil && (!p.Kind.Opens() || !n.admits(now, m, p.From)):
		return Verdict{Action: Silence, Why: "nat filter"}
	case s == nil:
		s = &session{}
		m.sessions[p.From] = s
	}
	s.touch(now, p, true)
	p.To = m.key.from
	return Verdict{}
}

// admits reports whether a new connection from outside may use a mapping.
func (n *NAT) admits(now time.Duration, m *mapping, from netip.AddrPort) bool {
	for far, s := range m.sessions {
		if n.spec.Filtering.part(far) == n.spec.Filtering.part(from) && !n.over(now, s) {
			return true
		}
	}
	return false
}

func (s *session) touch(now time.Duration, p *Packet, inward bool) {
	if p.Kind.Opens() {
		*s = session{}
	}
	s.used = max(s.used, now)
	s.answered = s.answered || inward
	s.ending = s.ending || p.Kind.Ends()
}

func (n *NAT) over(now time.Duration, s *session) bool {
	if s.answered && !s.ending {
		return now-s.used > n.spec.Established
	}
	return now-s.used > n.spec.Transitory
}

// session returns a connection of a mapping that is not forgotten yet. A mapping without any goes.
func (n *NAT) session(now time.Duration, m *mapping, far netip.AddrPort) *session {
	s := m.sessions[far]
	if s == nil || !n.over(now, s) {
		return s
	}
	n.prune(now, m)
	return nil
}

func (n *NAT) prune(now time.Duration, m *mapping) {
	for far, s := range m.sessions {
		if n.over(now, s) {
			delete(m.sessions, far)
		}
	}
	if len(m.sessions) == 0 {
		delete(n.inner, m.key)
		delete(n.outer, m.port)
	}
}

// open gives a new mapping the port of the inner side if it is free, else the next free one.
func (n *NAT) open(now time.Duration, key innerKey) *mapping {
	m := &mapping{key: key, port: key.from.Port(), sessions: map[netip.AddrPort]*session{}}
	if !n.free(now, m.port) {
		found := false
		for range int(n.spec.LastPort) - int(n.spec.FirstPort) + 1 {
			m.port = n.next
			if n.next++; n.next > n.spec.LastPort || n.next < n.spec.FirstPort {
				n.next = n.spec.FirstPort
			}
			if found = n.free(now, m.port); found {
				break
			}
		}
		if !found {
			return nil
		}
	}
	n.inner[key], n.outer[m.port] = m, m
	return m
}

func (n *NAT) free(now time.Duration, port uint16) bool {
	if port < n.spec.FirstPort || port > n.spec.LastPort {
		return false
	}
	if m := n.outer[port]; m != nil {
		n.prune(now, m)
	}
	return n.outer[port] == nil
}
