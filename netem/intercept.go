// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net/netip"
	"slices"
	"time"
)

// InterceptSpec describes a box that leads connections astray without their knowledge.
type InterceptSpec struct {
	// To is the program that gets them, on a host in either segment of the edge. What that host opens
	// itself is left alone.
	To netip.AddrPort
	// Ports are far ports whose connections are taken; none means all.
	Ports []uint16
	// Idle is how long a quiet connection is remembered; 0 means 5 days, as Linux's.
	Idle time.Duration
}

// Intercept is a Box that redirects new connections from inside to an interceptor, which learns by
// Conn.OriginalDst where they were meant to go. Both ends see the address that was dialled.
type Intercept struct {
	spec  InterceptSpec
	flows map[flowKey]*redirected
	back  map[netip.AddrPort]*redirected // by client
}

type redirected struct {
	session
	key flowKey // the server is the one that was dialled
}

// claimer is a Box that takes packets between hosts of its inner segment as well.
type claimer interface{ claims(p *Packet) bool }

// NewIntercept makes an intercepting box.
func NewIntercept(s InterceptSpec) *Intercept {
	if s.Idle == 0 {
		s.Idle = defaultFirewallIdle
	}
	i := &Intercept{spec: s}
	i.Flush()
	return i
}

// Flush forgets all connections. Their packets go where they were meant to, which knows nothing of
// them.
func (i *Intercept) Flush() {
	i.flows, i.back = map[flowKey]*redirected{}, map[netip.AddrPort]*redirected{}
}

// Flows counts remembered connections, stale ones included.
func (i *Intercept) Flows() int { return len(i.flows) }

// Owns implements Box.
func (i *Intercept) Owns(netip.Addr) bool { return false }

// claims takes the interceptor's answers to its neighbours.
func (i *Intercept) claims(p *Packet) bool { return p.From == i.spec.To && i.back[p.To] != nil }

// Forward implements Box.
func (i *Intercept) Forward(now time.Duration, d Direction, p *Packet) Verdict {
	if p.From == i.spec.To {
		if f := i.back[p.To]; f != nil {
			f.touch(now, p, Inward)
			p.From = f.key.server
		}
		return Verdict{}
	}
	if d == Inward || p.From.Addr() == i.spec.To.Addr() || p.To.Addr() == i.spec.To.Addr() {
		return Verdict{}
	}
	key := flowKey{p.From, p.To}
	f := i.flows[key]
	if f == nil || i.over(now, f) {
		if !p.Kind.Opens() || len(i.spec.Ports) > 0 && !slices.Contains(i.spec.Ports, p.To.Port()) {
			return Verdict{}
		}
		f = i.open(key)
	}
	f.touch(now, p, Outward)
	p.original, p.To = p.To, i.spec.To
	return Verdict{}
}

func (i *Intercept) over(now time.Duration, f *redirected) bool {
	l := lifetimes{i.spec.Idle, min(i.spec.Idle, defaultTransitory), Aging{}}
	return l.over(now, &f.session)
}

// open remembers a connection. One that the same port of the client had before is over for it.
func (i *Intercept) open(key flowKey) *redirected {
	if old := i.back[key.client]; old != nil {
		delete(i.flows, old.key)
	}
	f := &redirected{key: key}
	i.flows[key], i.back[key.client] = f, f
	return f
}

// OriginalDst is the address that the other end dialled when an Intercept led it here, as
// SO_ORIGINAL_DST tells. ok is false for a connection that was meant to come here.
func (c *Conn) OriginalDst() (dst netip.AddrPort, ok bool) { return c.original, c.original.IsValid() }
