// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/port"
	"fairlead/internal/trust"
)

// pair is an agent's dialler and a server's port, on loopback, with room for a box between.
type pair struct {
	server, agent trust.Identity
	address       string // of the port
	log           *lockedBuffer
	group         sync.WaitGroup
}

func newPair(t *testing.T, balancers ...netip.Prefix) *pair {
	t.Helper()
	p := &pair{log: &lockedBuffer{}}
	var err error
	if p.server, err = trust.NewIdentity("server", time.Now()); err != nil {
		t.Fatal(err)
	}
	if p.agent, err = trust.NewIdentity("agent", time.Now()); err != nil {
		t.Fatal(err)
	}
	door, err := trust.NewDoor(trust.DoorTerms{
		Identities: func() []trust.Identity { return []trust.Identity{p.server} }, LinkRole: trust.RoleAgent, Wall: time.Now,
		Links: trust.AcceptOnly(trust.Grant{Role: trust.RoleAgent, Subject: "Machines-1"}, p.agent.Pin),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	p.group.Go(func() {
		_ = port.New(port.Terms{
			Door: door, MaxStrangers: 10, MaxStrangersPerSource: 10, Balancers: balancers,
			Log: slog.New(slog.NewTextHandler(p.log, nil)),
			Handlers: map[string]port.Handler{trust.LinkProtocol: func(_ context.Context, conn *tls.Conn, _ trust.Peer) {
				_, _ = conn.Write([]byte{'.'})
				_ = conn.Close()
			}},
		}).Serve(ctx, listener)
	})
	t.Cleanup(func() { stop(); p.group.Wait() })
	return p
}

// dial lets the agent through the box: it shakes hands, says something, and waits for one byte.
func (p *pair) dial(t *testing.T, box func(client, server net.Conn)) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var boxing sync.WaitGroup
	defer boxing.Wait()
	boxing.Go(func() {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		server, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Error(err)
			return
		}
		defer server.Close()
		box(client, server)
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	dialler, err := trust.NewDialler(trust.DialTerms{
		Identity: p.agent, Pins: []trust.Pin{p.server.Pin}, Role: trust.RoleServer, Protocol: trust.LinkProtocol, Wall: time.Now,
		Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "server"}, p.server.Pin),
	})
	if err != nil {
		t.Fatal(err)
	}
	secure, _, err := dialler.Handshake(t.Context(), conn)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(secure, "\x00\x00\x00\x40\x01"+strings.Repeat("\x00", 75)) // a hello
	_, err = io.ReadFull(secure, make([]byte, 1))
	return trust.Explain(err)
}

// pass copies both ways until one side ends.
func pass(a, b net.Conn) {
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(a, b); _ = a.Close() })
	_, _ = io.Copy(b, a)
	_ = b.Close()
	back.Wait()
}

// authority issues a certificate for the name of a site.
func authority(t *testing.T, issuer, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, &x509.Certificate{Subject: pkix.Name{CommonName: issuer}}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestBothEndsNameTheBox puts one box after the other between the agent and the server's port.
func TestBothEndsNameTheBox(t *testing.T) {
	site := authority(t, "Public CA", "deploy.example.com")
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	anew := func(server net.Conn, protocols ...string) {
		_ = tls.Client(server, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}).Handshake()
		_, _ = io.Copy(io.Discard, server)
	}
	for name, test := range map[string]struct {
		balancers     []netip.Prefix
		box           func(p *pair, client, server net.Conn)
		agent, server diagnosis.Cause
	}{
		"passes TCP": {nil, func(_ *pair, client, server net.Conn) { pass(client, server) }, "", ""},
		"application balancer": {nil, func(_ *pair, client, server net.Conn) {
			_, _ = io.WriteString(server, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
			_ = tls.Server(client, &tls.Config{Certificates: []tls.Certificate{site}, NextProtos: []string{"h2", "http/1.1"}}).Handshake()
			_, _ = io.Copy(io.Discard, client)
		}, diagnosis.TLSOffload, diagnosis.TLSOffload},
		"HTTP listener": {nil, func(_ *pair, client, server net.Conn) {
			_, _ = io.WriteString(server, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
			_, _ = client.Read(make([]byte, 4096))
			_, _ = io.WriteString(client, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}, diagnosis.TLSOffload, diagnosis.TLSOffload},
		"ends TLS and makes it anew": {nil, func(_ *pair, client, server net.Conn) {
			_ = tls.Server(client, &tls.Config{Certificates: []tls.Certificate{site}}).Handshake()
			anew(server)
		}, diagnosis.TLSOffload, diagnosis.TLSOffload},
		"inspects, and speaks our protocol": {nil, func(_ *pair, client, server net.Conn) {
			secure := tls.Server(client, &tls.Config{
				NextProtos: []string{trust.LinkProtocol},
				GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
					minted := authority(t, "Company CA", hello.ServerName)
					return &minted, nil
				},
			})
			_ = secure.Handshake()
			anew(server, trust.LinkProtocol)
		}, diagnosis.TLSInspect, diagnosis.TLSOffload},
		"ends TLS with the server's own key": {nil, func(p *pair, client, server net.Conn) {
			secure := tls.Server(client, &tls.Config{
				Certificates: []tls.Certificate{p.server.Certificate}, NextProtos: []string{trust.LinkProtocol},
			})
			_, _ = io.CopyN(server, secure, 80)
			_, _ = io.Copy(io.Discard, server)
			_ = secure.NetConn().Close()
		}, diagnosis.Cut, diagnosis.TLSOffload},
		"PROXY header that nobody wants": {nil, func(_ *pair, client, server net.Conn) {
			_, _ = io.WriteString(server, header2)
			pass(client, server)
		}, diagnosis.Cut, diagnosis.ProxyProtocol},
		"PROXY header that is wanted": {[]netip.Prefix{loopback}, func(_ *pair, client, server net.Conn) {
			_, _ = io.WriteString(server, header2)
			pass(client, server)
		}, "", ""},
		"no PROXY header where one is wanted": {[]netip.Prefix{loopback}, func(_ *pair, client, server net.Conn) {
			pass(client, server)
		}, diagnosis.Cut, diagnosis.ProxyProtocol},
		"closes": {nil, func(*pair, net.Conn, net.Conn) {}, diagnosis.Cut, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, test.balancers...)
			err := p.dial(t, func(client, server net.Conn) { test.box(p, client, server) })
			if diagnosis.Of(err) != test.agent || (err == nil) != (test.agent == "") {
				t.Errorf("the agent says %v (cause %q), want %q", err, diagnosis.Of(err), test.agent)
			}
			log := p.settled(t, test.server)
			if test.server == "" && log != "" {
				t.Errorf("the server says %q", log)
			}
		})
	}
}

// settled returns the log as soon as it names the cause; with none it waits for nothing.
func (p *pair) settled(t *testing.T, cause diagnosis.Cause) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		log := p.log.String()
		if strings.Contains(log, "cause="+string(cause)) && strings.Contains(log, cause.Sentence()) || cause == "" {
			return log
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server says %q, want cause %q", log, cause)
		}
		<-time.NewTimer(5 * time.Millisecond).C
	}
}
