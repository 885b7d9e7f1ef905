// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
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
	// Established and Transitory are how long an idle connection is remembered: one that is open,
	// and one that is opening or closing, as far as Aging says nothing else.
	Established, Transitory time.Duration
	Aging                   Aging
	// FirstPort and LastPort are the outer ports to give away.
	FirstPort, LastPort uint16
	// Expired is what a packet from inside of a forgotten connection gets: Silence, Reset, or Pass,
	// the zero value, which takes it for a new one with perhaps another port (Linux's
	// nf_conntrack_tcp_loose).
	Expired Action
	// ResetBoth sends RST to both ends at the moment when an open connection is forgotten.
	ResetBoth bool
	// Full is what a new connection gets when no port is left: Silence unless set.
	Full Action
}

// NAT is a Box that shares one outer address among the machines inside.
type NAT struct {
	spec  NATSpec
	next  uint16
	inner map[innerKey]*mapping
	outer map[uint16]*mapping
	flows map[innerKey]*mapping // by connection: the far end is whole
	due   time.Duration         // no open connection is forgotten earlier; 0 for none
	// What faults do.
	idle     overrides[time.Duration]
	shut     int // no port for new connections
	shuffled int // ports are given away in turn, whatever the inner one is
}

type innerKey struct{ from, far netip.AddrPort }

type mapping struct {
	key      innerKey
	port     uint16
	sessions map[netip.AddrPort]*session
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
	s.FirstPort = cmp.Or(s.FirstPort, defaultFirstPort)
	s.LastPort = cmp.Or(s.LastPort, defaultLastPort)
	n.spec = s
	n.Flush()
}

// Flush forgets all connections, as a reboot does.
func (n *NAT) Flush() {
	n.next, n.due = n.spec.FirstPort, 0
	n.inner, n.outer, n.flows = map[innerKey]*mapping{}, map[uint16]*mapping{}, map[innerKey]*mapping{}
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
	m := n.flow(now, p.From, p.To)
	if m == nil && !p.Kind.Opens() && n.spec.Expired != Pass {
		return Verdict{Action: n.spec.Expired, Why: "nat forgot"}
	}
	if m == nil {
		key := innerKey{p.From, n.spec.Mapping.part(p.To)}
		if m = n.inner[key]; m != nil {
			n.prune(now, m)
			m = n.inner[key]
		}
		if m == nil {
			m = n.open(now, key)
		}
		if m == nil {
			return Verdict{Action: refusal(n.spec.Full), Why: "nat out of ports"}
		}
		n.begin(m, p.To, Outward)
	}
	n.touch(now, m.sessions[p.To], p, Outward)
	p.From = netip.AddrPortFrom(n.spec.Public, m.port)
	return Verdict{}
}

// flow is the mapping of a connection that is not forgotten yet, or nil. It need not be the one that the
// connection would get if it began now: somebody outside may have begun it.
func (n *NAT) flow(now time.Duration, inner, far netip.AddrPort) *mapping {
	m := n.flows[innerKey{inner, far}]
	if m == nil || n.session(now, m, far) == nil {
		return nil
	}
	return m
}

func (n *NAT) begin(m *mapping, far netip.AddrPort, d Direction) {
	m.sessions[far] = newSession(d)
	n.flows[innerKey{m.key.from, far}] = m
}

func (n *NAT) end(m *mapping, far netip.AddrPort) {
	delete(m.sessions, far)
	delete(n.flows, innerKey{m.key.from, far})
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
	case s == nil && n.flow(now, m.key.from, p.From) != nil:
		return Verdict{Action: Silence, Why: "nat clash"} // the two ends have a connection by another port
	case s == nil:
		n.begin(m, p.From, Inward)
	}
	n.touch(now, m.sessions[p.From], p, Inward)
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

func (n *NAT) touch(now time.Duration, s *session, p *Packet, d Direction) {
	s.touch(now, p, d)
	if n.spec.ResetBoth && s.phase == open {
		n.due = earlier(n.due, n.overAt(s))
	}
}

func (n *NAT) lifetimes() lifetimes {
	return lifetimes{n.idle.or(n.spec.Established), min(n.spec.Transitory, n.idle.or(n.spec.Transitory)), n.spec.Aging}
}

func (n *NAT) over(now time.Duration, s *session) bool {
	l := n.lifetimes()
	return l.over(now, s)
}

// overAt is the first instant at which a session is forgotten.
func (n *NAT) overAt(s *session) time.Duration {
	l := n.lifetimes()
	return s.used + l.of(s) + 1
}

// earlier is the earlier of two times of which 0 means never.
func earlier(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Next implements Timed.
func (n *NAT) Next() (time.Duration, bool) { return n.due, n.due != 0 }

// Expire implements Timed: open connections that are over are forgotten aloud.
func (n *NAT) Expire(now time.Duration) (out []Speech) {
	n.due = 0
	for _, port := range slices.Sorted(maps.Keys(n.outer)) {
		m := n.outer[port]
		for _, far := range slices.SortedFunc(maps.Keys(m.sessions), netip.AddrPort.Compare) {
			s := m.sessions[far]
			switch {
			case s.phase != open:
			case n.over(now, s):
				public := netip.AddrPortFrom(n.spec.Public, port)
				out = append(out, s.resets(ends{m.key.from, far, far, public})...)
				n.end(m, far)
			default:
				n.due = earlier(n.due, n.overAt(s))
			}
		}
		n.prune(now, m)
	}
	return out
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
			n.end(m, far)
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
	if n.shut > 0 {
		return nil
	}
	if n.shuffled > 0 || !n.free(now, m.port) {
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
