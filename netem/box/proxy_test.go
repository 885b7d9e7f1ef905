// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/netem"
	"fairlead/netem/box"
)

func TestAConnectProxyAsksJudgesAndDials(t *testing.T) {
	onStreet(t, func(t *testing.T, s *street) {
		s.run(":3128", &box.ConnectProxy{User: "ward", Password: "sesame", Allow: []uint16{443}, Connect: 10 * time.Second})
		l := s.listen(s.server, ":443")
		for _, c := range []struct {
			name, to, user string
			want           int
		}{
			{"no credentials", "server:443", "", http.StatusProxyAuthRequired},
			{"a wrong password", "server:443", "ward:open", http.StatusProxyAuthRequired},
			{"another port", "server:22", "ward:sesame", http.StatusForbidden},
			{"no port", "server", "ward:sesame", http.StatusBadRequest},
			{"nobody there", "198.51.100.77:443", "ward:sesame", http.StatusBadGateway},
			{"an unknown name", "nowhere:443", "ward:sesame", http.StatusBadGateway},
			{"right", "server:443", "ward:sesame", http.StatusOK},
		} {
			if got := s.connect(s.dial("mid:3128"), c.to, c.user); got != c.want {
				t.Errorf("%s: %d, want %d", c.name, got, c.want)
			}
		}
		_ = s.accept(l).Close()

		t.Log("the connection outlives a 407")
		c := s.dial("mid:3128")
		s.connect(c, "server:443", "")
		if got := s.connect(c, "server:443", "ward:sesame"); got != http.StatusOK {
			t.Errorf("with credentials: %d", got)
		}
		far := s.accept(l)
		s.greetings(c, far)

		t.Log("an end is passed on, and the other direction goes on")
		if err := far.(*netem.Conn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := ending(c, time.Second); err != io.EOF {
			t.Errorf("the client reads %v, want EOF", err)
		}
		s.say(c, far, "still")

		t.Log("an address that does not answer")
		s.w.Inject(netem.Cut{Host: s.server})
		if got := s.connect(s.dial("mid:3128"), "server:443", "ward:sesame"); got != http.StatusGatewayTimeout {
			t.Errorf("cut off: %d, want %d", got, http.StatusGatewayTimeout)
		}
		c = s.dial("mid:3128")
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic d2FyZDpzZXNhbWU=\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(c); !strings.HasPrefix(string(got), "HTTP/1.1 405 ") {
			t.Errorf("GET: %q", got)
		}
	})
}

func TestAProxyMisbehavesUntilItIsHealed(t *testing.T) {
	onStreet(t, func(t *testing.T, s *street) {
		p := &box.ConnectProxy{}
		s.run(":3128", p)
		l, other := s.listen(s.server, ":443"), s.listen(s.mid, ":8080")
		with := func(m box.Misbehaviour, f func()) {
			heal := s.w.Inject(p.Fault("proxy.test", "mid", m))
			f()
			heal()
		}
		for _, status := range []int{http.StatusProxyAuthRequired, http.StatusBadGateway, http.StatusServiceUnavailable} {
			with(box.Misbehaviour{Status: status}, func() {
				if got := s.connect(s.dial("mid:3128"), "server:443", ""); got != status {
					t.Errorf("status %d, want %d", got, status)
				}
			})
		}
		tunnel := func() (near, far net.Conn) {
			near = s.dial("mid:3128")
			if got := s.connect(near, "server:443", ""); got != http.StatusOK {
				t.Fatalf("CONNECT: %d", got)
			}
			return near, s.accept(l)
		}
		with(box.Misbehaviour{Delay: 20 * time.Second}, func() {
			began := time.Now()
			tunnel()
			if d := time.Since(began); d < 20*time.Second || d > 21*time.Second {
				t.Errorf("a slow CONNECT took %v", d)
			}
		})
		with(box.Misbehaviour{Idle: 15 * time.Second}, func() {
			near, far := tunnel()
			s.greetings(near, far)
			if after, err := ending(near, time.Minute); err != io.EOF || after.Round(time.Second) != 15*time.Second {
				t.Errorf("idle: %v after %v", err, after)
			}
		})
		with(box.Misbehaviour{Truncate: 10}, func() {
			near, far := tunnel()
			_, _ = far.Write([]byte("0123456789abcdef"))
			if got, err := io.ReadAll(near); string(got) != "0123456789" || err != nil {
				t.Errorf("truncated: %q, %v", got, err)
			}
		})
		with(box.Misbehaviour{Hold: 8}, func() {
			near, far := tunnel()
			_, _ = near.Write([]byte("0123"))
			if after, err := ending(far, 10*time.Second); err != nil {
				t.Errorf("spoke after %v: %v", after, err)
			}
			_, _ = near.Write([]byte("456789"))
			s.say(far, near, "12345678")
			got := make([]byte, 8)
			if _, err := io.ReadFull(far, got); err != nil || string(got) != "01234567" {
				t.Errorf("held: %q, %v", got, err)
			}
			_ = near.Close()
			if rest, err := io.ReadAll(far); string(rest) != "89" || err != nil {
				t.Errorf("the end: %q, %v", rest, err)
			}
		})
		with(box.Misbehaviour{WrongHost: "mid:8080"}, func() {
			near := s.dial("mid:3128")
			s.connect(near, "server:443", "")
			s.greetings(near, s.accept(other))
		})
		near, far := tunnel()
		s.greetings(near, far)
	})
}

// socks asks a SOCKS proxy for a connection to server:443, or another port, and returns its answer: the
// method, the answer to a password, and the status; -1 for what was not asked.
func (s *street) socks(c net.Conn, methods []byte, user, password string, kind byte, host string, port uint16) [3]int {
	s.t.Helper()
	got := [3]int{-1, -1, -1}
	ask := func(b []byte, answer int) []byte {
		if _, err := c.Write(b); err != nil {
			s.t.Fatal(err)
		}
		in := make([]byte, answer)
		if _, err := io.ReadFull(c, in); err != nil {
			s.t.Fatalf("after % x: %v", b, err)
		}
		return in
	}
	got[0] = int(ask(append([]byte{5, byte(len(methods))}, methods...), 2)[1])
	if got[0] == 0xff {
		return got
	}
	if got[0] == 2 {
		b := append([]byte{1, byte(len(user))}, user...)
		b = append(append(b, byte(len(password))), password...)
		if got[1] = int(ask(b, 2)[1]); got[1] != 0 {
			return got
		}
	}
	at := append([]byte{5, 1, 0, kind}, host...)
	answer := ask(append(at, byte(port>>8), byte(port)), 10)
	got[2] = int(answer[1])
	return got
}

func TestASOCKSProxyChecksAndDials(t *testing.T) {
	const name, ipv4 = 3, 1
	onStreet(t, func(t *testing.T, s *street) {
		s.run(":1080", &box.SOCKS5{Connect: 5 * time.Second, Allow: []uint16{443, 444}})
		s.run(":1081", &box.SOCKS5{User: "ward", Password: "sesame", Connect: 5 * time.Second})
		l := s.listen(s.server, ":443")
		open, asking := "mid:1080", "mid:1081"
		for _, c := range []struct {
			what, proxy    string
			methods        []byte
			user, password string
			kind           byte
			host           string
			port           uint16
			want           [3]int
		}{
			{"no method in common", open, []byte{2}, "", "", name, "\x06server", 443, [3]int{0xff, -1, -1}},
			{"a name", open, []byte{0, 2}, "", "", name, "\x06server", 443, [3]int{0, -1, 0}},
			{"an address", open, []byte{0}, "", "", ipv4, string(s.server.Addr().AsSlice()), 443, [3]int{0, -1, 0}},
			{"nobody listens", open, []byte{0}, "", "", name, "\x06server", 444, [3]int{0, -1, 5}},
			{"an unknown name", open, []byte{0}, "", "", name, "\x05nobod", 443, [3]int{0, -1, 4}},
			{"no such host", open, []byte{0}, "", "", ipv4, "\xc6\x33\x64\x4d", 443, [3]int{0, -1, 4}},
			{"a forbidden port", open, []byte{0}, "", "", name, "\x06server", 22, [3]int{0, -1, 2}},
			{"no password", asking, []byte{0}, "", "", name, "\x06server", 443, [3]int{0xff, -1, -1}},
			{"a wrong password", asking, []byte{0, 2}, "ward", "open", name, "\x06server", 443, [3]int{2, 1, -1}},
			{"a right password", asking, []byte{2}, "ward", "sesame", name, "\x06server", 443, [3]int{2, 0, 0}},
		} {
			near := s.dial(c.proxy)
			got := s.socks(near, c.methods, c.user, c.password, c.kind, c.host, c.port)
			if got != c.want {
				t.Errorf("%s: %v, want %v", c.what, got, c.want)
			}
			if got[2] == 0 {
				s.greetings(near, s.accept(l))
			} else if _, err := ending(near, time.Second); err != io.EOF {
				t.Errorf("%s: ends with %v", c.what, err)
			}
		}
		s.w.Inject(netem.Cut{Host: s.server})
		if got := s.socks(s.dial(open), []byte{0}, "", "", name, "\x06server", 443); got[2] != 6 {
			t.Errorf("cut off: %v, want 6", got)
		}
	})
}

func TestATCPProxyIntroducesTurnsAndSorts(t *testing.T) {
	onStreet(t, func(t *testing.T, s *street) {
		one, two := s.listen(s.server, ":1001"), s.listen(s.server, ":1002")
		for version := 1; version <= 2; version++ {
			r := s.run(":0", &box.TCPProxy{To: []string{"server:1001"}, SendProxy: version})
			port := r.Addr().(*net.TCPAddr).AddrPort().Port()
			near := s.dial(netip.AddrPortFrom(s.mid.Addr(), port).String())
			far := s.accept(one)
			from := near.LocalAddr().(*net.TCPAddr).AddrPort()
			want := netem.ProxyHeader(version, from, netip.AddrPortFrom(s.mid.Addr(), port))
			got := make([]byte, len(want))
			if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("version %d: the server reads %q, want %q", version, got, want)
			}
			s.greetings(near, far)
		}
		s.run(":2000", &box.TCPProxy{To: []string{"server:1001", "server:1003", "server:1002"}})
		for i, l := range []net.Listener{one, two, two, one} { // nobody is at 1003: the next one gets it
			near := s.dial("mid:2000")
			s.greetings(near, s.accept(l))
			t.Logf("connection %d has come to %s", i, l.Addr())
		}
		s.run(":2001", &box.TCPProxy{To: []string{"server:1001"}, ByName: map[string]string{"two.example": "server:1002"}})
		for name, l := range map[string]net.Listener{"two.example": two, "else.example": one} {
			near := s.dial("mid:2001")
			go func() {
				_ = tls.Client(near, &tls.Config{ServerName: name}).Handshake() // nobody answers it
			}()
			far := s.accept(l)
			b := make([]byte, 1)
			if _, err := io.ReadFull(far, b); err != nil || b[0] != 0x16 {
				t.Errorf("%s: the server reads % x, %v; want a ClientHello", name, b, err)
			}
			_ = far.Close()
			_ = near.Close()
		}
		near := s.dial("mid:2001")
		if _, err := near.Write([]byte("no TLS")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 6)
		if _, err := io.ReadFull(s.accept(one), got); err != nil || string(got) != "no TLS" {
			t.Errorf("what is no TLS: %q, %v", got, err)
		}
	})
}

