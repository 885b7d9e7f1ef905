// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/port"
	"fairlead/internal/trust"
)

// bench is a port on a listener made of pipes, in virtual time, with its log.
type bench struct {
	port     *port.Port
	listener *pipes
	log      *lockedBuffer
	server   trust.Identity
	agent    trust.Identity
	served   chan trust.Peer
	remotes  chan string
	stop     context.CancelFunc
	group    sync.WaitGroup
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

type named struct {
	net.Conn
	remote string
}

func (n named) RemoteAddr() net.Addr { return name(n.remote) }

type name string

func (name) Network() string  { return "tcp" }
func (n name) String() string { return string(n) }

func (p *pipes) dial(from string) net.Conn {
	a, b := net.Pipe()
	p.conns <- named{b, from}
	return a
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return name("port") }

func identity(t *testing.T, name string) trust.Identity {
	t.Helper()
	made, err := trust.NewIdentity(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func newBench(t *testing.T, strangers, perSource int, balancers ...netip.Prefix) *bench {
	b := &bench{
		listener: &pipes{conns: make(chan net.Conn), done: make(chan struct{})}, log: &lockedBuffer{},
		served: make(chan trust.Peer, 100), remotes: make(chan string, 100),
	}
	b.server, b.agent = identity(t, "server"), identity(t, "agent")
	door, err := trust.NewDoor(trust.DoorTerms{
		Identities: func() []trust.Identity { return []trust.Identity{b.server} },
		Links:      trust.AcceptOnly(trust.Grant{Role: trust.RoleAgent, Subject: "Machines-1"}, b.agent.Pin),
		LinkRole:   trust.RoleAgent, Wall: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.port = port.New(port.Terms{
		Door: door, MaxStrangers: strangers, MaxStrangersPerSource: perSource, Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Balancers: balancers,
		Handlers: map[string]port.Handler{trust.LinkProtocol: func(ctx context.Context, conn *tls.Conn, peer trust.Peer) {
			b.served <- peer
			b.remotes <- conn.RemoteAddr().String()
			<-ctx.Done()
			_ = conn.Close()
		}},
	})
	ctx, stop := context.WithCancel(t.Context())
	b.stop = stop
	b.group.Go(func() { _ = b.port.Serve(ctx, b.listener) })
	return b
}

func (b *bench) close() {
	b.stop()
	b.group.Wait()
}

func (b *bench) shakeHands(t *testing.T, conn net.Conn) {
	t.Helper()
	dialler, err := trust.NewDialler(trust.DialTerms{
		Identity: b.agent, Pins: []trust.Pin{b.server.Pin}, Role: trust.RoleServer, Protocol: trust.LinkProtocol, Wall: time.Now,
		Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "server"}, b.server.Pin),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := dialler.Handshake(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
}

func TestPinnedPeerReachesItsHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10, 10)
		defer b.close()
		b.shakeHands(t, b.listener.dial("10.0.0.1:1"))
		if peer := <-b.served; peer.Subject() != "Machines-1" || !peer.Pin().Equal(b.agent.Pin) {
			t.Fatalf("served %v, want Machines-1", peer)
		}
		if c := b.port.Counts(); c.Proved != 1 || c.Refused != 0 {
			t.Fatalf("counts %+v", c)
		}
	})
}

// TestP3StrangersAreNamed covers case P3: other protocols are closed without a byte in answer,
// and the log says what they were.
func TestP3StrangersAreNamed(t *testing.T) {
	for _, c := range []struct {
		name, says string
		cause      diagnosis.Cause
		bytes      string
	}{
		{"P3 HTTP", "plain HTTP", diagnosis.TLSOffload, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"P3 SSH", "SSH banner", diagnosis.NotTLS, "SSH-2.0-OpenSSH_9.6\r\n"},
		{"P3 PROXY", "PROXY protocol", diagnosis.ProxyProtocol, "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"},
		{"P3 PROXY in binary", "PROXY protocol", diagnosis.ProxyProtocol, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"},
		{
			"P3 line without TLS", "a line of ours without TLS", diagnosis.TLSOffload,
			"\x00\x00\x00\x40\x01" + strings.Repeat("\x00", 11),
		},
		{"P3 request to join without TLS", "without TLS", diagnosis.TLSOffload, "\x00\x00\x02\x10{\"request\":\"e30=\""},
		{"P3 Tentacle without TLS", "without TLS", diagnosis.TLSOffload, "MX-CLIENT 1.0\r\n"},
		{"P3 garbage", "not TLS", diagnosis.NotTLS, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, 10, 10)
				defer b.close()
				conn := b.listener.dial("10.0.0.1:1")
				_, _ = io.WriteString(conn, c.bytes)
				if answer, _ := io.ReadAll(conn); len(answer) != 0 {
					t.Fatalf("answered %q", answer)
				}
				synctest.Wait()
				for _, word := range []string{c.says, " cause=" + string(c.cause) + " ", c.cause.Sentence()} {
					if !strings.Contains(b.log.String(), word) {
						t.Fatalf("log %q does not say %q", b.log.String(), word)
					}
				}
			})
		})
	}
}

// TestP1SilentStrangers covers the port's part of P1: over the cap a source is closed at once,
// the others when their time is over, and an agent comes in meanwhile.
func TestP1SilentStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 20, 5)
		defer b.close()
		began := time.Now()
		var silent []net.Conn
		for range 8 {
			silent = append(silent, b.listener.dial("10.0.0.1:1"))
		}
		synctest.Wait()
		if c := b.port.Counts(); c.OverLimit != 3 {
			t.Fatalf("%d connections over the limit, want 3", c.OverLimit)
		}
		b.shakeHands(t, b.listener.dial("10.0.0.2:1"))
		<-b.served
		for _, conn := range silent {
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Fatalf("silent connection ended with %v", err)
			}
		}
		if took := time.Since(began); took > port.HandshakeLimit {
			t.Fatalf("silent connections lived for %v", took)
		}
	})
}

// TestL2Flood covers the port's part of L2: strangers cannot fill the log.
func TestL2Flood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10, 10)
		defer b.close()
		for range 1000 {
			conn := b.listener.dial("10.0.0.1:1")
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
			_, _ = io.ReadAll(conn)
		}
		synctest.Wait()
		if lines := strings.Count(b.log.String(), "\n"); lines > 60 {
			t.Fatalf("%d log lines in less than a minute", lines)
		}
		if c := b.port.Counts(); c.Refused != 1000 {
			t.Fatalf("counted %d of 1000", c.Refused)
		}
	})
}
