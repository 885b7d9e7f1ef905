// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
	"net/netip"
	"time"
)

// Aging is how long a box remembers a quiet connection that is not open, by how far it has come. A
// zero field takes the box's Transitory. The names are those of Linux's nf_conntrack_tcp_timeout_….
type Aging struct {
	SynSent, SynReceived time.Duration // no answer yet; answered, and the answer not acknowledged
	HalfClosed, TimeWait time.Duration // FIN from one end; from both
	Closed               time.Duration // after RST
	// Unacknowledged shortens the life of an open connection as long as bytes wait for an answer; 0
	// leaves it as it is.
	Unacknowledged time.Duration
}

// lifetimes is Aging with what its zero fields stand for.
type lifetimes struct {
	established, transitory time.Duration
	Aging
}

// phase is how far a connection has come, as a box in the middle can tell.
type phase uint8

const (
	opening phase = iota
	answered
	open
	halfClosed
	timeWait
	closed
)

// session is what a box remembers of one connection.
type session struct {
	used   time.Duration
	opener Direction // the way of the packet that it began with
	phase  phase
	ended  uint8 // by direction, a bit each: FIN has passed
	owing  uint8 // bytes have passed, and no packet the other way since
	// What a packet about the connection is known by in the trace, and who sends outward.
	stream, key uint64
	inner       int
}

func newSession(d Direction) *session { return &session{opener: d} }

// back is the other direction.
func (d Direction) back() Direction { return 1 - d }

func (d Direction) bit() uint8 { return 1 << d }

// touch takes a packet that passes.
func (s *session) touch(now time.Duration, p *Packet, d Direction) {
	if p.Kind.Opens() {
		*s = session{opener: d, used: s.used}
	}
	s.used = max(s.used, now)
	s.stream, s.key, s.inner = p.stream, p.key, p.side
	if d == Inward {
		s.inner = 1 - p.side
	}
	s.owing &^= d.back().bit()
	if p.Kind == data {
		s.owing |= d.bit()
	}
	switch {
	case p.Kind == rst:
		s.phase = closed
	case p.Kind == fin:
		s.ended |= d.bit()
		s.phase = max(s.phase, halfClosed)
		if s.ended == Outward.bit()|Inward.bit() {
			s.phase = max(s.phase, timeWait)
		}
	case s.phase == opening && d != s.opener && p.Kind == synAck:
		s.phase = answered
	case s.phase == opening && d != s.opener, s.phase == answered && d == s.opener:
		s.phase = open
	}
}

// of is how long a session is remembered from its last packet on.
func (l *lifetimes) of(s *session) time.Duration {
	switch s.phase {
	case opening:
		return cmp.Or(l.SynSent, l.transitory)
	case answered:
		return cmp.Or(l.SynReceived, l.transitory)
	case halfClosed:
		return cmp.Or(l.HalfClosed, l.transitory)
	case timeWait:
		return cmp.Or(l.TimeWait, l.transitory)
	case closed:
		return cmp.Or(l.Closed, l.transitory)
	}
	if s.owing != 0 && l.Unacknowledged > 0 {
		return min(l.established, l.Unacknowledged)
	}
	return l.established
}

func (l *lifetimes) over(now time.Duration, s *session) bool { return now-s.used > l.of(s) }

// ends are the addresses of a connection on both sides of a box: what the inner machine and the
// outer one believe the other to be.
type ends struct {
	inner, innerPeer netip.AddrPort
	outer, outerPeer netip.AddrPort
}

// resets is RST to both ends of a connection.
func (s *session) resets(e ends) []Speech {
	p := Packet{Kind: rst, stream: s.stream, key: s.key, number: spokenNumber}
	in, out := p, p
	in.From, in.To, in.side = e.innerPeer, e.inner, 1-s.inner
	out.From, out.To, out.side = e.outerPeer, e.outer, s.inner
	return []Speech{{Packet: in, Direction: Inward}, {Packet: out, Direction: Outward}}
}

// overrides are values that faults put in the place of another one. The latest counts.
type overrides[T any] struct{ list []*T }

func (o *overrides[T]) put(v T) (remove func()) {
	mine := &v
	o.list = append(o.list, mine)
	return func() {
		for i, p := range o.list {
			if p == mine {
				o.list = append(o.list[:i:i], o.list[i+1:]...)
				return
			}
		}
	}
}

func (o *overrides[T]) or(v T) T {
	if n := len(o.list); n > 0 {
		return *o.list[n-1]
	}
	return v
}
