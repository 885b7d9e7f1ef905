// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"net/netip"

	"fairlead/internal/errkind"
	"fairlead/netem"
	"fairlead/sim/plan"
)

// makeBox makes the table that a plan describes. Backends of balancers are known when it is called.
func (s *site) makeBox(b plan.Box) (netem.Box, error) {
	switch b.Kind {
	case plan.NAT:
		return makeNAT(b)
	case plan.Firewall:
		return makeFirewall(b), nil
	case plan.SecurityGroup:
		return makeGroup(b), nil
	case plan.Balancer:
		return s.makeBalancer(b)
	}
	return nil, errkind.Invalid.Errorf("box %s: a %q cannot be built", b.Name, b.Kind)
}

// action is what a word of a plan means.
func action(word string, or netem.Action) netem.Action {
	switch word {
	case "silence":
		return netem.Silence
	case "reset":
		return netem.Reset
	case "unreachable":
		return netem.Unreachable
	case "pass":
		return netem.Pass
	}
	return or
}

func makeNAT(b plan.Box) (netem.Box, error) {
	public, err := netip.ParseAddr(b.Public)
	if err != nil {
		return nil, errkind.Invalid.Errorf("box %s: %w", b.Name, err)
	}
	s, known := netem.NATPreset(b.Preset, public)
	if !known {
		s = netem.NATSpec{
			Public: public, Mapping: netem.AddressPortDependent, Filtering: netem.AddressPortDependent, Expired: netem.Silence,
		}
	}
	if b.Idle > 0 {
		s.Established = b.Idle.D()
	}
	s.Expired = action(b.Expired, s.Expired)
	if b.Ports != "" {
		if s.FirstPort, s.LastPort, err = plan.ParsePorts(b.Ports); err != nil {
			return nil, err
		}
	}
	return netem.NewNAT(s), nil
}

func makeFirewall(b plan.Box) netem.Box {
	s, known := netem.FirewallPreset(b.Preset)
	if !known {
		s = netem.FirewallSpec{Stray: netem.Silence}
	}
	if b.Idle > 0 {
		s.Idle = b.Idle.D()
	}
	s.Stray, s.MaxStates = action(b.Expired, s.Stray), b.States
	s.In = action(b.Refuse, netem.Silence)
	if len(b.Out) > 0 {
		s.Out = s.In // what is listed, and nothing else
	}
	for _, text := range b.Out {
		s.Rules = append(s.Rules, rule(text, netem.Outward))
	}
	for _, text := range b.In {
		s.Rules = append(s.Rules, rule(text, netem.Inward))
	}
	return netem.NewFirewall(s)
}

// rule is one of a plan's, which Plan.Check has read.
func rule(text string, d netem.Direction) netem.Rule {
	r, _ := plan.ParseRule(text)
	return netem.Rule{Direction: d, From: r.From, To: r.To, FirstPort: r.First, LastPort: r.Last, Action: netem.Pass}
}

func makeGroup(b plan.Box) netem.Box {
	s := netem.SecurityGroupSpec{Idle: b.Idle.D()}
	for _, text := range b.In {
		r, _ := plan.ParseRule(text)
		s.Ingress = append(s.Ingress, netem.Allow{Peer: r.From, FirstPort: r.First, LastPort: r.Last})
	}
	for _, text := range b.Out {
		r, _ := plan.ParseRule(text)
		s.Egress = append(s.Egress, netem.Allow{Peer: r.To, FirstPort: r.First, LastPort: r.Last})
	}
	return netem.NewSecurityGroup(s)
}

func (s *site) makeBalancer(b plan.Box) (netem.Box, error) {
	vip, err := netip.ParseAddr(b.Public)
	if err != nil {
		return nil, errkind.Invalid.Errorf("box %s: %w", b.Name, err)
	}
	var backends []netip.Addr
	for _, name := range b.Backends {
		backends = append(backends, s.hosts[name].Addr())
	}
	spec, known := netem.BalancerPreset(b.Preset, vip, backends...)
	if !known {
		spec = netem.BalancerSpec{VIP: vip, Backends: backends, Expired: netem.Silence}
	}
	if b.Idle > 0 {
		spec.Idle = b.Idle.D()
	}
	spec.Expired = action(b.Expired, spec.Expired)
	spec.HideSource = b.HideClient
	s.world.Resolve(b.Name, netem.Answer{Addrs: []netip.Addr{vip}})
	return netem.NewBalancer(spec), nil
}