func TestAProgramThatEndsEndsItsConnections(t *testing.T) {
	onStreet(t, func(t *testing.T, s *street) {
		r := s.run(":2000", &box.TCPProxy{To: []string{"server:443"}})
		l := s.listen(s.server, ":443")
		near := s.dial("mid:2000")
		far := s.accept(l)
		s.greetings(near, far)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := ending(near, time.Second); err != io.EOF {
			t.Errorf("the client reads %v", err)
		}
		if _, err := ending(far, time.Second); err != io.EOF {
			t.Errorf("the server reads %v", err)
		}
		if _, err := s.client.DialContext(t.Context(), "tcp", "mid:2000"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("afterwards: %v", err)
		}
		if n := r.Total(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}

// TestOtherProgramsMisbehaveToo: refusals and delays, each in the program's own language.
func TestOtherProgramsMisbehaveToo(t *testing.T) {
	onStreet(t, func(t *testing.T, s *street) {
		socks, tcp, web := &box.SOCKS5{}, &box.TCPProxy{To: []string{"server:443"}}, &box.HTTPBalancer{To: []string{"server:443"}}
		s.run(":1080", socks)
		s.run(":2000", tcp)
		s.run(":80", web)
		l := s.listen(s.server, ":443")
		refused := box.Misbehaviour{Status: http.StatusServiceUnavailable, Delay: 2 * time.Second}
		for _, p := range []interface {
			Fault(kind, where string, m box.Misbehaviour) netem.Fault
		}{socks, tcp, web} {
			defer s.w.Inject(p.Fault("proxy.refuse", "mid", refused))()
		}
		began := time.Now()
		if got := s.socks(s.dial("mid:1080"), []byte{0}, "", "", 3, "\x06server", 443); got[2] != 1 {
			t.Errorf("SOCKS: %v, want a failure", got)
		}
		if _, err := ending(s.dial("mid:2000"), time.Minute); err != io.EOF {
			t.Errorf("TCP: %v, want the end", err)
		}
		c := s.dial("mid:80")
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(c); !strings.HasPrefix(string(got), "HTTP/1.1 503 ") {
			t.Errorf("HTTP: %q", got)
		}
		if d := time.Since(began).Truncate(time.Second); d != 6*time.Second {
			t.Errorf("the three took %v, want 2 s each", d)
		}
		_ = l.Close()
	})
}
