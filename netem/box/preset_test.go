// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"fairlead/netem"
	"fairlead/netem/box"
)

const (
	vipText = "198.51.100.80"
	// forEver is how long a connection has to live where nothing ends it.
	forEver = 240 * time.Hour
	// slack covers latencies and detection.
	slack = 3 * time.Second
)

// TestEveryPresetForgetsWhenAndAsListed lets a connection through each box of the table rest for a
// little less than its idle time, which it must survive, and then for a little more. Another one
// rests with keep-alive probes.
func TestEveryPresetForgetsWhenAndAsListed(t *testing.T) {
	for _, name := range netem.Presets() {
		p, _ := netem.FindPreset(name)
		t.Run(name, func(t *testing.T) {
			if p.Source == "" || p.Kind == "" || p.MinIdle > p.Idle || p.MaxIdle > 0 && p.MaxIdle < p.Idle {
				t.Errorf("the row is not whole: %+v", p)
			}
			quiet := p.Idle
			if p.Tunnel > 0 {
				quiet = p.Tunnel // both ends have spoken
			}
			through(t, p, func(s *street, near, far net.Conn) { checkRest(s, p, quiet, near, far) })
			through(t, p, func(s *street, near, far net.Conn) { checkProbes(s, p, quiet, near, far) })
		})
	}
}

func checkRest(s *street, p netem.Preset, quiet time.Duration, near, far net.Conn) {
	if quiet == 0 {
		s.rest(forEver)
		s.say(near, far, "still there")
		s.say(far, near, "so am I")
		return
	}
	s.rest(quiet - slack)
	s.say(near, far, "within the time")
	s.rest(quiet - slack)
	s.say(far, near, "and back")
	switch p.Expiry {
	case netem.ResetsBoth, netem.EndsBoth:
		after, err := ending(near, quiet+slack)
		if after < quiet-slack || after > quiet+slack {
			s.t.Errorf("ended after %v, want %v", after, quiet)
		}
		wantEnd(s, "the near end", err, p.Expiry)
		_, err = ending(far, slack)
		wantEnd(s, "the far end", err, p.Expiry)
		return
	}
	if after, err := ending(near, quiet+slack); err != nil {
		s.t.Fatalf("spoke up after %v: %v", after, err)
	}
	switch p.Expiry {
	case netem.ForgetsSilently:
		if lives(near, far) || lives(far, near) {
			s.t.Error("bytes got through")
		}
		if _, err := ending(near, slack); err != nil {
			s.t.Errorf("bytes were answered: %v", err)
		}
	case netem.ResetsNext:
		if lives(near, far) {
			s.t.Error("bytes got through")
		}
		_, err := ending(near, slack)
		wantEnd(s, "the end that spoke", err, p.Expiry)
	case netem.TakesUp:
		if lives(far, near) {
			s.t.Error("bytes came in")
		}
		s.say(near, far, "?") // the far end's byte is on its way again
	case netem.Rehashes:
		s.say(near, far, "taken for new")
	}
}

func wantEnd(s *street, who string, err error, e netem.Expiry) {
	s.t.Helper()
	want := syscall.ECONNRESET
	switch {
	case e == netem.EndsBoth && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
	case e != netem.EndsBoth && errors.Is(err, want):
	default:
		s.t.Errorf("%s: %v, want what %q means", who, err, e)
	}
}

// checkProbes wants a connection with keep-alive to outlive the idle time if probes count.
func checkProbes(s *street, p netem.Preset, quiet time.Duration, near, far net.Conn) {
	if quiet == 0 {
		return
	}
	raw := near
	if t, is := near.(*tls.Conn); is {
		raw = t.NetConn()
	}
	often := net.KeepAliveConfig{Enable: true, Idle: quiet / 3, Interval: quiet / 3, Count: 9}
	if err := raw.(*netem.Conn).SetKeepAliveConfig(often); err != nil {
		s.t.Fatal(err)
	}
	s.rest(2 * quiet)
	if got := lives(near, far); got != p.Probes() {
		s.t.Errorf("a connection with keep-alive lives: %v, want %v", got, p.Probes())
	}
}

