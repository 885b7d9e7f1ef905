// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

func TestHandshakeProvesBothEnds(t *testing.T) {
	h := newHouse(t)
	dial, listen := h.dial(t, h.agent)
	if dial.err != nil || listen.err != nil {
		t.Fatalf("dialler %v, door %v", dial.err, listen.err)
	}
	if dial.peer.Pin() != h.server.Pin || dial.peer.Role() != trust.RoleServer || dial.peer.Local() != h.agent.Pin {
		t.Errorf("the agent sees %v", dial.peer.LogValue())
	}
	if listen.peer.Pin() != h.agent.Pin || listen.peer.Role() != trust.RoleAgent || listen.peer.Local() != h.server.Pin {
		t.Errorf("the server sees %v", listen.peer.LogValue())
	}
	p := listen.peer
	if p.Subject() != "machines-1" || p.Access() != trust.Full || p.Protocol() != trust.LinkProtocol {
		t.Errorf("subject %q, access %v, protocol %q", p.Subject(), p.Access(), p.Protocol())
	}
	if dial.peer.Binding() != listen.peer.Binding() || dial.peer.Binding() == [32]byte{} {
		t.Error("the two ends have different channel bindings")
	}
	if !listen.peer.NotAfter().Equal(h.agent.NotAfter()) {
		t.Errorf("not after %v", listen.peer.NotAfter())
	}
	other, _ := h.dial(t, h.agent)
	if other.peer.Binding() == dial.peer.Binding() {
		t.Error("two connections have one channel binding")
	}
}

func TestT1UnknownCertificate(t *testing.T) {
	h := newHouse(t)
	dial, listen := h.dial(t, identity(t, "stranger"))
	wantKind(t, listen.err, errkind.Untrusted, "belongs to nobody known here", "token create")
	wantKind(t, dial.err, errkind.Untrusted, "refused this program's certificate", "joins again")
	t.Run("T1 no certificate", func(t *testing.T) {
		client := rawClient(h.agent, trust.LinkProtocol)
		client.Certificates = nil
		listen, _ := meetRaw(t, client, h.door)
		wantKind(t, listen.err, errkind.Untrusted)
	})
	t.Run("T1 certificate without its key", func(t *testing.T) {
		stolen := h.agent
		stolen.Certificate.PrivateKey = p256Key(t)
		listen, _ := meetRaw(t, rawClient(stolen, trust.LinkProtocol), h.door)
		wantKind(t, listen.err, errkind.Untrusted, "signature")
	})
}

func TestT3RevokedWhileConnected(t *testing.T) {
	h := newHouse(t)
	_, listen := h.dial(t, h.agent)
	ended := make(chan error, 2)
	release, err := h.pins.Hold(listen.peer, func(err error) { ended <- err })
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	h.pins.Revoke(h.agent.Pin)
	defer func() {
		h.pins.Revoke(h.agent.Pin)
		if len(ended) != 0 {
			t.Error("the session was ended twice")
		}
	}()
	select {
	case err := <-ended:
		wantKind(t, err, errkind.Untrusted, "revoked", "join the machine again")
	default:
		t.Fatal("Revoke returned before the session was ended")
	}
	if _, err := h.door.Peer(listen.conn.ConnectionState()); errkind.Of(err) != errkind.Untrusted {
		t.Errorf("the old connection still gives a peer: %v", err)
	}
	if _, err := h.pins.Hold(listen.peer, func(error) {}); errkind.Of(err) != errkind.Untrusted {
		t.Errorf("a peer from before the revocation may begin a session: %v", err)
	}
	again := h.pins.Add(h.agent.Pin, trust.Grant{Role: trust.RoleAgent, Subject: "machines-1"})
	wantKind(t, again, errkind.Denied, "never comes back")
}

