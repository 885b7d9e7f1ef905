// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net/netip"
	"slices"
	"time"
)

// defaultFirewallIdle is net.netfilter.nf_conntrack_tcp_timeout_established: 5 days.
const defaultFirewallIdle = 120 * time.Hour

// Rule lets new connections through, or not. Zero fields match everything.
type Rule struct {
	Direction Direction
	From, To  netip.Prefix
	// FirstPort and LastPort are ports of the far end; a LastPort of 0 means FirstPort alone.
	FirstPort, LastPort uint16
	Action              Action
}

func (r Rule) matches(d Direction, p *Packet) bool {
	last := max(r.LastPort, r.FirstPort)
	switch {
	case r.Direction != d,
		r.From.IsValid() && !r.From.Contains(p.From.Addr()),
		r.To.IsValid() && !r.To.Contains(p.To.Addr()),
		r.FirstPort != 0 && (p.To.Port() < r.FirstPort || p.To.Port() > last):
		return false
	}
	return true
}

// FirewallSpec describes a stateful firewall, or a cloud's security group.
type FirewallSpec struct {
	// Rules are asked in order; the first that matches decides.
	Rules []Rule
	// Out and In are for new connections that no rule matches.
	Out, In Action
	// Idle is how long a quiet connection is remembered; 0 means 5 days.
	Idle time.Duration
	// Stray is what a packet of no known connection gets; Pass takes it for a new one, by the rules.
	Stray Action
	// MaxStates bounds the table; 0 is unbounded. A new connection beyond it gets Full: Silence
	// unless set.
	MaxStates int
	Full      Action
}

// Firewall is a Box that lets connections through by rules and remembers them.
type Firewall struct {
	spec   FirewallSpec
	states map[state]*session
}

// state is a connection, the inner end first.
type state struct{ inner, outer netip.AddrPort }

// NewFirewall makes a firewall with an empty table.
func NewFirewall(s FirewallSpec) *Firewall {
	if s.Idle == 0 {
		s.Idle = defaultFirewallIdle
	}
	return &Firewall{spec: s, states: map[state]*session{}}
}

// Flush forgets all connections, as a reboot or a fail-over without state does.
func (f *Firewall) Flush() { clear(f.states) }

// SetRules changes the rules. Connections that exist go on, unless existing is set: then those that
// the new rules refuse are forgotten.
func (f *Firewall) SetRules(rules []Rule, existing bool) {
	f.spec.Rules = slices.Clone(rules)
	if !existing {
		return
	}
	for s := range f.states {
		out := f.decide(Outward, &Packet{From: s.inner, To: s.outer})
		in := f.decide(Inward, &Packet{From: s.outer, To: s.inner})
		if out != Pass && in != Pass {
			delete(f.states, s)
		}
	}
}

// States counts remembered connections, stale ones included.
func (f *Firewall) States() int { return len(f.states) }

// Owns implements Box.
func (f *Firewall) Owns(netip.Addr) bool { return false }

// Forward implements Box.
func (f *Firewall) Forward(now time.Duration, d Direction, p *Packet) Verdict {
	key := state{p.From, p.To}
	if d == Inward {
		key = state{p.To, p.From}
	}
	s := f.states[key]
	if s != nil && f.over(now, s) {
		delete(f.states, key)
		s = nil
	}
	if s == nil {
		if !p.Kind.Opens() && f.spec.Stray != Pass {
			return Verdict{Action: f.spec.Stray, Why: "firewall stray"}
		}
		if a := f.decide(d, p); a != Pass {
			return Verdict{Action: a, Why: "firewall rule"}
		}
		if f.spec.MaxStates > 0 && len(f.states) >= f.spec.MaxStates && !f.makeRoom(now) {
			return Verdict{Action: refusal(f.spec.Full), Why: "firewall full"}
		}
		s = &session{}
		f.states[key] = s
	}
	s.touch(now, p, d == Inward)
	return Verdict{}
}

func (f *Firewall) over(now time.Duration, s *session) bool {
	if s.ending {
		return now-s.used > min(f.spec.Idle, defaultTransitory)
	}
	return now-s.used > f.spec.Idle
}

func (f *Firewall) decide(d Direction, p *Packet) Action {
	for _, r := range f.spec.Rules {
		if r.matches(d, p) {
			return r.Action
		}
	}
	if d == Outward {
		return f.spec.Out
	}
	return f.spec.In
}

func (f *Firewall) makeRoom(now time.Duration) bool {
	before := len(f.states)
	for key, s := range f.states {
		if f.over(now, s) {
			delete(f.states, key)
		}
	}
	return len(f.states) < before
}
