// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package redial_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/redial"
	"fairlead/netem"
)

// TestEveryAddressOfANameIsTried: a dead address of a server with several costs its share of the
// time and no more, whether it rejects or swallows what is sent.
func TestEveryAddressOfANameIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := netem.New(netem.Options{Seed: 1, Wait: synctest.Wait})
		defer w.Close()
		internet := w.Net("internet", netip.MustParsePrefix("0.0.0.0/0"))
		agent := internet.Host("agent", netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.9")})
		server := internet.Host("server", netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.1")})
		internet.Host("closed", netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.2")})
		gone := internet.Host("gone", netem.HostSpec{Addr: netip.MustParseAddr("198.51.100.3")})
		defer w.Inject(netem.Off{Host: gone})()
		listener, err := server.Listen(t.Context(), "tcp", ":10943")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		closed := netip.MustParseAddr("198.51.100.2")
		w.Resolve("deploy.example.com", netem.Answer{Addrs: []netip.Addr{gone.Addr(), closed, server.Addr()}})
		w.Resolve("dead.example.com", netem.Answer{Addrs: []netip.Addr{closed}})

		began := time.Now()
		conn, err := redial.Dial(t.Context(), agent, "deploy.example.com:10943")
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); conn.RemoteAddr().String() != "198.51.100.1:10943" || took < time.Second || took > redial.DialLimit {
			t.Errorf("reached %s after %v", conn.RemoteAddr(), took)
		}
		conn.Close()
		if _, err := redial.Dial(t.Context(), agent, "dead.example.com:10943"); diagnosis.Of(err) != diagnosis.PortClosed {
			t.Errorf("a closed port: %v", err)
		}
		if _, err := redial.Dial(t.Context(), agent, "nowhere.example.com:10943"); diagnosis.Of(err) != diagnosis.UnknownName {
			t.Errorf("an unknown name: %v", err)
		}
	})
}