// A peer that talks on at once, as every agent does, still hears why it was refused: the kernel would
// answer bytes that nobody read with a reset, which overtakes the alert.
func TestRefusalIsHeardByATalkativePeer(t *testing.T) {
	h, stranger := newHouse(t), identity(t, "stranger")
	dialler := newDialler(t, trust.DialTerms{Identity: stranger, Pins: []trust.Pin{h.server.Pin}})
	const tries = 20
	cut := 0
	for range tries {
		dialled, accepted := wires(t)
		refused := make(chan error, 1)
		go func() {
			_, _, err := h.door.Handshake(context.Background(), accepted)
			refused <- err
		}()
		conn, _, err := dialler.Handshake(context.Background(), dialled)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write(make([]byte, 32<<10))
		_, err = conn.Read(make([]byte, 1))
		wantKind(t, trust.Explain(err), errkind.Untrusted, "refused this program's certificate")
		if _, err := conn.NetConn().Write([]byte{0}); err != nil {
			cut++
		}
		conn.NetConn().Close()
		wantKind(t, <-refused, errkind.Untrusted)
	}
	if cut > tries/2 { // a stall of this machine may use up the drain time once in a while
		t.Errorf("%d of %d refused connections were reset under the peer", cut, tries)
	}
}

// cache is a session cache that counts what it is given.
type cache struct {
	tls.ClientSessionCache
	puts int
}

func (c *cache) Put(key string, state *tls.ClientSessionState) {
	if state != nil {
		c.puts++
	}
	c.ClientSessionCache.Put(key, state)
}

