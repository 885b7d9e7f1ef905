// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box_test

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
	"fairlead/netem/box"
)

// street is a client, a machine for the box, and a server, 10 ms from each other.
type street struct {
	t                   *testing.T
	w                   *netem.World
	inside, outside     *netem.Net
	client, mid, server *netem.Host
	edge                *netem.Edge
}

// onStreet runs a test in a bubble. The boxes lie on the edge between the client and the others.
func onStreet(t *testing.T, f func(t *testing.T, s *street), boxes ...netem.Box) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := netem.New(netem.Options{Seed: 1, Wait: synctest.Wait})
		defer w.Close()
		s := &street{t: t, w: w}
		s.inside = w.Net("ward", netip.MustParsePrefix("192.168.7.0/24"))
		s.outside = w.Net("internet", netip.MustParsePrefix("0.0.0.0/0"))
		s.edge = w.Join(s.inside, s.outside, netem.Symmetric(netem.LinkSpec{Latency: netem.Fixed(10 * time.Millisecond)}), boxes...)
		quiet := netem.HostSpec{KeepAlive: net.KeepAliveConfig{Idle: time.Second}} // off
		quiet.Addr = netip.MustParseAddr("192.168.7.10")
		s.client = s.inside.Host("client", quiet)
		quiet.Addr = netip.MustParseAddr("198.51.100.3")
		s.mid = s.outside.Host("mid", quiet)
		quiet.Addr = netip.MustParseAddr("198.51.100.2")
		s.server = s.outside.Host("server", quiet)
		f(t, s)
	})
}

// run starts a program on the machine in the middle.
func (s *street) run(address string, p box.Program) *box.Running {
	s.t.Helper()
	r, err := box.Run(s.t.Context(), s.mid, address, p)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = r.Close() })
	return r
}

func (s *street) listen(h *netem.Host, address string) net.Listener {
	s.t.Helper()
	l, err := h.Listen(s.t.Context(), "tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *street) dial(address string) net.Conn {
	s.t.Helper()
	c, err := s.client.DialContext(s.t.Context(), "tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *street) accept(l net.Listener) net.Conn {
	s.t.Helper()
	c, err := l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// rest lets time pass.
func (s *street) rest(d time.Duration) { time.Sleep(d) }

// say writes on one connection and wants to read it on the other.
func (s *street) say(from, to net.Conn, text string) {
	s.t.Helper()
	if _, err := from.Write([]byte(text)); err != nil {
		s.t.Fatalf("write %q: %v", text, err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to, got); err != nil || string(got) != text {
		s.t.Fatalf("read %q, %v; want %q", got, err, text)
	}
}

// lives reports whether bytes get through within a few seconds.
func lives(from, to net.Conn) bool {
	if _, err := from.Write([]byte("?")); err != nil {
		return false
	}
	_ = to.SetReadDeadline(time.Now().Add(5 * time.Second))
	defer func() { _ = to.SetReadDeadline(time.Time{}) }()
	_, err := io.ReadFull(to, make([]byte, 1))
	return err == nil
}

// ending reads until the connection ends, and says how and when. A connection that does not end is
// nil after limit.
func ending(c net.Conn, limit time.Duration) (after time.Duration, err error) {
	began := time.Now()
	_ = c.SetReadDeadline(began.Add(limit))
	defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	for err == nil {
		_, err = c.Read(make([]byte, 100))
	}
	if timeout, is := errors.AsType[net.Error](err); is && timeout.Timeout() {
		err = nil
	}
	return time.Since(began), err
}

func pool(a *box.Authority) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.Root())
	return p
}

// connect asks a proxy for a tunnel and returns the status. user is "name:password", or "".
func (s *street) connect(c net.Conn, to, user string) int {
	s.t.Helper()
	head := "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n"
	if user != "" {
		head += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user)) + "\r\n"
	}
	if _, err := io.WriteString(c, head+"\r\n"); err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodConnect})
	if err != nil {
		s.t.Fatalf("no answer to CONNECT: %v", err)
	}
	return answer.StatusCode
}