// through runs f with the two ends of a connection through the box.
func through(t *testing.T, p netem.Preset, f func(s *street, near, far net.Conn)) {
	t.Helper()
	switch p.Kind {
	case netem.PresetNAT, netem.PresetFirewall:
		onStreet(t, func(t *testing.T, s *street) {
			l := s.listen(s.server, ":443")
			near := s.dial("server:443")
			far := s.accept(l)
			s.greetings(near, far)
			f(s, near, far)
		}, table(t, p))
	case netem.PresetBalancer:
		spec, ok := netem.BalancerPreset(p.Name, netip.MustParseAddr(vipText), netip.MustParseAddr("192.168.7.10"))
		if !ok {
			t.Fatal("not a balancer")
		}
		onStreet(t, func(t *testing.T, s *street) {
			l := s.listen(s.client, ":443")
			near, err := s.server.DialContext(s.t.Context(), "tcp", vipText+":443")
			if err != nil {
				s.t.Fatal(err)
			}
			far := s.accept(l)
			s.greetings(near, far)
			f(s, near, far)
		}, netem.NewBalancer(spec))
	default:
		onStreet(t, func(t *testing.T, s *street) {
			near, far := s.throughProgram(p)
			s.greetings(near, far)
			f(s, near, far)
		})
	}
}

func (s *street) greetings(near, far net.Conn) {
	s.t.Helper()
	s.say(near, far, "hello")
	s.say(far, near, "good evening")
}

func table(t *testing.T, p netem.Preset) netem.Box {
	t.Helper()
	if p.Kind == netem.PresetFirewall {
		spec, ok := netem.FirewallPreset(p.Name)
		if !ok {
			t.Fatal("not a firewall")
		}
		return netem.NewFirewall(spec)
	}
	spec, ok := netem.NATPreset(p.Name, netip.MustParseAddr("203.0.113.7"))
	if !ok {
		t.Fatal("not a NAT")
	}
	return netem.NewNAT(spec)
}

func authority(t *testing.T, name string) *box.Authority {
	t.Helper()
	a, err := box.NewAuthority(name, 7, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// throughProgram opens a connection from the client through the program to the server.
func (s *street) throughProgram(p netem.Preset) (near, far net.Conn) {
	s.t.Helper()
	company := authority(s.t, "Company CA")
	program, ok := box.FromPreset(p.Name, box.Setup{To: []string{"server:443"}, Authority: company, Name: "front.example"})
	if !ok {
		s.t.Fatalf("no program for a %s", p.Kind)
	}
	if inspector, is := program.(*box.TLSInspector); is {
		inspector.To = "server:443"
	}
	s.run(":443", program)
	l := s.listen(s.server, ":443")
	near = s.dial("mid:443")
	switch p.Kind {
	case netem.PresetConnectProxy:
		if status := s.connect(near, "server:443", ""); status != http.StatusOK {
			s.t.Fatalf("CONNECT: %d", status)
		}
		return near, s.accept(l)
	case netem.PresetTLSListener:
		near = s.trusting(near, company, "front.example")
		return near, s.accept(l)
	case netem.PresetTLSInspector:
		return s.inspected(near, l, company)
	case netem.PresetHTTPBalancer:
		near = s.trusting(near, company, "front.example")
		return s.upgraded(near, l)
	}
	return near, s.accept(l)
}

// trusting speaks TLS with whoever shows a certificate of the authority for the name.
func (s *street) trusting(c net.Conn, a *box.Authority, name string) *tls.Conn {
	s.t.Helper()
	t := tls.Client(c, &tls.Config{ServerName: name, RootCAs: pool(a)})
	if err := t.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	return t
}

func (s *street) inspected(c net.Conn, l net.Listener, company *box.Authority) (near, far net.Conn) {
	s.t.Helper()
	own, err := authority(s.t, "Server's own CA").Certificate("server.example")
	if err != nil {
		s.t.Fatal(err)
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			s.t.Error(err)
			return
		}
		t := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{own}})
		if err := t.Handshake(); err != nil {
			s.t.Error(err)
		}
		accepted <- t
	}()
	t := s.trusting(c, company, "server.example")
	if issuer := t.ConnectionState().PeerCertificates[0].Issuer.CommonName; issuer != "Company CA" {
		s.t.Errorf("the certificate is issued by %q", issuer)
	}
	return t, <-accepted
}

// upgraded makes a connection for bytes of an HTTP one.
func (s *street) upgraded(c net.Conn, l net.Listener) (near, far net.Conn) {
	s.t.Helper()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: bytes\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
	far = s.accept(l)
	in := bufio.NewReader(far)
	r, err := http.ReadRequest(in)
	if err != nil || r.Header.Get("X-Forwarded-For") != "192.168.7.10" || r.Header.Get("X-Forwarded-Proto") != "https" {
		s.t.Fatalf("the server reads %+v, %v", r, err)
	}
	_, err = fmt.Fprint(far, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bytes\r\n\r\n")
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(c, 16), r)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("the client reads %+v, %v", answer, err)
	}
	return c, far
}
