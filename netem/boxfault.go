// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// edgeOf names the edge that a box lies on.
func (w *World) edgeOf(b Box) string {
	for _, e := range w.edges {
		if slices.Contains(e.boxes, b) {
			return e.name
		}
	}
	return "nowhere"
}

// Flush makes a NAT, Firewall, SecurityGroup, Balancer or Intercept forget all connections, as a
// reboot does. There is nothing to heal.
type Flush struct {
	Box interface {
		Box
		Flush()
	}
}

// Kind implements Fault.
func (f Flush) Kind() string { return "box.flush" }

func (f Flush) where(w *World) string { return w.edgeOf(f.Box) }

func (f Flush) applyLocked(*World) func() {
	f.Box.Flush()
	return func() {}
}

// NATIdle changes how long a NAT remembers quiet connections, those that it has already included.
type NATIdle struct {
	NAT  *NAT
	Idle time.Duration
}

// Kind implements Fault.
func (f NATIdle) Kind() string { return "nat.idle" }

func (f NATIdle) where(w *World) string { return w.edgeOf(f.NAT) }

func (f NATIdle) applyLocked(*World) func() { return f.NAT.idle.put(f.Idle) }

// NATPorts leaves a NAT no port for a new connection.
type NATPorts struct{ NAT *NAT }

// Kind implements Fault.
func (f NATPorts) Kind() string { return "nat.ports" }

func (f NATPorts) where(w *World) string { return w.edgeOf(f.NAT) }

func (f NATPorts) applyLocked(*World) func() {
	f.NAT.shut++
	return func() { f.NAT.shut-- }
}

// NATRebind gives a NAT another outer address: all connections are forgotten. Healing gives it the
// former one again, with the same loss.
type NATRebind struct {
	NAT    *NAT
	Public netip.Addr
}

// Kind implements Fault.
func (f NATRebind) Kind() string { return "nat.rebind" }

func (f NATRebind) where(w *World) string { return w.edgeOf(f.NAT) }

func (f NATRebind) applyLocked(*World) func() {
	old := f.NAT.spec.Public
	f.NAT.Rebind(f.Public)
	return func() { f.NAT.Rebind(old) }
}

// NATReuse makes a NAT forget all connections and give the ports that were in use to whoever comes
// first: another machine speaks from where the far end still remembers this one.
type NATReuse struct{ NAT *NAT }

// Kind implements Fault.
func (f NATReuse) Kind() string { return "nat.reuse" }

func (f NATReuse) where(w *World) string { return w.edgeOf(f.NAT) }

func (f NATReuse) applyLocked(*World) func() {
	used := slices.Sorted(maps.Keys(f.NAT.outer))
	f.NAT.Flush()
	if len(used) > 0 {
		f.NAT.next = used[0]
	}
	f.NAT.shuffled++
	return func() { f.NAT.shuffled-- }
}

// FirewallRules puts other rules in the place of a firewall's; RefuseAll is one such set. Existing
// holds them against connections that exist as well.
type FirewallRules struct {
	Firewall *Firewall
	Rules    []Rule
	Existing bool
}

// Kind implements Fault.
func (f FirewallRules) Kind() string { return "firewall.rules" }

func (f FirewallRules) where(w *World) string { return w.edgeOf(f.Firewall) }

func (f FirewallRules) applyLocked(*World) func() {
	undo := f.Firewall.rules.put(slices.Clone(f.Rules))
	if f.Existing {
		f.Firewall.forgetRefused()
	}
	return undo
}

// FirewallIdle changes how long a firewall remembers quiet connections.
type FirewallIdle struct {
	Firewall *Firewall
	Idle     time.Duration
}

// Kind implements Fault.
func (f FirewallIdle) Kind() string { return "firewall.idle" }

func (f FirewallIdle) where(w *World) string { return w.edgeOf(f.Firewall) }

func (f FirewallIdle) applyLocked(*World) func() { return f.Firewall.idle.put(f.Idle) }

// FirewallBlind leads one direction around a firewall: routes have become asymmetric.
type FirewallBlind struct {
	Firewall  *Firewall
	Direction Direction
}

// Kind implements Fault.
func (f FirewallBlind) Kind() string { return "firewall.blind" }

func (f FirewallBlind) where(w *World) string { return w.edgeOf(f.Firewall) }

