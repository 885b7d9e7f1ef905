// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fairlead/netem"
	"fairlead/netem/box"
)

// serveTLS answers TLS connections to the server with one line, and says what came with them.
func (s *street) serveTLS(l net.Listener, c tls.Certificate, said chan<- tls.ConnectionState) {
	for {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		t := tls.Server(raw, &tls.Config{
			Certificates: []tls.Certificate{c}, NextProtos: []string{"work/1"}, ClientAuth: tls.RequestClientCert,
		})
		if t.Handshake() == nil {
			said <- t.ConnectionState()
			_, _ = io.WriteString(t, "good evening\n")
		}
		_ = t.Close()
	}
}

// TestAnInspectorShowsACertificateOfItsOwn: wherever it is, and nobody but it sees both sides.
func TestAnInspectorShowsACertificateOfItsOwn(t *testing.T) {
	for _, where := range []string{"outside", "inside"} {
		at := netip.MustParseAddr("198.51.100.3")
		if where == "inside" {
			at = netip.MustParseAddr("192.168.7.3")
		}
		trap := netem.NewIntercept(netem.InterceptSpec{To: netip.AddrPortFrom(at, 8443), Ports: []uint16{443}})
		onStreet(t, func(t *testing.T, s *street) {
			company, own := authority(t, "Company CA"), authority(t, "Server's own CA")
			inspector := s.mid
			if where == "inside" {
				inspector = s.inside.Host("inspector", netem.HostSpec{Addr: at})
			}
			r, err := box.Run(s.t.Context(), inspector, ":8443", &box.TLSInspector{Authority: company})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			certificate, err := own.Certificate("server.example")
			if err != nil {
				t.Fatal(err)
			}
			l := s.listen(s.server, ":443")
			said := make(chan tls.ConnectionState, 10)
			go s.serveTLS(l, certificate, said)
			defer func() { _ = l.Close() }()

			raw := s.dial("server:443")
			mine, err := own.Certificate("client.example")
			if err != nil {
				t.Fatal(err)
			}
			c := tls.Client(raw, &tls.Config{
				ServerName: "server.example", NextProtos: []string{"work/1"}, RootCAs: pool(company), Certificates: []tls.Certificate{mine},
			})
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || line != "good evening\n" {
				t.Fatalf("%s: read %q, %v", where, line, err)
			}
			if got := c.ConnectionState(); got.NegotiatedProtocol != "work/1" || got.PeerCertificates[0].Issuer.CommonName != "Company CA" {
				t.Errorf("%s: protocol %q, issuer %s", where, got.NegotiatedProtocol, got.PeerCertificates[0].Issuer)
			}
			if got := <-said; len(got.PeerCertificates) != 0 || got.ServerName != "server.example" {
				t.Errorf("%s: the server saw %d certificates and the name %q", where, len(got.PeerCertificates), got.ServerName)
			}
			if at := raw.RemoteAddr().String(); at != "198.51.100.2:443" {
				t.Errorf("%s: the client believes to speak with %s", where, at)
			}
			_ = c.Close()

			t.Log("who knows the right certificate is not taken in")
			picky := tls.Client(s.dial("server:443"), &tls.Config{ServerName: "server.example", RootCAs: pool(own)})
			if _, is := errors.AsType[x509.UnknownAuthorityError](picky.Handshake()); !is {
				t.Errorf("%s: a client that knows better was taken in", where)
			}
			<-said
			if n := trap.Flows(); n != 2 {
				t.Errorf("%s: %d connections were taken, want 2: the inspector's own are left alone", where, n)
			}
		}, trap)
	}
}

func TestAnInterceptTakesNewConnectionsToItsPortsAlone(t *testing.T) {
	trap := netem.NewIntercept(netem.InterceptSpec{To: ap("198.51.100.3:8443"), Ports: []uint16{443}})
	onStreet(t, func(t *testing.T, s *street) {
		here, there := s.listen(s.mid, ":8443"), s.listen(s.server, ":444")
		s.dial("server:444")
		if _, led := s.accept(there).(*netem.Conn).OriginalDst(); led {
			t.Error("a connection to another port was led astray")
		}
		near := s.dial("server:443")
		far := s.accept(here)
		if dst, led := far.(*netem.Conn).OriginalDst(); !led || dst != ap("198.51.100.2:443") {
			t.Errorf("the interceptor learns of %s, %v", dst, led)
		}
		s.greetings(near, far)
		s.w.Inject(netem.Flush{Box: trap})
		if lives(near, far) {
			t.Error("the connection lives on after a flush")
		}
		s.dial("mid:8443")
		if _, led := s.accept(here).(*netem.Conn).OriginalDst(); led {
			t.Error("a connection to the interceptor itself has another destination")
		}
	}, trap)
}

