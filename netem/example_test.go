// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"fairlead/netem"
)

// A machine behind a NAT talks to one on the internet. In a test, put this into synctest.Test and
// set Wait to synctest.Wait: then the hour costs no time, and every run is the same.
func Example() {
	ctx := context.Background()
	w := netem.New(netem.Options{Seed: 1})
	defer w.Close()

	internet := w.Net("internet", netip.MustParsePrefix("0.0.0.0/0"))
	ward := w.Net("ward", netip.MustParsePrefix("192.168.7.0/24"))
	nat := netem.NewNAT(netem.NATSpec{
		Public: netip.MustParseAddr("203.0.113.7"), Established: 4 * time.Minute, Expired: netem.Silence,
	})
	w.Join(ward, internet, netem.Symmetric(netem.LinkSpec{Latency: netem.Fixed(time.Millisecond)}), nat)
	server := internet.Host("server", netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.1")})
	agent := ward.Host("agent", netem.HostSpec{Addr: netip.MustParseAddr("192.168.7.10")})

	listener, _ := server.Listen(ctx, "tcp", ":443")
	dialled, _ := agent.DialContext(ctx, "tcp", "server:443")
	accepted, _ := listener.Accept()
	fmt.Println("the agent is", dialled.LocalAddr())
	fmt.Println("the server sees", accepted.RemoteAddr())
	// Output:
	// the agent is 192.168.7.10:32768
	// the server sees 203.0.113.7:32768
}
