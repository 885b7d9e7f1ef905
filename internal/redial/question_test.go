// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package redial_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/redial"
	"fairlead/internal/trust"
)

// street is a network with one box behind every address.
type street struct {
	box   func(conn net.Conn, first byte)
	group *sync.WaitGroup

	mu     sync.Mutex
	firsts []byte // of each connection: 0x16 for TLS, 'G' for a question
}

func (s *street) DialContext(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	s.group.Go(func() {
		read := bufio.NewReader(far)
		first, err := read.Peek(1)
		if err != nil {
			far.Close()
			return
		}
		s.mu.Lock()
		s.firsts = append(s.firsts, first[0])
		s.mu.Unlock()
		sent := make(chan []byte, 16)
		s.group.Go(func() {
			for b := range sent {
				_, _ = far.Write(b)
			}
			far.Close()
		})
		s.box(buffered{far, read, sent}, first[0])
		close(sent)
	})
	return near, nil
}

func (*street) Listen(context.Context, string, string) (net.Listener, error) {
	return nil, net.ErrClosed
}

func (*street) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, net.ErrClosed
}

// buffered is a connection whose first bytes were looked at and whose writes do not wait.
type buffered struct {
	net.Conn
	read *bufio.Reader
	sent chan []byte
}

func (p buffered) Read(b []byte) (int, error) { return p.read.Read(b) }

func (p buffered) Write(b []byte) (int, error) {
	p.sent <- append([]byte(nil), b...)
	return len(b), nil
}

// answering is a box that ends TLS with a key of its own and gives this answer to plain HTTP.
func answering(t *testing.T, answer string) func(net.Conn, byte) {
	t.Helper()
	own, err := trust.NewIdentity("box", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return func(conn net.Conn, first byte) {
		if first == 0x16 {
			_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{own.Certificate}}).Handshake()
			return
		}
		if _, err := io.ReadFull(conn, make([]byte, len("GET / HTTP/1.1\r\nHost: deploy.example.com:10943\r\n"))); err == nil {
			_, _ = io.WriteString(conn, answer)
		}
	}
}

// troubles keeps a line through the box for five tries and returns what was said of each.
func troubles(t *testing.T, s *street) (all []error) {
	t.Helper()
	var group sync.WaitGroup
	s.group = &group
	defer group.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	agent, err := trust.NewIdentity("agent", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	redial.Keep(ctx, redial.Terms{
		Net: s, Rand: rand.New(rand.NewPCG(1, 1)), Address: "deploy.example.com:10943",
		Dialler: func() (*trust.Dialler, error) {
			return trust.NewDialler(trust.DialTerms{
				Identity: agent, Pins: []trust.Pin{{1}}, Role: trust.RoleServer, Protocol: trust.LinkProtocol, Wall: time.Now,
				Accept: trust.AcceptOnly(trust.Grant{Role: trust.RoleServer, Subject: "s"}, trust.Pin{1}),
			})
		},
		Serve: func(context.Context, *tls.Conn, trust.Peer, time.Duration) error {
			t.Error("a box was taken for the server")
			return net.ErrClosed
		},
		Ended: func(err error, _ time.Duration) {
			if all = append(all, err); len(all) == 5 {
				stop()
			}
		},
	})
	return all
}

func TestCaptivePortalGetsItsName(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		want   diagnosis.Cause
		says   string
	}{
		"redirect": {
			"HTTP/1.1 302 Found\r\nLocation: http://portal.hotel.example/login\r\n\r\n", diagnosis.CaptivePortal,
			`answers 302 and leads to "http://portal.hotel.example/login"`,
		},
		"status 511":    {"HTTP/1.1 511 Network Authentication Required\r\n\r\n", diagnosis.CaptivePortal, "answers 511"},
		"its own page":  {"HTTP/1.1 302 Found\r\nLocation: /app\r\n\r\n", diagnosis.WrongServer, "peer proved pin"},
		"to HTTPS":      {"HTTP/1.1 301 Moved\r\nLocation: https://DEPLOY.example.com/\r\n\r\n", diagnosis.WrongServer, "peer proved pin"},
		"plain refusal": {"HTTP/1.1 400 Bad Request\r\n\r\n", diagnosis.WrongServer, "peer proved pin"},
		"no answer":     {"", diagnosis.WrongServer, "peer proved pin"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &street{box: answering(t, test.answer)}
				for i, err := range troubles(t, s) {
					if diagnosis.Of(err) != test.want || errkind.Hint(err) != test.want.Sentence() ||
						!strings.Contains(err.Error(), test.says) || errkind.Of(err) != errkind.Untrusted {
						t.Errorf("try %d: %v (cause %q, hint %q), want %q", i, err, diagnosis.Of(err), errkind.Hint(err), test.want)
					}
				}
				if got := strings.Count(string(s.firsts), "G"); got != 1 {
					t.Errorf("%d questions for one trouble", got)
				}
			})
		})
	}
}

func TestSilentBoxIsNotAskedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var group sync.WaitGroup
		s := &street{group: &group, box: func(conn net.Conn, _ byte) { _, _ = io.Copy(io.Discard, conn) }}
		began := time.Now()
		_, err := redial.Ask(t.Context(), s, "server:10943")
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != 5*time.Second {
			t.Errorf("asked for %v: %v", took, err)
		}
		group.Wait()
	})
}

// failing is a network that fails in one way.
type failing struct {
	pipes
	err error
}

func (f failing) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, f.err
}

func TestDialNamesTheCause(t *testing.T) {
	for want, cause := range map[diagnosis.Cause]error{
		diagnosis.UnknownName: &net.DNSError{Err: "no such host", Name: "server", IsNotFound: true},
		diagnosis.DNSSilent:   &net.DNSError{Err: "i/o timeout", Name: "server", IsTimeout: true},
		diagnosis.PortClosed:  os.NewSyscallError("connect", syscall.ECONNREFUSED),
		diagnosis.NoRoute:     os.NewSyscallError("connect", syscall.EHOSTUNREACH),
		diagnosis.Cut:         os.NewSyscallError("connect", syscall.ECONNRESET),
		diagnosis.NoAnswer:    os.NewSyscallError("connect", syscall.ETIMEDOUT),
	} {
		_, err := redial.Dial(t.Context(), failing{err: &net.OpError{Op: "dial", Net: "tcp", Err: cause}}, "server:10943")
		if diagnosis.Of(err) != want || errkind.Hint(err) != want.Sentence() || errkind.Of(err) != errkind.Unavailable {
			t.Errorf("%v: cause %q, kind %v, hint %q", err, diagnosis.Of(err), errkind.Of(err), errkind.Hint(err))
		}
	}
	named := diagnosis.Name(errkind.Denied.Errorf("proxy says no"), diagnosis.ProxyRefused)
	_, err := redial.Dial(t.Context(), failing{err: named}, "server:10943")
	if diagnosis.Of(err) != diagnosis.ProxyRefused || errkind.Of(err) != errkind.Denied || err.Error() != "dial server:10943: proxy says no" {
		t.Errorf("%v: cause %q, kind %v", err, diagnosis.Of(err), errkind.Of(err))
	}
}

// TestABoxThatEndsTLSCarriesWordToTheServer: what stands behind an offloader sees a request in the
// clear, without a certificate, a pin or any other secret of ours.
func TestABoxThatEndsTLSCarriesWordToTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, err := trust.NewIdentity("alb", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		behind := make(chan string, 1)
		s := &street{group: &group, box: func(conn net.Conn, first byte) {
			if first != 0x16 {
				return
			}
			ended := tls.Server(conn, &tls.Config{
				Certificates: []tls.Certificate{box.Certificate}, NextProtos: []string{"http/1.1"}, ClientAuth: tls.RequestClientCert,
			})
			line, err := bufio.NewReader(ended).ReadString('\n')
			if n := len(ended.ConnectionState().PeerCertificates); err == nil && n == 0 {
				behind <- line
			}
		}}
		asked := diagnosis.Name(errkind.Untrusted.Errorf("peer proved pin x"), diagnosis.TLSOffload)
		if got := redial.Refine(t.Context(), s, "alb:10943", asked); diagnosis.Of(got) != diagnosis.TLSOffload {
			t.Errorf("Refine = %v", got)
		}
		group.Wait()
		select {
		case line := <-behind:
			if line != "GET / HTTP/1.1\r\n" {
				t.Errorf("the server saw %q", line)
			}
		default:
			t.Error("no word came to the server")
		}
	})
}
