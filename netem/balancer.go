// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Zone is the part of a balancer in one availability zone.
type Zone struct {
	VIP      netip.Addr
	Backends []netip.Addr
}

// BalancerSpec describes a layer 4 balancer at the edge of its backends' segment: it passes TCP
// through without looking inside.
type BalancerSpec struct {
	// VIP is where the world connects to, on any port.
	VIP      netip.Addr
	Backends []netip.Addr
	// Zones are for a balancer with an address in each of several zones, in the place of VIP and
	// Backends. A zone's address leads to the zone's backends alone unless CrossZone is set.
	Zones     []Zone
	CrossZone bool
	// Idle is how long a quiet connection is remembered; 0 means 350 s, as AWS's network balancer.
	Idle time.Duration
	// Expired is what a packet of a forgotten connection gets: Reset as AWS does, or Silence, the
	// default. Rehash takes it for a new one instead: while the backends are the same it comes to the
	// same backend, as with balancers that remember little.
	Expired Action
	Rehash  bool
	// ResetBoth sends RST to both ends at the moment when an open connection is forgotten.
	ResetBoth bool
	// NoBackend is what a new connection gets when no backend is healthy: Silence unless set. FailOpen
	// takes all backends for healthy when none is.
	NoBackend Action
	FailOpen  bool
	// UnhealthyReset sends RST to both ends of the connections of a backend that is found unhealthy.
	UnhealthyReset bool
	// DrainDelay is how long connections outlive the deregistration of their backend, with
	// CutDrained; without, they live on.
	DrainDelay time.Duration
	CutDrained bool
	// HideSource puts the VIP in the place of the address that the backends see. Without it a backend
	// does not reach itself through the balancer.
	HideSource bool
	// ProxyV2 puts a PROXY header of version 2 before the client's first bytes.
	ProxyV2 bool
}

// defaultBalancerIdle is AWS's. Source: Elastic Load Balancing, "Network Load Balancers", idle timeout.
const defaultBalancerIdle = 350 * time.Second

// Balancer is a Box that spreads the connections to one address over several machines. It does not
// look whether they live: a program tells it by SetHealthy.
type Balancer struct {
	spec    BalancerSpec
	down    map[netip.Addr]bool
	drain   map[netip.Addr]bool
	cuts    map[netip.Addr]time.Duration // when the connections to a drained backend end
	flows   map[flowKey]*balanced
	back    map[flowKey]*balanced // the same by what the backend sees
	opened  uint64
	next    uint16        // port for a hidden source
	due     time.Duration // no open connection is forgotten earlier; 0 for none
	pending []Speech
	// What faults do.
	failed map[netip.Addr]int
	idle   overrides[time.Duration]
	favour overrides[netip.Addr]
	header overrides[bool]
	hide   overrides[bool]
}

type flowKey struct{ client, server netip.AddrPort }

type balanced struct {
	session
	number        uint64 // in the order of opening
	front, behind flowKey
	header        []byte // goes before the first bytes of the client
	inserted      bool
}

// NewBalancer makes a balancer whose backends are all healthy.
func NewBalancer(s BalancerSpec) *Balancer {
	s.Idle = cmp.Or(s.Idle, defaultBalancerIdle)
	if len(s.Zones) == 0 {
		s.Zones = []Zone{{VIP: s.VIP, Backends: s.Backends}}
	}
	b := &Balancer{
		spec: s, down: map[netip.Addr]bool{}, drain: map[netip.Addr]bool{}, cuts: map[netip.Addr]time.Duration{},
		failed: map[netip.Addr]int{},
	}
	b.Flush()
	return b
}

// Flush forgets all connections.
func (b *Balancer) Flush() {
	b.flows, b.back, b.next, b.due = map[flowKey]*balanced{}, map[flowKey]*balanced{}, defaultFirstPort, 0
}

// Backends lists the backends of all zones.
func (b *Balancer) Backends() (list []netip.Addr) {
	for _, z := range b.spec.Zones {
		list = append(list, z.Backends...)
	}
	return list
}

// Addrs lists the addresses of zones that have a healthy backend, as the balancer's DNS name does;
// all of them if none has.
func (b *Balancer) Addrs() (list []netip.Addr) {
	all := make([]netip.Addr, 0, len(b.spec.Zones))
	for _, z := range b.spec.Zones {
		all = append(all, z.VIP)
		if slices.ContainsFunc(z.Backends, b.good) {
			list = append(list, z.VIP)
		}
	}
	if len(list) == 0 {
		return all
	}
	return list
}

// SetHealthy says what a health check found. Connections to an unhealthy backend go on, unless the
// spec says UnhealthyReset.
func (b *Balancer) SetHealthy(backend netip.Addr, healthy bool) {
	was := b.sick(backend)
	b.down[backend] = !healthy
	b.judged(backend, was)
}

// fail counts the faults that make a backend seem dead, whatever a health check finds.
func (b *Balancer) fail(backend netip.Addr, faults int) {
	was := b.sick(backend)
	b.failed[backend] += faults
	b.judged(backend, was)
}

