// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"fairlead/netem"
)

// A box is a table: it can be asked without a network, at any time.
func ExampleNAT() {
	spec, _ := netem.NATPreset("aws-natgw", netip.MustParseAddr("203.0.113.7"))
	nat := netem.NewNAT(spec)
	inside, far := netip.MustParseAddrPort("192.168.7.10:5000"), netip.MustParseAddrPort("198.51.100.1:443")

	p := netem.Packet{From: inside, To: far, Kind: netem.Opening}
	nat.Forward(0, netem.Outward, &p)
	fmt.Println("leaves as", p.From)
	p = netem.Packet{From: far, To: p.From, Kind: netem.Bytes}
	nat.Forward(time.Second, netem.Inward, &p)
	fmt.Println("comes back to", p.To)
	p = netem.Packet{From: inside, To: far, Kind: netem.Bytes}
	v := nat.Forward(352*time.Second, netem.Outward, &p)
	fmt.Println("351 s later:", v.Why, v.Action == netem.Reset)
	// Output:
	// leaves as 203.0.113.7:5000
	// comes back to 192.168.7.10:5000
	// 351 s later: nat forgot true
}

// A security group that lets one port in, and health checks wherever they knock.
func ExampleSecurityGroup() {
	g := netem.NewSecurityGroup(netem.SecurityGroupSpec{
		Ingress:      []netem.Allow{{Peer: netip.MustParsePrefix("198.51.100.0/24"), FirstPort: 443}},
		HealthChecks: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24")},
	})
	for _, from := range []string{"198.51.100.1:5000", "203.0.113.1:5000", "10.9.0.1:5000"} {
		p := netem.Packet{
			From: netip.MustParseAddrPort(from), To: netip.MustParseAddrPort("10.0.0.2:443"), Kind: netem.Opening,
		}
		fmt.Println(from, g.Forward(0, netem.Inward, &p).Action == netem.Pass)
	}
	// Output:
	// 198.51.100.1:5000 true
	// 203.0.113.1:5000 false
	// 10.9.0.1:5000 true
}

// A balancer whose second backend is found dead.
func ExampleBalancer() {
	spec, _ := netem.BalancerPreset("aws-nlb-passthrough", netip.MustParseAddr("203.0.113.80"),
		netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.1.0.2"))
	b := netem.NewBalancer(spec)
	b.SetHealthy(netip.MustParseAddr("10.1.0.2"), false)
	p := netem.Packet{
		From: netip.MustParseAddrPort("198.51.100.1:5000"), To: netip.MustParseAddrPort("203.0.113.80:443"), Kind: netem.Opening,
	}
	b.Forward(0, netem.Inward, &p)
	fmt.Println(p.From, "comes to", p.To)
	// Output: 198.51.100.1:5000 comes to 10.1.0.1:443
}

// A fault is a value; injecting it returns what heals it.
func ExampleWorld_Inject() {
	ctx := context.Background()
	w := netem.New(netem.Options{Seed: 1})
	defer w.Close()
	lan := w.Net("lan", netip.MustParsePrefix("10.0.0.0/24"))
	a := lan.Host("a", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.1")})
	b := lan.Host("b", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.2")})
	if _, err := b.Listen(ctx, "tcp", ":80"); err != nil {
		fmt.Println(err)
	}
	dial := func() {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := a.DialContext(ctx, "tcp", "b:80")
		fmt.Println(errors.Is(err, context.DeadlineExceeded), err == nil)
	}
	heal := w.Inject(netem.Cut{Host: b})
	dial()
	heal()
	dial()
	// Output:
	// true false
	// false true
}
