// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/link"
)

func TestP3GreetingsAreNamed(t *testing.T) {
	cases := []struct {
		name, bytes string
		want        link.Greeting
	}{
		{"TLS 1.3 hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", link.GreetingTLS},
		{"TLS 1.0 hello", "\x16\x03\x00\x00\x40\x01", link.GreetingTLS},
		{"SSL 2 hello", "\x80\x2e\x01\x00\x02", link.GreetingOther},
		{"handshake of no version", "\x16\x07\x07abc", link.GreetingOther},
		{"browser", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", link.GreetingHTTP},
		{"upload", "POST /api HTTP/1.1\r\n", link.GreetingHTTP},
		{"proxy request", "CONNECT server:10943 HTTP/1.1\r\n", link.GreetingHTTP},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", link.GreetingHTTP},
		{"HTTP answer", "HTTP/1.1 400 Bad Request\r\n", link.GreetingAnswer},
		{"PROXY v1", "PROXY TCP4 192.0.2.1 192.0.2.2 5000 10943\r\n", link.GreetingProxy1},
		{"PROXY v2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", link.GreetingProxy2},
		{"SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", link.GreetingSSH},
		{"Tentacle without TLS", "MX-CLIENT 1.0\r\n", link.GreetingHalibut},
		{"almost GET", "GETX", link.GreetingOther},
		{"blank", "\r\n", link.GreetingOther},
		{"random", "\x00\x01\x02\x03\x04\x05\x06\x07", link.GreetingOther},
		{"one byte, then silence", "G", link.GreetingOther},
		{"hello of a line without TLS", "\x00\x00\x00\x40\x01" + strings.Repeat("\x00", 11), link.GreetingLink},
		{"request to join without TLS", "\x00\x00\x02\x10{\"request\":\"e30=\"", link.GreetingLink},
		{"zeros", strings.Repeat("\x00", 16), link.GreetingOther},
		{"some zeros", "\x00\x00\x00", link.GreetingOther},
		{"nothing", "", link.GreetingSilent},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, piece := range []int{1, 3, 4096} {
				synctest.Test(t, func(t *testing.T) { sniffOnce(t, c.bytes, piece, c.want) })
			}
		})
	}
}

// sniffOnce sends text in pieces and expects its name, and all of it again from the connection.
func sniffOnce(t *testing.T, text string, piece int, want link.Greeting) {
	near, far := net.Pipe()
	var peer sync.WaitGroup
	peer.Go(func() {
		for sent := 0; sent < len(text); sent += piece {
			if _, err := far.Write([]byte(text[sent:min(len(text), sent+piece)])); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(10 * time.Second)
		far.Close()
	})
	began := time.Now()
	got, conn, err := link.Sniff(t.Context(), near, link.GreetingLimit)
	if err != nil || got != want || (got.Remark() == "") != (got == link.GreetingTLS) {
		t.Errorf("named %q, %v: want %q", got, err, want)
	}
	if took := time.Since(began); took > link.GreetingLimit {
		t.Errorf("took %v", took)
	}
	if again, err := io.ReadAll(conn); err != nil || string(again) != text {
		t.Errorf("the connection gives %q, %v: want %q", again, err, text)
	}
	near.Close()
	peer.Wait()
}

// A port check opens and closes; it is told apart from somebody who holds a connection.
func TestPortCheckIsNoSilence(t *testing.T) {
	near, far := net.Pipe()
	far.Close()
	if got, _, err := link.Sniff(t.Context(), near, link.GreetingLimit); got != link.GreetingNothing || err != nil {
		t.Errorf("named %q, %v", got, err)
	}
}

func TestP4GreetingDribbled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		var peer sync.WaitGroup
		peer.Go(func() {
			for _, b := range []byte("OPTIONS * HTTP/1.1\r\n") {
				if _, err := far.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(4 * time.Second)
			}
		})
		began := time.Now()
		if got, _, err := link.Sniff(t.Context(), near, link.GreetingLimit); got != link.GreetingOther || err != nil {
			t.Errorf("named %q, %v", got, err)
		}
		if took := time.Since(began); took != link.GreetingLimit {
			t.Errorf("took %v: the limit is for all bytes together", took)
		}
		far.Close()
		peer.Wait()
	})
}

func TestSniffEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := link.Sniff(ctx, near, link.GreetingLimit); errkind.Of(err) != errkind.Timeout {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestRemarksAreSentences(t *testing.T) {
	for _, g := range []link.Greeting{
		link.GreetingHTTP, link.GreetingAnswer, link.GreetingProxy1, link.GreetingProxy2, link.GreetingSSH, link.GreetingHalibut,
		link.GreetingLink, link.GreetingNothing, link.GreetingSilent, link.GreetingOther,
	} {
		if len(strings.Fields(g.Remark())) < 5 {
			t.Errorf("%s is explained as %q", g, g.Remark())
		}
	}
}
