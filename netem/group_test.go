// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"net/netip"
	"testing"
	"time"

	"fairlead/netem"
)

// asked is one packet to a box and what should come of it.
type asked struct {
	at   time.Duration
	d    netem.Direction
	p    *netem.Packet
	want netem.Action
}

func ask(t *testing.T, b netem.Box, list ...asked) {
	t.Helper()
	for i, a := range list {
		from, to := a.p.From, a.p.To
		if v := b.Forward(a.at, a.d, a.p); v.Action != a.want {
			t.Errorf("%d: %s %s -> %s at %v: %+v, want %d", i, a.p.Kind, from, to, a.at, v, a.want)
		}
	}
}

func packet(k netem.Kind, from, to string) *netem.Packet {
	return &netem.Packet{From: ap(from), To: ap(to), Kind: k, Size: 10}
}

const (
	out = netem.Outward
	in  = netem.Inward
)

func TestASecurityGroupDeniesWhatItDoesNotList(t *testing.T) {
	const web, ward, far, check = "10.0.0.2:443", "192.0.2.10:5000", "198.51.100.1:5000", "10.9.0.9:5000"
	g := netem.NewSecurityGroup(netem.SecurityGroupSpec{
		Ingress:      []netem.Allow{{Peer: netip.MustParsePrefix("192.0.2.0/24"), FirstPort: 440, LastPort: 450}},
		Egress:       []netem.Allow{{FirstPort: 443}},
		HealthChecks: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24")},
	})
	ask(t, g, []asked{
		{0, in, open(ward, web), netem.Pass},
		{1, out, packet(netem.Answering, web, ward), netem.Pass}, // tracked: Egress does not list it
		{2, in, open(far, web), netem.Silence},
		{2, in, open(ward, "10.0.0.2:22"), netem.Silence},
		{3, in, open(check, "10.0.0.2:22"), netem.Pass},
		{4, out, open("10.0.0.2:6000", "198.51.100.1:443"), netem.Pass},
		{5, in, bytesOf("198.51.100.1:443", "10.0.0.2:6000"), netem.Pass},
		{6, out, open("10.0.0.2:6000", "198.51.100.1:80"), netem.Silence},
		{7, in, bytesOf(far, web), netem.Silence},
	}...)
	nobody := netem.NewSecurityGroup(netem.SecurityGroupSpec{})
	ask(t, nobody, asked{0, in, open(ward, web), netem.Silence}, asked{0, out, open(web, far), netem.Pass})
	closed := netem.NewSecurityGroup(netem.SecurityGroupSpec{Egress: []netem.Allow{}})
	ask(t, closed, asked{0, out, open(web, far), netem.Silence})
}

// TestAChangeEndsUntrackedConnections: a rule for everybody, with answers to everybody allowed, keeps no
// memory; taking it away ends what it let in. A narrower rule's connections are tracked and go on.
func TestAChangeEndsUntrackedConnections(t *testing.T) {
	const web, far = "10.0.0.2:443", "198.51.100.1:5000"
	for _, c := range []struct {
		name                       string
		ingress                    netem.Allow
		existing                   bool
		wantStates                 int
		wantAfter, wantAnswerAfter netem.Action
	}{
		{"everybody", netem.Allow{FirstPort: 443}, false, 0, netem.Silence, netem.Silence},
		{"some", netem.Allow{Peer: netip.MustParsePrefix("198.51.100.0/24"), FirstPort: 443}, false, 1, netem.Pass, netem.Pass},
		{"some, cut", netem.Allow{Peer: netip.MustParsePrefix("198.51.100.0/24"), FirstPort: 443}, true, 1, netem.Silence, netem.Silence},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := netem.NewSecurityGroup(netem.SecurityGroupSpec{Ingress: []netem.Allow{c.ingress}})
			ask(t, g, asked{0, in, open(far, web), netem.Pass}, asked{1, out, packet(netem.Answering, web, far), netem.Pass},
				asked{2, in, bytesOf(far, web), netem.Pass})
			if n := g.States(); n != c.wantStates {
				t.Errorf("%d connections are tracked, want %d", n, c.wantStates)
			}
			g.SetRules(nil, nil, c.existing)
			ask(t, g, asked{3, in, bytesOf(far, web), c.wantAfter}, asked{4, in, open("198.51.100.1:5001", web), netem.Silence})
			g.SetRules(nil, []netem.Allow{}, c.existing)
			ask(t, g, asked{5, out, bytesOf(web, far), c.wantAnswerAfter})
		})
	}
}

