// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/link"
)

// tlsPair makes a mutual TLS 1.3 connection over loopback, pinned by the raw certificates.
func tlsPair(t testing.TB) (near, far *tls.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	serverCert, agentCert := certificate(t), certificate(t)
	accepted := make(chan net.Conn, 1)
	var accepting sync.WaitGroup
	defer accepting.Wait()
	accepting.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- conn
	})
	dialled, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near = tls.Server(<-accepted, pinned(serverCert, agentCert))
	far = tls.Client(dialled, pinned(agentCert, serverCert))
	accepting.Go(func() {
		if err := near.Handshake(); err != nil {
			t.Error(err)
		}
	})
	if err := far.Handshake(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func certificate(t testing.TB) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(crand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func pinned(own, peer tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{link.Protocol}, Certificates: []tls.Certificate{own},
		ClientAuth: tls.RequireAnyClientCert, InsecureSkipVerify: true, SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if !bytes.Equal(state.PeerCertificates[0].Raw, peer.Certificate[0]) {
				return errors.New("another certificate than the pinned one")
			}
			return nil
		},
	}
}

// overTLS runs two sessions over a TLS connection until the test ends.
func overTLS(t testing.TB, serve func(context.Context, contract.Stream)) *link.Session {
	near, far := tlsPair(t)
	keeper := link.NewKeeper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	options := func(conn *tls.Conn, role link.Role) link.Options {
		binding, err := link.SessionBinding(conn.ConnectionState())
		if err != nil {
			t.Fatal(err)
		}
		return link.Options{Role: role, Settings: link.Settings{Binding: binding}, Keeper: keeper, Serve: serve}
	}
	caller := link.NewSession(near, options(near, link.Caller))
	servant := link.NewSession(far, options(far, link.Servant))
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = keeper.Run(ctx) })
	var sessions sync.WaitGroup
	ended, end := context.WithCancel(ctx)
	for _, s := range []*link.Session{caller, servant} {
		sessions.Go(func() {
			if err := s.Run(ended); errkind.Of(err) != errkind.Unavailable {
				t.Errorf("session ended with %v", err)
			}
		})
	}
	t.Cleanup(func() {
		end()
		sessions.Wait()
		cancel()
		tasks.Wait()
	})
	return caller
}

func TestManyCallsOverTLS(t *testing.T) {
	caller := overTLS(t, echo)
	var calls sync.WaitGroup
	for i := range 40 {
		calls.Go(func() {
			for j := range 25 {
				want := fmt.Appendf(nil, "call %d of %d", j, i)
				if got, err := call(t.Context(), caller, false, want); err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %q, %v", got, err)
					return
				}
			}
		})
	}
	for range 3 {
		calls.Go(func() {
			want := randomBytes(4 << 20)
			hash := sha256.New()
			s, err := caller.Open(t.Context(), true)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Reset("done")
			calls.Go(func() {
				_, _ = io.Copy(s, bytes.NewReader(want))
				_ = s.CloseWrite()
			})
			n, err := io.Copy(hash, s)
			if sum := sha256.Sum256(want); err != nil || n != int64(len(want)) || !bytes.Equal(sum[:], hash.Sum(nil)) {
				t.Errorf("%d bytes came back, %v", n, err)
			}
		})
	}
	calls.Wait()
}

func TestW10SessionBindingDiffersBetweenConnections(t *testing.T) {
	near, far := tlsPair(t)
	other, otherFar := tlsPair(t)
	bindings := map[[link.BindingBytes]byte]int{}
	for _, conn := range []*tls.Conn{near, far, other, otherFar} {
		b, err := link.SessionBinding(conn.ConnectionState())
		if err != nil {
			t.Fatal(err)
		}
		bindings[b]++
		conn.NetConn().Close()
	}
	if len(bindings) != 2 {
		t.Errorf("%d bindings for two connections", len(bindings))
	}
	if _, err := link.SessionBinding(tls.ConnectionState{}); errkind.Of(err) != errkind.Invalid {
		t.Errorf("binding of no session: %v", err)
	}
}

func TestPeerCrashOverTLS(t *testing.T) {
	near, far := tlsPair(t)
	s := link.NewSession(near, link.Options{Role: link.Caller})
	var peer sync.WaitGroup
	peer.Go(func() {
		_, _ = io.ReadFull(far, make([]byte, 16))
		far.NetConn().Close()
	})
	if e := closeError(t, s.Run(t.Context())); e.Reason != link.ReasonLost || e.Err == nil {
		t.Errorf("ended as %+v", e)
	}
	peer.Wait()
}