func (b *Balancer) sick(backend netip.Addr) bool { return b.down[backend] || b.failed[backend] > 0 }

// judged resets the connections of a backend that has become unhealthy, if the spec says so.
func (b *Balancer) judged(backend netip.Addr, was bool) {
	if !b.sick(backend) || was || !b.spec.UnhealthyReset {
		return
	}
	for _, f := range b.flowsOf(backend) {
		b.pending = append(b.pending, f.resets(f.ends())...)
		b.forget(f)
	}
}

// SetDraining keeps new connections away from a backend.
func (b *Balancer) SetDraining(backend netip.Addr, draining bool) {
	b.drain[backend] = draining
	delete(b.cuts, backend)
}

// Deregister begins to drain a backend. After the spec's DrainDelay its connections are cut off if
// the spec says so.
func (b *Balancer) Deregister(now time.Duration, backend netip.Addr) {
	b.drain[backend] = true
	if b.spec.CutDrained {
		b.cuts[backend] = max(now+b.spec.DrainDelay, 1) // 0 means never
	}
}

// CutOff forgets the connections to a backend, as at the end of draining. Packets of them get what
// Expired says.
func (b *Balancer) CutOff(backend netip.Addr) {
	for _, f := range b.flowsOf(backend) {
		b.forget(f)
	}
}

// Flows counts remembered connections, stale ones included.
func (b *Balancer) Flows() int { return len(b.flows) }

// Owns implements Box.
func (b *Balancer) Owns(a netip.Addr) bool {
	return slices.ContainsFunc(b.spec.Zones, func(z Zone) bool { return z.VIP == a })
}

// claims takes what a backend sends to a client in its own segment.
func (b *Balancer) claims(p *Packet) bool { return b.back[flowKey{p.To, p.From}] != nil }

// Forward implements Box.
func (b *Balancer) Forward(now time.Duration, d Direction, p *Packet) Verdict {
	switch {
	case d == Inward && b.Owns(p.To.Addr()):
		return b.toBackend(now, p)
	case d == Inward:
		return Verdict{}
	}
	return b.toClient(now, p)
}

func (b *Balancer) toBackend(now time.Duration, p *Packet) Verdict {
	f := b.alive(now, b.flows[flowKey{p.From, p.To}])
	if f != nil && p.Kind.Opens() && f.phase >= halfClosed { // the client uses a port again
		b.forget(f)
		f = nil
	}
	if f == nil {
		if !p.Kind.Opens() && !b.spec.Rehash {
			return b.forgot()
		}
		var v Verdict
		if f, v = b.open(p); f == nil {
			return v
		}
	}
	b.touch(now, f, p, Inward)
	f.insert(p)
	p.From, p.To = f.behind.client, f.behind.server
	return Verdict{}
}

func (b *Balancer) toClient(now time.Duration, p *Packet) Verdict {
	f := b.back[flowKey{p.To, p.From}]
	if f == nil {
		inside := b.flows[flowKey{p.From, p.To}] != nil // a client in the backends' segment
		if b.Owns(p.To.Addr()) && !p.Kind.Opens() && !inside && !b.spec.Rehash {
			return b.forgot()
		}
		return Verdict{} // the backend's own business with the world
	}
	if b.alive(now, f) == nil {
		if !b.spec.Rehash {
			return b.forgot()
		}
		b.remember(f)
	}
	b.touch(now, f, p, Outward)
	f.remove(p)
	p.From, p.To = f.front.server, f.front.client
	return Verdict{}
}

func (b *Balancer) forgot() Verdict {
	return Verdict{Action: refusal(b.spec.Expired), Why: "balancer forgot"}
}

// open chooses a backend for a connection.
func (b *Balancer) open(p *Packet) (*balanced, Verdict) {
	key := flowKey{p.From, p.To}
	backend, ok := b.pick(key)
	if !ok {
		return nil, Verdict{Action: refusal(b.spec.NoBackend), Why: "balancer has no backend"}
	}
	f := &balanced{front: key, behind: flowKey{p.From, netip.AddrPortFrom(backend, p.To.Port())}}
	f.opener = Inward
	switch {
	case b.hide.or(b.spec.HideSource):
		f.behind.client = b.source(key.server.Addr(), f.behind.server)
	case key.client.Addr() == backend:
		return nil, Verdict{Action: Silence, Why: "balancer hairpin"}
	}
	if b.header.or(b.spec.ProxyV2) {
		f.header, f.inserted = ProxyHeader(2, key.client, key.server), !p.Kind.Opens()
	}
	b.opened++
	f.number = b.opened
	b.remember(f)
	return f, Verdict{}
}

func (b *Balancer) remember(f *balanced) { b.flows[f.front], b.back[f.behind] = f, f }

func (b *Balancer) forget(f *balanced) {
	delete(b.flows, f.front)
	delete(b.back, f.behind)
}

