// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net/netip"
	"time"
)

// BalancerSpec describes a layer 4 balancer at the edge of its backends' segment: it passes TCP
// through without looking inside.
type BalancerSpec struct {
	// VIP is where the world connects to, on any port.
	VIP      netip.Addr
	Backends []netip.Addr
	// Idle is how long a quiet connection is remembered; 0 means 350 s, as AWS's network balancer.
	Idle time.Duration
	// Expired is what a packet of a forgotten connection gets: Reset as AWS does, or Silence, the
	// default.
	Expired Action
	// NoBackend is what a new connection gets when no backend is healthy: Silence unless set.
	NoBackend Action
	// HideSource puts the VIP in the place of the address that the backends see.
	HideSource bool
}

// defaultBalancerIdle is AWS's. Source: Elastic Load Balancing, "Network Load Balancers", idle timeout.
const defaultBalancerIdle = 350 * time.Second

// Balancer is a Box that spreads the connections to one address over several machines.
type Balancer struct {
	spec  BalancerSpec
	down  map[netip.Addr]bool
	drain map[netip.Addr]bool
	flows map[flowKey]*balanced
	back  map[flowKey]*balanced // the same by what the backend sees
	next  uint16                // port for a hidden source
}

type flowKey struct{ client, server netip.AddrPort }

type balanced struct {
	session
	front, behind flowKey
}

// NewBalancer makes a balancer whose backends are all healthy.
func NewBalancer(s BalancerSpec) *Balancer {
	if s.Idle == 0 {
		s.Idle = defaultBalancerIdle
	}
	b := &Balancer{spec: s, down: map[netip.Addr]bool{}, drain: map[netip.Addr]bool{}}
	b.Flush()
	return b
}

// Flush forgets all connections.
func (b *Balancer) Flush() {
	b.flows, b.back, b.next = map[flowKey]*balanced{}, map[flowKey]*balanced{}, defaultFirstPort
}

// SetHealthy says what a health check found. Connections to an unhealthy backend go on.
func (b *Balancer) SetHealthy(backend netip.Addr, healthy bool) { b.down[backend] = !healthy }

// SetDraining keeps new connections away from a backend.
func (b *Balancer) SetDraining(backend netip.Addr, draining bool) { b.drain[backend] = draining }

// CutOff forgets the connections to a backend, as at the end of draining. Packets of them get what
// Expired says.
func (b *Balancer) CutOff(backend netip.Addr) {
	for _, f := range b.flows {
		if f.behind.server.Addr() == backend {
			b.forget(f)
		}
	}
}

// Flows counts remembered connections, stale ones included.
func (b *Balancer) Flows() int { return len(b.flows) }

// Owns implements Box.
func (b *Balancer) Owns(a netip.Addr) bool { return a == b.spec.VIP }

// Forward implements Box.
func (b *Balancer) Forward(now time.Duration, d Direction, p *Packet) Verdict {
	if d == Inward {
		if p.To.Addr() != b.spec.VIP {
			return Verdict{}
		}
		return b.toBackend(now, p)
	}
	return b.toClient(now, p)
}

func (b *Balancer) toBackend(now time.Duration, p *Packet) Verdict {
	key := flowKey{p.From, p.To}
	f := b.alive(now, b.flows[key])
	if f == nil {
		if !p.Kind.Opens() {
			return Verdict{Action: refusal(b.spec.Expired), Why: "balancer forgot"}
		}
		backend, ok := b.pick(key)
		if !ok {
			return Verdict{Action: refusal(b.spec.NoBackend), Why: "balancer has no backend"}
		}
		f = &balanced{front: key, behind: flowKey{p.From, netip.AddrPortFrom(backend, p.To.Port())}}
		if b.spec.HideSource {
			f.behind.client = b.source(f.behind.server)
		}
		b.flows[key], b.back[f.behind] = f, f
	}
	f.touch(now, p, false)
	p.From, p.To = f.behind.client, f.behind.server
	return Verdict{}
}

func (b *Balancer) toClient(now time.Duration, p *Packet) Verdict {
	key := flowKey{p.To, p.From}
	f := b.back[key]
	if f == nil {
		if p.To.Addr() == b.spec.VIP {
			return Verdict{Action: refusal(b.spec.Expired), Why: "balancer forgot"}
		}
		return Verdict{} // the backend's own business with the world
	}
	if b.alive(now, f) == nil {
		return Verdict{Action: refusal(b.spec.Expired), Why: "balancer forgot"}
	}
	f.touch(now, p, true)
	p.From, p.To = f.front.server, f.front.client
	return Verdict{}
}

func (b *Balancer) alive(now time.Duration, f *balanced) *balanced {
	if f == nil {
		return nil
	}
	idle := b.spec.Idle
	if f.ending {
		idle = min(idle, defaultTransitory)
	}
	if now-f.used > idle {
		b.forget(f)
		return nil
	}
	return f
}

func (b *Balancer) forget(f *balanced) {
	delete(b.flows, f.front)
	delete(b.back, f.behind)
}

// pick chooses a backend by a hash of the flow, as flow-hash balancers do.
func (b *Balancer) pick(key flowKey) (netip.Addr, bool) {
	var good []netip.Addr
	for _, a := range b.spec.Backends {
		if !b.down[a] && !b.drain[a] {
			good = append(good, a)
		}
	}
	if len(good) == 0 {
		return netip.Addr{}, false
	}
	return good[nameKey(key.client.String(), key.server.String())%uint64(len(good))], true
}

// source is a port of the VIP that is not in use toward a backend.
func (b *Balancer) source(backend netip.AddrPort) netip.AddrPort {
	for {
		at := netip.AddrPortFrom(b.spec.VIP, b.next)
		if b.next++; b.next < defaultFirstPort {
			b.next = defaultFirstPort
		}
		if b.back[flowKey{at, backend}] == nil || len(b.back) >= defaultLastPort-defaultFirstPort {
			return at
		}
	}
}