func TestT4RevokedThenResumed(t *testing.T) {
	h := newHouse(t)
	sessions := &cache{ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	client := rawClient(h.agent, trust.LinkProtocol)
	client.ClientSessionCache = sessions
	for range 2 {
		listen, dialErr := meetRaw(t, client, h.door)
		if dialErr != nil || listen.err != nil {
			t.Fatalf("before the revocation: %v, %v", dialErr, listen.err)
		}
		if listen.conn.ConnectionState().DidResume {
			t.Fatal("the session was resumed")
		}
	}
	if sessions.puts != 0 {
		t.Errorf("the door gave out %d session tickets", sessions.puts)
	}
	h.pins.Revoke(h.agent.Pin)
	listen, dialErr := meetRaw(t, client, h.door)
	wantKind(t, listen.err, errkind.Untrusted, "revoked")
	wantKind(t, trust.Explain(dialErr), errkind.Untrusted)
}

func TestT5DatesInTheHandshake(t *testing.T) {
	h := newHouse(t)
	at := func(now time.Time) *trust.Door {
		return newDoor(t, trust.DoorTerms{
			Identities: proving(h.server), Links: h.pins.Lookup, LinkRole: trust.RoleAgent, Applicants: true,
			Wall: wallAt(now),
		})
	}
	dialler := func(now time.Time, protocol string) *trust.Dialler {
		return newDialler(t, trust.DialTerms{
			Identity: h.agent, Pins: []trust.Pin{h.server.Pin}, Wall: wallAt(now), Protocol: protocol,
		})
	}
	ended := h.agent.NotAfter()
	for _, row := range []struct {
		name     string
		now      time.Time
		protocol string
		want     trust.Access
	}{
		{"T5 valid", today(), trust.LinkProtocol, trust.Full},
		{"T5 expired yesterday", ended.AddDate(0, 0, 1), trust.LinkProtocol, trust.Restricted},
		{"T5 expired for 31 days", ended.AddDate(0, 0, 31), trust.LinkProtocol, trust.Refused},
		{"T5 not yet valid", today().AddDate(-10, 0, 0), trust.LinkProtocol, trust.Full},
		{"T5 expired applicant", ended.AddDate(0, 0, 1), trust.JoinProtocol, trust.Refused},
	} {
		t.Run(row.name, func(t *testing.T) {
			// The agent's own clock is right or wrong: it never refuses the server.
			dial, listen := meet(t, dialler(today().AddDate(20, 0, 0), row.protocol), at(row.now))
			if got := listen.peer.Access(); got != row.want {
				t.Errorf("access %v, want %v (%v)", got, row.want, listen.err)
			}
			if row.want == trust.Restricted {
				_, err := h.pins.Hold(listen.peer, func(error) {})
				wantKind(t, err, errkind.Denied, "until the key is rotated nothing runs", "clocks")
			}
			if row.want == trust.Refused {
				wantKind(t, listen.err, errkind.Untrusted, "ended on", "clocks")
				wantKind(t, dial.err, errkind.Untrusted)
			} else if dial.err != nil || dial.peer.Access() != trust.Full || dial.peer.Warning() == "" {
				t.Errorf("the agent: %v, access %v, warning %q", dial.err, dial.peer.Access(), dial.peer.Warning())
			}
		})
	}
}

func TestT7RoleBelongsToThePin(t *testing.T) {
	h := newHouse(t)
	t.Run("T7 agent as server", func(t *testing.T) {
		door := newDoor(t, trust.DoorTerms{
			Identities: proving(identity(t, "listener")), Links: h.pins.Lookup, LinkRole: trust.RoleServer,
		})
		listen, _ := meetRaw(t, rawClient(h.agent, trust.LinkProtocol), door)
		wantKind(t, listen.err, errkind.Untrusted, `role "agent"`, `must be "server"`)
	})
	t.Run("T7 server as agent", func(t *testing.T) {
		node := identity(t, "agent") // the name in the certificate says agent, the pin says server
		if err := h.pins.Add(node.Pin, trust.Grant{Role: trust.RoleServer, Subject: "srv"}); err != nil {
			t.Fatal(err)
		}
		listen, _ := meetRaw(t, rawClient(node, trust.LinkProtocol), h.door)
		wantKind(t, listen.err, errkind.Untrusted, `role "server"`)
	})
	t.Run("T7 agent found where a server was dialled", func(t *testing.T) {
		dialler := newDialler(t, trust.DialTerms{Identity: h.agent, Pins: []trust.Pin{h.server.Pin}, Accept: h.pins.Lookup})
		if err := h.pins.Add(h.server.Pin, trust.Grant{Role: trust.RoleAgent, Subject: "machines-9"}); err != nil {
			t.Fatal(err)
		}
		dial, _ := meet(t, dialler, h.door)
		wantKind(t, dial.err, errkind.Untrusted, `role "agent"`)
	})
	t.Run("T7 agent at the portal is nobody", func(t *testing.T) {
		listen, dialErr := meetRaw(t, rawClient(h.agent, "h2", trust.PortalProtocol), h.door)
		if dialErr != nil || listen.err != nil || listen.conn.ConnectionState().NegotiatedProtocol != trust.PortalProtocol {
			t.Fatalf("%v, %v", dialErr, listen.err)
		}
		wantKind(t, listen.peer.Check(), errkind.Untrusted)
		if listen.peer.Role() != "" || listen.peer.Access() != trust.Refused {
			t.Errorf("role %q, access %v", listen.peer.Role(), listen.peer.Access())
		}
	})
	t.Run("T7 agent that joins again is an applicant", func(t *testing.T) {
		listen, _ := meetRaw(t, rawClient(h.agent, trust.JoinProtocol), h.door)
		if listen.peer.Role() != trust.RoleApplicant || listen.peer.Subject() != "" {
			t.Errorf("role %q, subject %q, %v", listen.peer.Role(), listen.peer.Subject(), listen.err)
		}
		if _, err := trust.NewPinSet().Hold(listen.peer, func(error) {}); errkind.Of(err) != errkind.Untrusted {
			t.Errorf("an applicant may hold a session: %v", err)
		}
	})
}

func TestT8AtTheDoor(t *testing.T) {
	h := newHouse(t)
	weak := forge(t, nil, func(c *x509.Certificate) { c.IsCA = true })
	h.admit(t, weak, "machines-2") // even a pin that is known
	for _, protocol := range []string{trust.LinkProtocol, trust.JoinProtocol} {
		listen, _ := meetRaw(t, rawClient(weak, protocol), h.door)
		wantKind(t, listen.err, errkind.Untrusted, "authority")
	}
}

func TestT9VersionsAndSuites(t *testing.T) {
	h := newHouse(t)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12} {
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			client := rawClient(h.agent, trust.LinkProtocol)
			client.MinVersion, client.MaxVersion, client.CipherSuites = version, version, []uint16{suite.ID}
			t.Run("T9 "+tls.VersionName(version)+" "+suite.Name, func(t *testing.T) {
				listen, dialErr := meetRaw(t, client, h.door)
				if listen.err == nil || dialErr == nil {
					t.Fatalf("accepted: %v, %v", dialErr, listen.err)
				}
			})
		}
	}
	t.Run("T9 TLS 1.2 without ALPN", func(t *testing.T) {
		client := rawClient(h.agent)
		client.MaxVersion = tls.VersionTLS12
		listen, dialErr := meetRaw(t, client, h.door)
		wantKind(t, listen.err, errkind.Untrusted, "versions")
		wantKind(t, trust.Explain(dialErr), errkind.Untrusted, "does not speak TLS 1.3")
	})
	t.Run("T9 compression", func(t *testing.T) {
		dialled, accepted := wires(t)
		go func() {
			dialled.Write(withCompression(clientHello(t, rawClient(h.agent, trust.LinkProtocol))))
			io.Copy(io.Discard, dialled)
		}()
		_, _, err := h.door.Handshake(context.Background(), accepted)
		wantKind(t, err, errkind.Untrusted, "compression")
	})
}