// insert puts the header before the client's first bytes; all later ones follow it.
func (f *balanced) insert(p *Packet) {
	switch {
	case len(f.header) == 0:
	case p.Kind.Opens():
		f.inserted = false
	case p.seq > 0:
		p.seq += uint64(len(f.header))
	case p.Kind == data:
		f.inserted = true
		p.data, p.Size = slices.Concat(f.header, p.data), p.Size+len(f.header)
	}
}

// remove takes the header out of what the backend says of the client's bytes.
func (f *balanced) remove(p *Packet) {
	n := uint64(len(f.header))
	if f.inserted {
		p.ack -= min(p.ack, n)
	}
	p.edge -= min(p.edge, n)
}

func (f *balanced) ends() ends {
	return ends{inner: f.behind.server, innerPeer: f.behind.client, outer: f.front.client, outerPeer: f.front.server}
}

func (b *Balancer) touch(now time.Duration, f *balanced, p *Packet, d Direction) {
	f.touch(now, p, d)
	if b.spec.ResetBoth && f.phase == open {
		b.due = earlier(b.due, b.overAt(f))
	}
}

func (b *Balancer) lifetimes() lifetimes {
	idle := b.idle.or(b.spec.Idle)
	return lifetimes{
		established: idle, transitory: min(idle, defaultTransitory), Aging: Aging{SynSent: idle, SynReceived: idle},
	}
}

func (b *Balancer) overAt(f *balanced) time.Duration {
	l := b.lifetimes()
	return f.used + l.of(&f.session) + 1
}

// alive returns the connection unless it is to be forgotten.
func (b *Balancer) alive(now time.Duration, f *balanced) *balanced {
	if f == nil {
		return nil
	}
	if l := b.lifetimes(); l.over(now, &f.session) {
		b.forget(f)
		return nil
	}
	return f
}

// Next implements Timed.
func (b *Balancer) Next() (time.Duration, bool) {
	if len(b.pending) > 0 {
		return 0, true
	}
	at := b.due
	for _, cut := range b.cuts {
		at = earlier(at, cut)
	}
	return at, at != 0
}

// Expire implements Timed: it ends the connections of drained backends and forgets aloud.
func (b *Balancer) Expire(now time.Duration) []Speech {
	out := b.pending
	b.pending = nil
	for _, backend := range slices.SortedFunc(maps.Keys(b.cuts), netip.Addr.Compare) {
		if b.cuts[backend] <= now {
			delete(b.cuts, backend)
			b.CutOff(backend)
		}
	}
	if b.due == 0 || b.due > now {
		return out
	}
	b.due = 0
	for _, f := range b.inOrder(func(f *balanced) bool { return f.phase == open }) {
		if at := b.overAt(f); at > now {
			b.due = earlier(b.due, at)
			continue
		}
		out = append(out, f.resets(f.ends())...)
		b.forget(f)
	}
	return out
}

// inOrder lists connections in the order in which they were opened.
func (b *Balancer) inOrder(want func(*balanced) bool) (list []*balanced) {
	for _, f := range b.flows {
		if want(f) {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(x, y *balanced) int { return cmp.Compare(x.number, y.number) })
	return list
}

func (b *Balancer) flowsOf(backend netip.Addr) []*balanced {
	return b.inOrder(func(f *balanced) bool { return f.behind.server.Addr() == backend })
}

func (b *Balancer) good(a netip.Addr) bool { return !b.sick(a) && !b.drain[a] }

// candidates are the backends that a zone's address leads to.
func (b *Balancer) candidates(vip netip.Addr) []netip.Addr {
	if b.spec.CrossZone {
		return b.Backends()
	}
	i := slices.IndexFunc(b.spec.Zones, func(z Zone) bool { return z.VIP == vip })
	return b.spec.Zones[i].Backends
}

// pick chooses a backend by a hash of the flow and the backend, so that one more or one less moves
// few connections.
func (b *Balancer) pick(key flowKey) (netip.Addr, bool) {
	if a := b.favour.or(netip.Addr{}); a.IsValid() && b.good(a) {
		return a, true
	}
	var list []netip.Addr
	anyway := b.spec.FailOpen && !slices.ContainsFunc(b.Backends(), b.good)
	for _, a := range b.candidates(key.server.Addr()) {
		if anyway || b.good(a) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return netip.Addr{}, false
	}
	weight := func(a netip.Addr) uint64 { return nameKey(key.client.String(), key.server.String(), a.String()) }
	return slices.MaxFunc(list, func(x, y netip.Addr) int { return cmp.Compare(weight(x), weight(y)) }), true
}

// source is a port of the VIP that is not in use toward a backend.
func (b *Balancer) source(vip netip.Addr, backend netip.AddrPort) netip.AddrPort {
	for {
		at := netip.AddrPortFrom(vip, b.next)
		if b.next++; b.next < defaultFirstPort {
			b.next = defaultFirstPort
		}
		if b.back[flowKey{at, backend}] == nil || len(b.back) >= defaultLastPort-defaultFirstPort {
			return at
		}
	}
}
