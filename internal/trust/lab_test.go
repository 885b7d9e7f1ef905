// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

// today is the wall clock of every test that does not move it.
func today() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func wallAt(t time.Time) func() time.Time { return func() time.Time { return t } }

func identity(t testing.TB, name string) trust.Identity {
	t.Helper()
	id, err := trust.NewIdentity(name, today())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// forge makes an identity that NewIdentity would never make.
func forge(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) trust.Identity {
	t.Helper()
	if key == nil {
		key = p256Key(t)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "forged"},
		NotBefore: today().Add(-time.Hour), NotAfter: today().AddDate(0, 0, 300),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return trust.Identity{Certificate: pair, Pin: trust.PinOf(der)}
}

func p256Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// wires connects two real TCP sockets.
func wires(t testing.TB) (dialled, accepted net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled, err = net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return dialled, accepted
}

// end is one side of a finished or refused handshake.
type end struct {
	conn *tls.Conn
	peer trust.Peer
	err  error
}

// meet runs both handshakes over real sockets. A dialler hears of a refusal with its first read,
// so a dialler that got through reads once and the door greets it with one byte.
func meet(t testing.TB, dialler *trust.Dialler, door *trust.Door) (dial, listen end) {
	t.Helper()
	dialled, accepted := wires(t)
	done := make(chan end, 1)
	go func() {
		conn, peer, err := door.Handshake(context.Background(), accepted)
		if err == nil {
			_, err = conn.Write([]byte{'.'})
		}
		done <- end{conn, peer, err}
	}()
	dial.conn, dial.peer, dial.err = dialler.Handshake(context.Background(), dialled)
	if dial.err == nil {
		_, err := io.ReadFull(dial.conn, make([]byte, 1))
		dial.err = trust.Explain(err)
		if err != nil {
			dial.conn.Close()
		}
	}
	return dial, <-done
}

// meetRaw lets a hand-built TLS client knock.
func meetRaw(t testing.TB, client *tls.Config, door *trust.Door) (listen end, dialErr error) {
	t.Helper()
	dialled, accepted := wires(t)
	done := make(chan end, 1)
	go func() {
		conn, peer, err := door.Handshake(context.Background(), accepted)
		if err == nil {
			_, err = conn.Write([]byte{'.'})
		}
		done <- end{conn, peer, err}
	}()
	conn := tls.Client(dialled, client)
	_, dialErr = io.ReadFull(conn, make([]byte, 1))
	conn.Close()
	return <-done, dialErr
}

func newDoor(t testing.TB, terms trust.DoorTerms) *trust.Door {
	t.Helper()
	if terms.Wall == nil {
		terms.Wall = today
	}
	door, err := trust.NewDoor(terms)
	if err != nil {
		t.Fatal(err)
	}
	return door
}

func newDialler(t testing.TB, terms trust.DialTerms) *trust.Dialler {
	t.Helper()
	if terms.Wall == nil {
		terms.Wall = today
	}
	if terms.Role == "" {
		terms.Role = trust.RoleServer
	}
	if terms.Protocol == "" {
		terms.Protocol = trust.LinkProtocol
	}
	if terms.Accept == nil {
		terms.Accept = trust.AcceptOnly(trust.Grant{Role: terms.Role, Subject: "somebody"}, terms.Pins...)
	}
	dialler, err := trust.NewDialler(terms)
	if err != nil {
		t.Fatal(err)
	}
	return dialler
}

func proving(ids ...trust.Identity) func() []trust.Identity {
	return func() []trust.Identity { return ids }
}

// house is a server with one agent that it accepts.
type house struct {
	server, agent trust.Identity
	pins          *trust.PinSet
	door          *trust.Door
}

func newHouse(t testing.TB) house {
	t.Helper()
	h := house{server: identity(t, "server"), agent: identity(t, "agent"), pins: trust.NewPinSet()}
	h.admit(t, h.agent, "machines-1")
	h.door = newDoor(t, trust.DoorTerms{
		Identities: proving(h.server), Links: h.pins.Lookup, LinkRole: trust.RoleAgent, Applicants: true, Portal: true,
	})
	return h
}

func (h house) admit(t testing.TB, id trust.Identity, machine string) {
	t.Helper()
	if err := h.pins.Add(id.Pin, trust.Grant{Role: trust.RoleAgent, Subject: machine}); err != nil {
		t.Fatal(err)
	}
}

func (h house) dial(t testing.TB, id trust.Identity) (dial, listen end) {
	t.Helper()
	return meet(t, newDialler(t, trust.DialTerms{Identity: id, Pins: []trust.Pin{h.server.Pin}}), h.door)
}

// rawClient is a TLS client that does as it likes, with a certificate and an ALPN protocol.
func rawClient(id trust.Identity, protocols ...string) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, NextProtos: protocols, Certificates: []tls.Certificate{id.Certificate},
		ServerName: "any.example",
	}
}

func wantKind(t testing.TB, err error, kind errkind.Kind, words ...string) {
	t.Helper()
	if err == nil || errkind.Of(err) != kind {
		t.Fatalf("error %v has kind %v, want %v", err, errkind.Of(err), kind)
	}
	for _, word := range words {
		if !strings.Contains(err.Error()+"\n"+errkind.Hint(err), word) {
			t.Errorf("error %q with hint %q does not say %q", err, errkind.Hint(err), word)
		}
	}
}

func p384() elliptic.Curve { return elliptic.P384() }

func edwardsKey(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, trust.MinRSABits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