// clientHello is the first record of a client.
func clientHello(t *testing.T, config *tls.Config) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		tls.Client(theirs, config).Handshake()
		theirs.Close()
	}()
	record := make([]byte, 16<<10)
	n, err := io.ReadAtLeast(ours, record, 5)
	if err == nil {
		_, err = io.ReadFull(ours, record[n:5+int(record[3])<<8+int(record[4])])
	}
	if err != nil {
		t.Fatal(err)
	}
	return record[:5+int(record[3])<<8+int(record[4])]
}

// withCompression offers DEFLATE before "none".
func withCompression(record []byte) []byte {
	at := 5 + 4 + 2 + 32                             // record, message, version, random
	at += 1 + int(record[at])                        // session id
	at += 2 + int(record[at])<<8 + int(record[at+1]) // suites
	out := append([]byte{}, record[:at]...)
	out = append(out, 2, 1, 0)
	out = append(out, record[at+2:]...)
	size := len(out) - 5
	out[3], out[4] = byte(size>>8), byte(size)
	size -= 4
	out[6], out[7], out[8] = byte(size>>16), byte(size>>8), byte(size)
	return out
}

func TestT10PinDecidesNeverTheName(t *testing.T) {
	h := newHouse(t)
	t.Run("T10 right pin, other host", func(t *testing.T) {
		// The certificate names no host at all and the dialler was never told one.
		if dial, listen := h.dial(t, h.agent); dial.err != nil || listen.err != nil {
			t.Fatalf("%v, %v", dial.err, listen.err)
		}
	})
	t.Run("T10 right host, other pin", func(t *testing.T) {
		impostor := forge(t, nil, func(c *x509.Certificate) {
			c.DNSNames = []string{"127.0.0.1", "localhost", "*.pin.invalid"}
			c.Subject = pkix.Name{CommonName: "server"}
		})
		door := newDoor(t, trust.DoorTerms{Identities: proving(impostor), Links: h.pins.Lookup, LinkRole: trust.RoleAgent})
		dialler := newDialler(t, trust.DialTerms{Identity: h.agent, Pins: []trust.Pin{h.server.Pin}})
		dial, listen := meet(t, dialler, door)
		wantKind(t, dial.err, errkind.Untrusted, impostor.Pin.String(), h.server.Pin.String(), "usual causes")
		wantKind(t, listen.err, errkind.Untrusted, "refused this program's certificate")
	})
	t.Run("T10 a box ends TLS", func(t *testing.T) {
		box := inspected(t)
		door := newDoor(t, trust.DoorTerms{Identities: proving(box), Links: h.pins.Lookup, LinkRole: trust.RoleAgent})
		dialler := newDialler(t, trust.DialTerms{Identity: h.agent, Pins: []trust.Pin{h.server.Pin}})
		dial, _ := meet(t, dialler, door)
		wantKind(t, dial.err, errkind.Untrusted, "Corporate Inspection CA", "something in the path ends TLS")
	})
}

// inspected is what a TLS inspecting proxy shows: a certificate by its own authority.
func inspected(t *testing.T) trust.Identity {
	t.Helper()
	caKey, key := p256Key(t), p256Key(t)
	ca := forge(t, caKey, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.Subject = true, x509.KeyUsageCertSign, pkix.Name{CommonName: "Corporate Inspection CA"}
	}).Certificate.Leaf
	return issue(t, ca, caKey, key)
}

