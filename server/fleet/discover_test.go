// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/trust"
	"fairlead/server/fleet"
)

// lane is a network in which one address answers.
type lane struct {
	host.Network
	answer func(far net.Conn)
	piped  bool         // in a bubble
	fails  func() error // unless nil, why nothing can be dialled
}

func (l lane) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	switch {
	case l.fails != nil:
		return nil, l.fails()
	case l.answer == nil:
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case l.piped:
		near, far := net.Pipe()
		go l.answer(far)
		return near, nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, network, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	near, err := (&net.Dialer{}).DialContext(ctx, network, listener.Addr().String())
	if err != nil {
		return nil, err
	}
	far, err := listener.Accept()
	go l.answer(far)
	return near, err
}

func TestDiscoverTellsThePinOfAnAgent(t *testing.T) {
	server, err := trust.NewIdentity("server", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	agent, err := trust.NewIdentity("agent", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	tentacle := func(far net.Conn) {
		defer far.Close()
		config := &tls.Config{Certificates: []tls.Certificate{agent.Certificate}}
		_ = tls.Server(far, config).Handshake()
		_, _ = io.Copy(io.Discard, far)
	}
	for name, c := range map[string]struct {
		answer func(net.Conn)
		kind   errkind.Kind
		words  string
	}{
		"an agent": {answer: func(far net.Conn) {
			door, err := trust.NewDoor(trust.DoorTerms{
				Identities: func() []trust.Identity { return []trust.Identity{agent} }, LinkRole: trust.RoleServer, Wall: time.Now,
				Links: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "s"}, server.Pin),
			})
			if err == nil {
				_, _, _ = door.Handshake(context.Background(), far)
			}
			_, _ = io.Copy(io.Discard, far)
			far.Close()
		}},
		"nothing":        {kind: errkind.Unavailable, words: "refused"},
		"another server": {answer: tentacle, kind: errkind.Untrusted, words: "peer speaks"},
		"no TLS": {answer: func(far net.Conn) {
			defer far.Close()
			_, _ = bufio.NewReader(far).Peek(1)
			_, _ = io.WriteString(far, "HTTP/1.1 400 Bad Request\r\n\r\n")
			_, _ = io.Copy(io.Discard, far)
		}, kind: errkind.Corrupt, words: "does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			pin, err := onLane(lane{answer: c.answer}, server).Discover(t.Context(), "m:10933")
			if c.words == "" && (err != nil || pin != agent.Pin) {
				t.Fatalf("%s, %v; want %s", pin, err, agent.Pin)
			}
			if c.words != "" && (errkind.Of(err) != c.kind || !strings.Contains(err.Error(), c.words)) {
				t.Errorf("%v of kind %v, want %q of kind %v", err, errkind.Of(err), c.words, c.kind)
			}
		})
	}
}

func onLane(l lane, server trust.Identity) *fleet.Fleet {
	return fleet.New(fleet.Deps{
		Env:    host.Env{Net: l, Wall: time.Now, Log: slog.New(slog.DiscardHandler)},
		Server: fleet.Server{Identity: server},
	})
}

// TestDiscoverIsBounded: whoever says nothing holds it up for a while, and only so many do at once.
func TestDiscoverIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, err := trust.NewIdentity("server", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		f := onLane(lane{piped: true, answer: func(far net.Conn) {
			_, _ = io.Copy(io.Discard, far)
			far.Close()
		}}, server)
		kinds := make(chan errkind.Kind, 9)
		began := time.Now()
		for range 9 {
			go func() {
				_, err := f.Discover(t.Context(), "m:10933")
				kinds <- errkind.Of(err)
			}()
		}
		got := map[errkind.Kind]int{}
		for range 9 {
			got[<-kinds]++
		}
		if got[errkind.Timeout] != 8 || got[errkind.Exhausted] != 1 || time.Since(began) > fleet.DiscoverLimit {
			t.Errorf("after %s it ended so: %v", time.Since(began), got)
		}
	})
}