func (f FirewallBlind) applyLocked(*World) func() {
	f.Firewall.blind[f.Direction]++
	return func() { f.Firewall.blind[f.Direction]-- }
}

// GroupRules puts other lists in the place of a security group's. Existing holds them against
// tracked connections as well.
type GroupRules struct {
	Group           *SecurityGroup
	Ingress, Egress []Allow
	Existing        bool
}

// Kind implements Fault.
func (f GroupRules) Kind() string { return "group.rules" }

func (f GroupRules) where(w *World) string { return w.edgeOf(f.Group) }

func (f GroupRules) applyLocked(*World) func() {
	ingress, egress := f.Group.Rules()
	f.Group.SetRules(f.Ingress, f.Egress, f.Existing)
	return func() { f.Group.SetRules(ingress, egress, false) }
}

// BalancerIdle changes how long a balancer remembers quiet connections.
type BalancerIdle struct {
	Balancer *Balancer
	Idle     time.Duration
}

// Kind implements Fault.
func (f BalancerIdle) Kind() string { return "balancer.idle" }

func (f BalancerIdle) where(w *World) string { return w.edgeOf(f.Balancer) }

func (f BalancerIdle) applyLocked(*World) func() { return f.Balancer.idle.put(f.Idle) }

// BalancerDrain deregisters a backend: no new connections, and after the spec's delay what the spec
// says. Healing registers it again.
type BalancerDrain struct {
	Balancer *Balancer
	Backend  netip.Addr
}

// Kind implements Fault.
func (f BalancerDrain) Kind() string { return "balancer.drain" }

func (f BalancerDrain) where(w *World) string { return w.edgeOf(f.Balancer) + " " + f.Backend.String() }

func (f BalancerDrain) applyLocked(w *World) func() {
	f.Balancer.Deregister(w.nowLocked(), f.Backend)
	return func() { f.Balancer.SetDraining(f.Backend, false) }
}

// BackendDown makes a balancer find a backend unhealthy; if Every is not zero, in turn unhealthy and
// healthy for as long. What SetHealthy says meanwhile holds when it is over.
type BackendDown struct {
	Balancer *Balancer
	Backend  netip.Addr
	Every    time.Duration
}

// Kind implements Fault.
func (f BackendDown) Kind() string { return "balancer.down" }

func (f BackendDown) where(w *World) string { return w.edgeOf(f.Balancer) + " " + f.Backend.String() }

func (f BackendDown) applyLocked(w *World) func() {
	healed, down := false, 0
	var turn func()
	turn = func() {
		if healed {
			return
		}
		f.Balancer.fail(f.Backend, 1-2*down)
		down = 1 - down
		w.askClocksLocked()
		if f.Every > 0 {
			w.laterLocked(f.Every, "flap "+f.Backend.String(), turn)
		}
	}
	turn()
	return func() {
		healed = true
		f.Balancer.fail(f.Backend, -down)
	}
}

// BalancerSkew sends all new connections to one backend as long as it is healthy.
type BalancerSkew struct {
	Balancer *Balancer
	Backend  netip.Addr
}

// Kind implements Fault.
func (f BalancerSkew) Kind() string { return "balancer.skew" }

func (f BalancerSkew) where(w *World) string { return w.edgeOf(f.Balancer) + " " + f.Backend.String() }

func (f BalancerSkew) applyLocked(*World) func() { return f.Balancer.favour.put(f.Backend) }

// BalancerHeader makes a balancer put a PROXY header before new connections, or leave it out,
// whatever its spec says.
type BalancerHeader struct {
	Balancer *Balancer
	On       bool
}

// Kind implements Fault.
func (f BalancerHeader) Kind() string { return "balancer.header" }

func (f BalancerHeader) where(w *World) string { return w.edgeOf(f.Balancer) }

func (f BalancerHeader) applyLocked(*World) func() { return f.Balancer.header.put(f.On) }

// BalancerHide makes a balancer hide the addresses of new clients, or show them.
type BalancerHide struct {
	Balancer *Balancer
	On       bool
}

// Kind implements Fault.
func (f BalancerHide) Kind() string { return "balancer.hide" }

func (f BalancerHide) where(w *World) string { return w.edgeOf(f.Balancer) }

func (f BalancerHide) applyLocked(*World) func() { return f.Balancer.hide.put(f.On) }