func issue(t *testing.T, ca *x509.Certificate, caKey, key crypto.Signer) trust.Identity {
	t.Helper()
	id := forge(t, key, nil)
	der, err := x509.CreateCertificate(nil, id.Certificate.Leaf, ca, key.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	id.Certificate.Certificate, id.Certificate.Leaf, id.Pin = [][]byte{der}, leaf, trust.PinOf(der)
	return id
}

func TestT11ListeningAgentKnowsItsServer(t *testing.T) {
	h, other := newHouse(t), identity(t, "other server")
	bundle := trust.Bundle{ServerID: "srv-a", Epoch: 1, IssuedAt: today(), Pins: []trust.BundlePin{
		{Pin: h.server.Pin, Role: trust.RoleServer, NotAfter: h.server.NotAfter()},
	}}
	door := newDoor(t, trust.DoorTerms{Identities: proving(h.agent), Links: bundle.Accept, LinkRole: trust.RoleServer})
	dial := func(id trust.Identity) (end, end) {
		return meet(t, newDialler(t, trust.DialTerms{
			Identity: id, Pins: []trust.Pin{h.agent.Pin}, Role: trust.RoleAgent, Accept: h.pins.Lookup,
		}), door)
	}
	dialled, listen := dial(h.server)
	if dialled.err != nil || listen.err != nil || listen.peer.Subject() != "srv-a" ||
		dialled.peer.Subject() != "machines-1" {
		t.Fatalf("%v, %v, %q, %q", dialled.err, listen.err, listen.peer.Subject(), dialled.peer.Subject())
	}
	dialled, listen = dial(other)
	wantKind(t, listen.err, errkind.Untrusted, `none of the keys of server "srv-a"`)
	wantKind(t, dialled.err, errkind.Untrusted)
	t.Run("T11 nothing but the line is served", func(t *testing.T) {
		for _, protocol := range []string{trust.JoinProtocol, trust.PortalProtocol, "h2"} {
			listen, _ := meetRaw(t, rawClient(h.server, protocol), door)
			wantKind(t, listen.err, errkind.Untrusted, "none is served here")
		}
	})
}

// A line that the network ended is no matter of trust.
func TestExplainNetworkFailure(t *testing.T) {
	for _, cause := range []error{syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ECONNABORTED} {
		err := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", cause)}
		wantKind(t, trust.Explain(err), errkind.Unavailable, "the connection ended")
	}
}

func TestExplainKeepsKinds(t *testing.T) {
	if trust.Explain(nil) != nil {
		t.Error("no error became one")
	}
	for want, err := range map[errkind.Kind]error{
		errkind.Denied: errkind.Denied.Errorf("x"), errkind.Unavailable: io.EOF, errkind.Canceled: context.Canceled,
		errkind.Untrusted: errors.New("tls: something"),
	} {
		if got := errkind.Of(trust.Explain(err)); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
	dialled, accepted := wires(t)
	io.WriteString(accepted, "HTTP/1.1 400 Bad Request\r\n\r\n")
	id := identity(t, "a")
	dialler := newDialler(t, trust.DialTerms{Identity: id, Pins: []trust.Pin{id.Pin}})
	_, _, err := dialler.Handshake(context.Background(), dialled)
	wantKind(t, err, errkind.Corrupt, "does not speak TLS", "HTTP/")
}

func BenchmarkHandshake(b *testing.B) {
	h := newHouse(b)
	dialler := newDialler(b, trust.DialTerms{Identity: h.agent, Pins: []trust.Pin{h.server.Pin}})
	b.ReportAllocs()
	for b.Loop() {
		dial, listen := meet(b, dialler, h.door)
		if dial.err != nil || listen.err != nil {
			b.Fatal(dial.err, listen.err)
		}
		dial.conn.NetConn().Close()
		listen.conn.NetConn().Close()
	}
}

// BenchmarkBareHandshake is the floor: the same handshake with crypto/tls alone and no checks.
func BenchmarkBareHandshake(b *testing.B) {
	h := newHouse(b)
	server := &tls.Config{
		Certificates: []tls.Certificate{h.server.Certificate}, ClientAuth: tls.RequireAnyClientCert,
		MinVersion: tls.VersionTLS13,
	}
	client := rawClient(h.agent)
	b.ReportAllocs()
	for b.Loop() {
		dialled, accepted := wires(b)
		done := make(chan error, 1)
		go func() {
			_, err := tls.Server(accepted, server).Write([]byte{'.'})
			done <- err
		}()
		if _, err := io.ReadFull(tls.Client(dialled, client), make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		dialled.Close()
		accepted.Close()
	}
}
