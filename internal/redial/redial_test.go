// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package redial_test

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/link"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
)

// pipes is a network with one server behind it.
type pipes struct {
	door  *trust.Door
	group *sync.WaitGroup
}

func (p pipes) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	p.group.Go(func() { _, _, _ = p.door.Handshake(context.WithoutCancel(ctx), far) })
	return near, nil
}

func (pipes) Listen(context.Context, string, string) (net.Listener, error) { return nil, net.ErrClosed }

func (pipes) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, net.ErrClosed
}

// longest returns the longest of twenty waits between sessions that live for a second and end so.
func longest(t *testing.T, end link.CloseError) (most time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		server, err := trust.NewIdentity("server", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		agent, err := trust.NewIdentity("agent", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		door, err := trust.NewDoor(trust.DoorTerms{
			Identities: func() []trust.Identity { return []trust.Identity{server} }, LinkRole: trust.RoleAgent, Wall: time.Now,
			Links: trust.AcceptOnly(trust.Grant{Role: trust.RoleAgent, Subject: "a"}, agent.Pin),
		})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		defer group.Wait()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		tries := 0
		redial.Keep(ctx, redial.Terms{
			Net: pipes{door, &group}, Rand: rand.New(rand.NewPCG(1, 1)), Address: "server:10943",
			Dialler: func() (*trust.Dialler, error) {
				return trust.NewDialler(trust.DialTerms{
					Identity: agent, Pins: []trust.Pin{server.Pin}, Role: trust.RoleServer, Protocol: trust.LinkProtocol, Wall: time.Now,
					Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "s"}, server.Pin),
				})
			},
			Serve: func(_ context.Context, conn *tls.Conn, _ trust.Peer, _ time.Duration) error {
				time.Sleep(time.Second)
				_ = conn.NetConn().Close()
				return &end
			},
			Ended: func(_ error, wait time.Duration) {
				most = max(most, wait)
				if tries++; tries == 20 {
					stop()
				}
			},
		})
	})
	return most
}

// TestWaits: short sessions that served something are followed by short waits; those that served
// nothing, or ended for good, are not.
func TestWaits(t *testing.T) {
	goodbye := func(code link.GoodbyeCode, streams uint32) link.CloseError {
		return link.CloseError{Reason: link.ReasonGoodbye, ByPeer: true, Goodbye: link.Goodbye{Code: code}, Streams: streams}
	}
	if got := longest(t, goodbye(link.GoodbyeStopping, 1)); got > link.FirstWait {
		t.Errorf("after sessions that served: %v, want %v at most", got, link.FirstWait)
	}
	if got := longest(t, goodbye(link.GoodbyeStopping, 0)); got < 10*link.FirstWait {
		t.Errorf("after sessions that served nothing: %v, want it to grow", got)
	}
	if got := longest(t, goodbye(link.GoodbyeRevoked, 1)); got < 10*link.FirstWait {
		t.Errorf("after being sent away: %v, want it to grow", got)
	}
}
