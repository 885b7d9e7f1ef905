// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

func TestP9HeavyCertificates(t *testing.T) {
	h := newHouse(t)
	big := forge(t, nil, func(c *x509.Certificate) { c.DNSNames = []string{strings.Repeat("a", 60<<10)} })
	chain := identity(t, "chain")
	for range 49 {
		chain.Certificate.Certificate = append(chain.Certificate.Certificate, chain.Certificate.Certificate[0])
	}
	h.admit(t, big, "machines-2")
	h.admit(t, chain, "machines-3")
	for _, protocol := range []string{trust.LinkProtocol, trust.JoinProtocol} {
		// A wrong key shows that the refusal comes before any signature of the peer is looked at.
		big.Certificate.PrivateKey, chain.Certificate.PrivateKey = p256Key(t), p256Key(t)
		t.Run("P9 60 KiB on "+protocol, func(t *testing.T) {
			listen, _ := meetRaw(t, rawClient(big, protocol), h.door)
			wantKind(t, listen.err, errkind.Untrusted, "limit is 16384")
		})
		t.Run("P9 chain of 50 on "+protocol, func(t *testing.T) {
			listen, _ := meetRaw(t, rawClient(chain, protocol), h.door)
			wantKind(t, listen.err, errkind.Untrusted, "presents 50 certificates")
		})
	}
}

func TestP3OtherProtocolsKnock(t *testing.T) {
	h := newHouse(t)
	for name, greeting := range map[string]string{
		"P3 HTTP":         "GET / HTTP/1.1\r\nHost: deploy.example\r\n\r\n",
		"P3 SSH":          "SSH-2.0-OpenSSH_9.6\r\n",
		"P3 random bytes": strings.Repeat("\x9c\x01\xfe", 40),
		"P3 TLS 1.0": "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x01" + strings.Repeat("r", 32) +
			"\x00\x00\x04\x00\x2f\x00\x35\x01\x00",
	} {
		t.Run(name, func(t *testing.T) {
			dialled, accepted := wires(t)
			done := make(chan error, 1)
			go func() {
				_, _, err := h.door.Handshake(context.Background(), accepted)
				done <- err
			}()
			io.WriteString(dialled, greeting)
			dialled.(*net.TCPConn).CloseWrite()
			answer, _ := io.ReadAll(dialled)
			if len(answer) > 7 { // one alert record
				t.Errorf("the door says %q", answer)
			}
			if err := <-done; errkind.Of(err) == errkind.Internal || err == nil {
				t.Errorf("error %v of kind %v", err, errkind.Of(err))
			}
		})
	}
}

func TestP1SilentPeerIsCutOff(t *testing.T) {
	h := newHouse(t)
	synctest.Test(t, func(t *testing.T) {
		silent, accepted := net.Pipe()
		defer silent.Close()
		begin := time.Now()
		_, _, err := h.door.Handshake(t.Context(), accepted)
		wantKind(t, err, errkind.Timeout, "10s")
		if took := time.Since(begin); took != trust.HandshakeTimeout {
			t.Errorf("cut off after %v", took)
		}
		if _, err := silent.Write([]byte{1}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the connection is still open: %v", err)
		}
	})
}

func TestDoorPicksIdentityBySNI(t *testing.T) {
	h, next := newHouse(t), identity(t, "server")
	door := newDoor(t, trust.DoorTerms{Identities: proving(h.server, next), Links: h.pins.Lookup, LinkRole: trust.RoleAgent})
	for _, row := range []struct {
		name string
		pins []trust.Pin
		want trust.Pin
	}{
		{"knows the old one", []trust.Pin{h.server.Pin}, h.server.Pin},
		{"knows both, newest first", []trust.Pin{next.Pin, h.server.Pin}, next.Pin},
		{"asks for one that is not there yet", []trust.Pin{{1, 2, 3}, h.server.Pin}, h.server.Pin},
	} {
		t.Run(row.name, func(t *testing.T) {
			dial, listen := meet(t, newDialler(t, trust.DialTerms{Identity: h.agent, Pins: row.pins}), door)
			if dial.err != nil || dial.peer.Pin() != row.want || listen.peer.Local() != row.want {
				t.Errorf("%v: proved %v, door says %v", dial.err, dial.peer.Pin(), listen.peer.Local())
			}
		})
	}
}

func TestDoorNamesStrangers(t *testing.T) {
	h := newHouse(t)
	listen, dialErr := meetRaw(t, rawClient(h.agent), h.door)
	wantKind(t, listen.err, errkind.Untrusted, "stock Tentacle")
	wantKind(t, trust.Explain(dialErr), errkind.Untrusted, "does not serve this protocol")
	listen, _ = meetRaw(t, rawClient(h.agent, "fairlead/2", "\x1b[31m"), h.door)
	wantKind(t, listen.err, errkind.Untrusted, `fairlead/2 \x1b[31m`)
	none := newDoor(t, trust.DoorTerms{Identities: proving(), Links: h.pins.Lookup, LinkRole: trust.RoleAgent})
	if listen, _ := meetRaw(t, rawClient(h.agent, trust.LinkProtocol), none); listen.err == nil {
		t.Error("a door without identities lets peers in")
	}
}

func TestTermsAreChecked(t *testing.T) {
	id, pins := identity(t, "a"), trust.NewPinSet()
	for name, terms := range map[string]trust.DoorTerms{
		"nothing":       {},
		"nothing open":  {Identities: proving(id), Wall: today},
		"no wall":       {Identities: proving(id), Portal: true},
		"no identities": {Wall: today, Portal: true},
		"no role":       {Identities: proving(id), Wall: today, Links: pins.Lookup},
		"wrong role":    {Identities: proving(id), Wall: today, Links: pins.Lookup, LinkRole: trust.RoleApplicant},
	} {
		if _, err := trust.NewDoor(terms); errkind.Of(err) != errkind.Invalid {
			t.Errorf("door with %s: %v", name, err)
		}
	}
	good := trust.DialTerms{
		Identity: id, Pins: []trust.Pin{id.Pin}, Accept: pins.Lookup, Role: trust.RoleServer,
		Protocol: trust.LinkProtocol, Wall: today,
	}
	for name, spoil := range map[string]func(*trust.DialTerms){
		"no identity": func(d *trust.DialTerms) { d.Identity = trust.Identity{} },
		"no pins":     func(d *trust.DialTerms) { d.Pins = nil },
		"empty pin":   func(d *trust.DialTerms) { d.Pins = []trust.Pin{{}} },
		"no accept":   func(d *trust.DialTerms) { d.Accept = nil },
		"no role":     func(d *trust.DialTerms) { d.Role = "" },
		"portal":      func(d *trust.DialTerms) { d.Protocol = trust.PortalProtocol },
		"no wall":     func(d *trust.DialTerms) { d.Wall = nil },
	} {
		bad := good
		spoil(&bad)
		if _, err := trust.NewDialler(bad); errkind.Of(err) != errkind.Invalid {
			t.Errorf("dialler with %s: %v", name, err)
		}
	}
}