func TestACaptivePortalAnswersEverything(t *testing.T) {
	trap := netem.NewIntercept(netem.InterceptSpec{To: ap("198.51.100.3:8000")})
	onStreet(t, func(t *testing.T, s *street) {
		hotel := authority(t, "Hotel CA")
		s.run(":8000", &box.CaptivePortal{Page: "http://portal.example/login", Authority: hotel, Name: "portal.example"})
		ask := func(c net.Conn) *http.Response {
			if _, err := io.WriteString(c, "GET /x HTTP/1.1\r\nHost: server\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := ask(s.dial("server:80")); r.StatusCode != http.StatusFound || r.Header.Get("Location") != "http://portal.example/login" {
			t.Errorf("HTTP: %s to %s", r.Status, r.Header.Get("Location"))
		}
		honest := tls.Client(s.dial("server:443"), &tls.Config{ServerName: "server", RootCAs: pool(hotel)})
		if _, is := errors.AsType[x509.HostnameError](honest.Handshake()); !is {
			t.Error("TLS: the certificate is for the server's name")
		}
		careless := tls.Client(s.dial("server:443"), &tls.Config{InsecureSkipVerify: true})
		if r := ask(careless); r.StatusCode != http.StatusFound {
			t.Errorf("HTTPS: %s", r.Status)
		}
		silent := s.dial("server:22")
		if after, err := ending(silent, time.Hour); err != io.EOF || after > 2*time.Minute {
			t.Errorf("who says nothing: %v after %v", err, after)
		}
	}, trap)
}

func TestAnHTTPBalancerForwardsRequestsAndNothingElse(t *testing.T) {
	onStreet(t, func(t *testing.T, s *street) {
		cloud := authority(t, "Cloud CA")
		s.run(":443", &box.HTTPBalancer{
			Authority: cloud, Name: "front.example", To: []string{"server:80"}, Idle: time.Minute, Connect: 5 * time.Second,
		})
		l := s.listen(s.server, ":80")
		web := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.URL.Path == "/slow" {
				s.rest(2 * time.Minute)
			}
			_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-Proto")+" "+string(body))
		})}
		done := make(chan error, 1)
		go func() { done <- web.Serve(l) }()
		c := s.trusting(s.dial("mid:443"), cloud, "front.example")
		in := bufio.NewReader(c)
		for _, body := range []string{"one", strings.Repeat("two", 100000)} {
			r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://front.example/x", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Write(c); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(in, r)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(answer.Body); err != nil || string(got) != "https "+body {
				t.Errorf("the answer has %d bytes, %v; want %d", len(got), err, len(body)+6)
			}
		}
		if _, err := io.WriteString(c, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if after, err := ending(c, time.Hour); err == nil || after.Round(time.Second) != time.Minute {
			t.Errorf("an answer that takes too long: %v after %v, want the end after a minute", err, after)
		}
		c = s.trusting(s.dial("mid:443"), cloud, "front.example")
		if _, err := c.Write([]byte{0, 1, 2, 3, '\n', '\n'}); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); !bytes.HasPrefix(got, []byte("HTTP/1.1 400 ")) {
			t.Errorf("what is no HTTP: %q, %v", got, err)
		}
		s.w.Inject(netem.Off{Host: s.server})
		c = s.trusting(s.dial("mid:443"), cloud, "front.example")
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != http.StatusBadGateway {
			t.Errorf("no server: %+v, %v", r, err)
		}
		_ = web.Close()
		<-done
		s.rest(2 * time.Minute) // the slow answer's
	})
}

// TestCertificatesAreTheSameInEveryRun: a key or a signature that differs would change every later byte
// of a run.
func TestCertificatesAreTheSameInEveryRun(t *testing.T) {
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	var got [3]tls.Certificate
	for i, seed := range []uint64{7, 7, 8} {
		a, err := box.NewAuthority("Company CA", seed, now)
		if err != nil {
			t.Fatal(err)
		}
		if got[i], err = a.Certificate("server.example"); err != nil {
			t.Fatal(err)
		}
		again, err := a.Certificate("server.example")
		if err != nil || !bytes.Equal(again.Certificate[0], got[i].Certificate[0]) {
			t.Errorf("asked again, the authority issues another certificate: %v", err)
		}
		leaf, err := x509.ParseCertificate(got[i].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(a.Root())
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "server.example", CurrentTime: now}); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if !bytes.Equal(got[0].Certificate[0], got[1].Certificate[0]) || bytes.Equal(got[0].Certificate[0], got[2].Certificate[0]) {
		t.Error("certificates are not a function of the seed")
	}
}

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
