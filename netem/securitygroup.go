// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net/netip"
	"slices"
	"time"
)

// Allow lets connections through a security group: those with a peer in Peer, to the ports from
// FirstPort to LastPort of whoever is dialled. A Peer that is not set is everybody, a FirstPort of 0
// every port, a LastPort of 0 FirstPort alone.
type Allow struct {
	Peer                netip.Prefix
	FirstPort, LastPort uint16
}

// everybody reports whether the entry names no peers.
func (a Allow) everybody() bool { return !a.Peer.IsValid() || a.Peer.Bits() == 0 }

func (a Allow) rule(d Direction) Rule {
	r := Rule{Direction: d, FirstPort: a.FirstPort, LastPort: a.LastPort, Action: Pass}
	if d == Outward {
		r.To = a.Peer
	} else {
		r.From = a.Peer
	}
	return r
}

// SecurityGroupSpec describes a cloud's security group around the machines of the inner segment:
// what is not allowed is dropped without a word.
type SecurityGroupSpec struct {
	Ingress []Allow
	// Egress nil allows everything, as a new group does; an empty list allows nothing.
	Egress []Allow
	// HealthChecks are sources that Ingress does not hold for: a balancer's own probes.
	HealthChecks []netip.Prefix
	// Idle is how long a quiet connection is remembered; 0 means 5 days.
	Idle time.Duration
}

// SecurityGroup is a Box that is a Firewall with lists of what is allowed. It remembers a connection
// unless everybody may open it and the answers to everybody are allowed by themselves: such a one
// is not tracked. A change of the lists leaves tracked connections alone, and ends the others.
type SecurityGroup struct {
	firewall        *Firewall
	ingress, egress []Allow
	checks          []netip.Prefix
}

// NewSecurityGroup makes a security group with an empty table.
func NewSecurityGroup(s SecurityGroupSpec) *SecurityGroup {
	g := &SecurityGroup{checks: slices.Clone(s.HealthChecks), firewall: NewFirewall(FirewallSpec{
		Out: Silence, In: Silence, Stray: Silence, Idle: s.Idle,
	})}
	g.SetRules(s.Ingress, s.Egress, false)
	return g
}

// SetRules changes what is allowed; egress nil allows everything. Tracked connections go on, unless
// existing is set: then those that are not allowed any more end.
func (g *SecurityGroup) SetRules(ingress, egress []Allow, existing bool) {
	if egress == nil {
		egress = []Allow{{}}
	}
	g.ingress, g.egress = slices.Clone(ingress), slices.Clone(egress)
	g.firewall.SetRules(g.rules(), existing)
}

// Rules returns what is allowed.
func (g *SecurityGroup) Rules() (ingress, egress []Allow) {
	return slices.Clone(g.ingress), slices.Clone(g.egress)
}

func (g *SecurityGroup) rules() (list []Rule) {
	for _, from := range g.checks {
		list = append(list, Allow{Peer: from}.rule(Inward))
	}
	for _, a := range g.ingress {
		list = append(list, a.rule(Inward))
	}
	for _, a := range g.egress {
		list = append(list, a.rule(Outward))
	}
	return list
}

// Flush forgets all tracked connections.
func (g *SecurityGroup) Flush() { g.firewall.Flush() }

// States counts tracked connections, stale ones included.
func (g *SecurityGroup) States() int { return g.firewall.States() }

// Owns implements Box.
func (g *SecurityGroup) Owns(netip.Addr) bool { return false }

// Forward implements Box.
func (g *SecurityGroup) Forward(now time.Duration, d Direction, p *Packet) Verdict {
	if g.untracked(d, p) {
		return Verdict{}
	}
	return g.firewall.Forward(now, d, p)
}

// untracked reports whether the packet belongs to a connection that needs no memory. Source: EC2
// "Security group connection tracking", untracked connections.
func (g *SecurityGroup) untracked(d Direction, p *Packet) bool {
	back := Packet{From: p.To, To: p.From}
	return g.opensToAll(d, p) && g.answersAll(d.back()) || g.opensToAll(d.back(), &back) && g.answersAll(d)
}

func (g *SecurityGroup) list(d Direction) []Allow {
	if d == Outward {
		return g.egress
	}
	return g.ingress
}

func (g *SecurityGroup) opensToAll(d Direction, p *Packet) bool {
	return slices.ContainsFunc(g.list(d), func(a Allow) bool { return a.everybody() && a.rule(d).matches(d, p) })
}

func (g *SecurityGroup) answersAll(d Direction) bool {
	return slices.ContainsFunc(g.list(d), func(a Allow) bool { return a.everybody() && a.FirstPort == 0 })
}
