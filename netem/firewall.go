// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
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

// RefuseAll are rules that let no new connection through, either way.
func RefuseAll(a Action) []Rule {
	return []Rule{{Direction: Outward, Action: refusal(a)}, {Direction: Inward, Action: refusal(a)}}
}

// FirewallSpec describes a stateful firewall.
type FirewallSpec struct {
	// Rules are asked in order; the first that matches decides.
	Rules []Rule
	// Out and In are for new connections that no rule matches.
	Out, In Action
	// Idle is how long a quiet open connection is remembered; 0 means 5 days. Transitory is for one
	// that opens or closes, as far as Aging says nothing else; 0 means 4 min, or Idle if that is less.
	Idle, Transitory time.Duration
	Aging            Aging
	// Stray is what a packet of no known connection gets; Pass takes it for a new one, by the rules.
	Stray Action
	// Strict refuses bytes of a connection whose answer to the SYN has not come by, as a firewall does
	// that the way back leads around.
	Strict bool
	// Blind are directions that lead around the firewall: routes are asymmetric.
	BlindOutward, BlindInward bool
	// MaxStates bounds the table; 0 is unbounded. A new connection beyond it gets Full: Silence
	// unless set.
	MaxStates int
	Full      Action
}

// Firewall is a Box that lets connections through by rules and remembers them.
type Firewall struct {
	spec   FirewallSpec
	states map[state]*session
	// What faults do.
	rules overrides[[]Rule]
	idle  overrides[time.Duration]
	blind [2]int // by direction
}

// state is a connection, the inner end first.
type state struct{ inner, outer netip.AddrPort }

func stateOf(d Direction, p *Packet) state {
	if d == Inward {
		return state{p.To, p.From}
	}
	return state{p.From, p.To}
}

// packet is one of the connection that goes in a direction.
func (s state) packet(d Direction) *Packet {
	if d == Inward {
		return &Packet{From: s.outer, To: s.inner}
	}
	return &Packet{From: s.inner, To: s.outer}
}

// NewFirewall makes a firewall with an empty table.
func NewFirewall(s FirewallSpec) *Firewall {
	s.Idle = cmp.Or(s.Idle, defaultFirewallIdle)
	s.Transitory = cmp.Or(s.Transitory, min(s.Idle, defaultTransitory))
	f := &Firewall{spec: s, states: map[state]*session{}}
	for d, on := range []bool{Outward: s.BlindOutward, Inward: s.BlindInward} {
		if on {
			f.blind[d]++
		}
	}
	return f
}

// Flush forgets all connections, as a reboot or a fail-over without state does.
func (f *Firewall) Flush() { clear(f.states) }

// SetRules changes the rules. Connections that exist go on, unless existing is set: then those that
// the new rules refuse are forgotten.
func (f *Firewall) SetRules(rules []Rule, existing bool) {
	f.spec.Rules = slices.Clone(rules)
	if existing {
		f.forgetRefused()
	}
}

// forgetRefused forgets the connections that could not be opened any more.
func (f *Firewall) forgetRefused() {
	for key, s := range f.states {
		if f.decide(s.opener, key.packet(s.opener)) != Pass {
			delete(f.states, key)
		}
	}
}

// States counts remembered connections, stale ones included.
func (f *Firewall) States() int { return len(f.states) }

// Owns implements Box.
func (f *Firewall) Owns(netip.Addr) bool { return false }

// Forward implements Box.
func (f *Firewall) Forward(now time.Duration, d Direction, p *Packet) Verdict {
	if f.blind[d] > 0 {
		return Verdict{}
	}
	key := stateOf(d, p)
	s := f.states[key]
	if s != nil && f.over(now, s) {
		delete(f.states, key)
		s = nil
	}
	switch {
	case s == nil:
		if v := f.admit(now, d, p); v.Action != Pass {
			return v
		}
		s = newSession(d)
		f.states[key] = s
	case f.spec.Strict && s.phase == opening && d == s.opener && !p.Kind.Opens() && p.Kind != rst:
		return Verdict{Action: refusal(f.spec.Stray), Why: "firewall has seen no answer"}
	}
	s.touch(now, p, d)
	return Verdict{}
}

// admit decides about a packet of no known connection.
func (f *Firewall) admit(now time.Duration, d Direction, p *Packet) Verdict {
	if !p.Kind.Opens() && f.spec.Stray != Pass {
		return Verdict{Action: f.spec.Stray, Why: "firewall stray"}
	}
	if a := f.decide(d, p); a != Pass {
		return Verdict{Action: a, Why: "firewall rule"}
	}
	if f.spec.MaxStates > 0 && len(f.states) >= f.spec.MaxStates && !f.makeRoom(now) {
		return Verdict{Action: refusal(f.spec.Full), Why: "firewall full"}
	}
	return Verdict{}
}

func (f *Firewall) over(now time.Duration, s *session) bool {
	idle := f.idle.or(f.spec.Idle)
	l := lifetimes{idle, min(idle, f.spec.Transitory), f.spec.Aging}
	return l.over(now, s)
}

func (f *Firewall) decide(d Direction, p *Packet) Action {
	for _, r := range f.rules.or(f.spec.Rules) {
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