// TestAFirewallThatSeesOneDirection: whichever it is, a strict one lets nothing but the SYN through, and
// one that takes up what it does not know lets everything.
func TestAFirewallThatSeesOneDirection(t *testing.T) {
	const inside, far = "10.0.0.2:5000", "198.51.100.1:443"
	talk := []asked{
		{0, out, open(inside, far), netem.Pass},
		{1, in, packet(netem.Answering, far, inside), netem.Pass},
		{2, out, packet(netem.Acknowledging, inside, far), netem.Pass},
		{3, out, bytesOf(inside, far), netem.Pass},
		{4, in, bytesOf(far, inside), netem.Pass},
	}
	refusedAt := func(from int, d netem.Direction) (list []asked) {
		for i, a := range talk {
			p := *a.p
			a.p = &p
			if i >= from && a.d == d {
				a.want = netem.Reset
			}
			list = append(list, a)
		}
		return list
	}
	strict := netem.FirewallSpec{In: netem.Silence, Stray: netem.Reset, Strict: true}
	ask(t, netem.NewFirewall(strict), talk...)
	strict.BlindInward = true
	ask(t, netem.NewFirewall(strict), refusedAt(1, out)...)
	strict.BlindInward, strict.BlindOutward = false, true
	ask(t, netem.NewFirewall(strict), refusedAt(1, in)...)
	ask(t, netem.NewFirewall(netem.FirewallSpec{BlindOutward: true}), refusedAt(9, in)...)
}

func TestRefusals(t *testing.T) {
	for _, a := range []netem.Action{netem.Silence, netem.Reset, netem.Unreachable} {
		f := netem.NewFirewall(netem.FirewallSpec{Rules: netem.RefuseAll(a)})
		ask(t, f, asked{0, out, open("10.0.0.2:1", "198.51.100.1:1"), a}, asked{0, in, open("198.51.100.1:1", "10.0.0.2:1"), a})
	}
}

// TestAgeing is nf_conntrack's table: how long a connection is remembered, by what was seen of it.
func TestAgeing(t *testing.T) {
	const inside, far, public = "192.168.0.2:5000", "198.51.100.1:80", "203.0.113.7:5000"
	opening := []asked{{0, out, open(inside, far), netem.Pass}}
	answered := append(opening[:1:1], asked{0, in, packet(netem.Answering, far, public), netem.Pass})
	established := append(answered[:2:2], asked{0, out, packet(netem.Acknowledging, inside, far), netem.Pass})
	for _, c := range []struct {
		name string
		seen []asked
		want time.Duration
	}{
		{"SYN", opening, 120 * time.Second},
		{"SYNACK", answered, 60 * time.Second},
		{"open", established, 120 * time.Hour},
		{"bytes without an answer", append(established[:3:3], asked{0, out, bytesOf(inside, far), netem.Pass}), 300 * time.Second},
		{"bytes with one", append(established[:3:3], asked{0, out, bytesOf(inside, far), netem.Pass},
			asked{0, in, packet(netem.Acknowledging, far, public), netem.Pass}), 120 * time.Hour},
		{"FIN", append(established[:3:3], asked{0, in, packet(netem.Ending, far, public), netem.Pass}), 120 * time.Second},
		{"both FIN", append(established[:3:3], asked{0, in, packet(netem.Ending, far, public), netem.Pass},
			asked{0, out, packet(netem.Ending, inside, far), netem.Pass}), 120 * time.Second},
		{"RST", append(established[:3:3], asked{0, in, packet(netem.Resetting, far, public), netem.Pass}), 10 * time.Second},
	} {
		for _, late := range []time.Duration{0, 1} {
			spec, _ := netem.NATPreset("linux-netfilter", netip.MustParseAddr("203.0.113.7"))
			n := netem.NewNAT(spec)
			for _, a := range c.seen {
				p := *a.p
				ask(t, n, asked{a.at, a.d, &p, a.want})
			}
			want := netem.Pass
			if late > 0 {
				want = netem.Silence
			}
			if v := n.Forward(c.want+late, in, bytesOf(far, public)); v.Action != want {
				t.Errorf("%s: %v after the last packet: %+v, want %d", c.name, c.want+late, v, want)
			}
		}
	}
	spec, _ := netem.FirewallPreset("cisco-asa")
	f := netem.NewFirewall(spec)
	ask(t, f, []asked{
		{0, out, open(inside, far), netem.Pass},
		{0, in, packet(netem.Ending, far, inside), netem.Pass},
		{600 * time.Second, out, bytesOf(inside, far), netem.Pass},
		{1201 * time.Second, out, bytesOf(inside, far), netem.Silence},
	}...)
}
