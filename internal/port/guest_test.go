// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port_test

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/link"
	"fairlead/internal/port"
)

// Headers of balancers.
const (
	header1     = "PROXY TCP4 198.51.100.7 192.0.2.1 50000 10943\r\n"
	header2     = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\xc0\x00\x02\x01\xc3\x50\x2a\xbf"
	headerLocal = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
)

func balancers() netip.Prefix { return netip.MustParsePrefix("10.0.0.0/24") }

// TestBalancersClientIsThePeer: the client that a listed balancer names is what handlers see.
func TestBalancersClientIsThePeer(t *testing.T) {
	for name, test := range map[string]struct{ from, header, want string }{
		"text":           {"10.0.0.9:1", header1, "198.51.100.7:50000"},
		"binary":         {"10.0.0.9:1", header2, "198.51.100.7:50000"},
		"mapped address": {"[::ffff:10.0.0.9]:1", header1, "198.51.100.7:50000"},
		"six": {
			"10.0.0.9:1", "PROXY TCP6 2001:db8::7 2001:db8::1 50000 10943\r\n", "[2001:db8::7]:50000",
		},
		"for itself": {"10.0.0.9:1", headerLocal, "10.0.0.9:1"},
		"unknown":    {"10.0.0.9:1", "PROXY UNKNOWN\r\n", "10.0.0.9:1"},
		"unlisted":   {"10.0.1.9:1", "", "10.0.1.9:1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, 10, 10, balancers())
				defer b.close()
				conn := b.listener.dial(test.from)
				if _, err := io.WriteString(conn, test.header); err != nil {
					t.Fatal(err)
				}
				b.shakeHands(t, conn)
				if got := <-b.remotes; got != test.want {
					t.Errorf("the peer is %s, want %s", got, test.want)
				}
			})
		})
	}
}

// TestBalancerAndPortDisagree covers a header that is missing, unexpected, cut or broken.
func TestBalancerAndPortDisagree(t *testing.T) {
	for name, test := range map[string]struct{ from, bytes, says string }{
		"missing before TLS": {
			"10.0.0.9:1", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "no PROXY header from 10.0.0.9:1, which proxy_protocol_from lists",
		},
		"missing":    {"10.0.0.9:1", "GET / HTTP/1.1\r\n\r\n", "no PROXY header"},
		"unexpected": {"10.0.1.9:1", header1, "PROXY protocol from an address"},
		"twice":      {"10.0.0.9:1", header1 + header1, "PROXY protocol from an address"},
		"cut":        {"10.0.0.9:1", header2[:20], "cut short"},
		"broken":     {"10.0.0.9:1", "PROXY TCP4 1 2 3 4\r\n", "no address and port"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, 10, 10, balancers())
				defer b.close()
				conn := b.listener.dial(test.from)
				_, _ = io.WriteString(conn, test.bytes)
				conn.Close()
				synctest.Wait()
				if log := b.log.String(); !strings.Contains(log, test.says) || !strings.Contains(log, "cause=proxy_protocol") ||
					!strings.Contains(log, diagnosis.ProxyProtocol.Sentence()) {
					t.Errorf("log %q does not say %q", log, test.says)
				}
				if c := b.port.Counts(); c.Refused != 1 || c.Checks != 0 {
					t.Errorf("counts %+v", c)
				}
			})
		})
	}
}

// TestPortChecksAreNoEvents: what a balancer does to see whether the port is open costs neither a
// line in the log nor a place among the strangers.
func TestPortChecksAreNoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 4, 2, balancers())
		defer b.close()
		for range 100 {
			for from, header := range map[string]string{"10.0.1.9:1": "", "10.0.0.9:1": "", "10.0.0.8:1": headerLocal, "10.0.0.7:1": header1} {
				conn := b.listener.dial(from)
				_, _ = io.WriteString(conn, header)
				conn.Close()
				synctest.Wait()
			}
		}
		if c := b.port.Counts(); c != (port.Counts{Accepted: 400, Checks: 400}) || b.log.String() != "" {
			t.Errorf("counts %+v, log %q", c, b.log)
		}
	})
}

// TestClientsBehindABalancerAreCountedApart: a source is the client, not the balancer.
func TestClientsBehindABalancerAreCountedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 20, 2, balancers())
		defer b.close()
		var silent []net.Conn
		for range 4 {
			for _, client := range []string{"198.51.100.7", "198.51.100.8"} {
				conn := b.listener.dial("10.0.0.9:1")
				_, _ = io.WriteString(conn, "PROXY TCP4 "+client+" 192.0.2.1 50000 10943\r\n")
				silent = append(silent, conn)
			}
		}
		synctest.Wait()
		if c := b.port.Counts(); c.OverLimit != 4 {
			t.Errorf("counts %+v, want 2 of each client to stay", c)
		}
		time.Sleep(port.HandshakeLimit)
		synctest.Wait()
		if c := b.port.Counts(); c.OverLimit != 4 || c.Refused != 4 {
			t.Errorf("counts %+v", c)
		}
		for _, conn := range silent {
			conn.Close()
		}
		b.shakeHands(t, b.listener.dial("198.51.100.7:1"))
	})
}

// TestP4HeaderDribbled: the limit is for the header, not for each of its bytes.
func TestP4HeaderDribbled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10, 10, balancers())
		defer b.close()
		conn, began := b.listener.dial("10.0.0.9:1"), time.Now()
		_, err := io.WriteString(conn, "PROXY ")
		for ; err == nil; _, err = conn.Write([]byte{'x'}) {
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took > link.GreetingLimit+2*time.Second {
			t.Errorf("the port listened for %v", took)
		}
	})
}
