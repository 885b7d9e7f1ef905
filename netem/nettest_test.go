// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"fairlead/netem"

	"golang.org/x/net/nettest"
)

// TestConnIsANetConn runs the conformance tests of golang.org/x/net in real time: their subtests
// cannot run inside a bubble.
func TestConnIsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		w := netem.New(netem.Options{})
		lan := w.Net("lan", netip.MustParsePrefix("10.0.0.0/24"))
		a := lan.Host("a", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.1")})
		b := lan.Host("b", netem.HostSpec{Addr: netip.MustParseAddr("10.0.0.2")})
		l, err := b.Listen(context.Background(), "tcp", ":80")
		if err != nil {
			return nil, nil, nil, err
		}
		dialled, err := a.DialContext(context.Background(), "tcp", "b:80")
		if err != nil {
			return nil, nil, nil, err
		}
		accepted, err := l.Accept()
		return dialled, accepted, func() { w.Close() }, err
	})
}
