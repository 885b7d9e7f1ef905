// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"time"

	"fairlead/internal/errkind"
)

// Greeting is what the first bytes of a connection are.
type Greeting string

// The greetings.
const (
	GreetingTLS     Greeting = "tls"
	GreetingHTTP    Greeting = "http"          // a request without TLS
	GreetingAnswer  Greeting = "http-answer"   // somebody answers in HTTP
	GreetingProxy1  Greeting = "proxy-v1"      // HAProxy's PROXY protocol, text
	GreetingProxy2  Greeting = "proxy-v2"      // and binary
	GreetingSSH     Greeting = "ssh"           //
	GreetingHalibut Greeting = "halibut-plain" // a Tentacle's first line, without TLS around it
	GreetingLink    Greeting = "link-plain"    // our own line, or a request to join, without TLS
	GreetingNothing Greeting = "nothing"       // closed before the first byte
	GreetingSilent  Greeting = "silent"        // open, and no byte within the limit
	GreetingOther   Greeting = "other"
)

const (
	// maxGreetingBytes decides every greeting.
	maxGreetingBytes = 16
	// GreetingLimit is a good time for Sniff.
	GreetingLimit = 5 * time.Second
	// proxy2 begins PROXY protocol version 2. Source: HAProxy doc/proxy-protocol.txt 2.2.
	proxy2 = "\r\n\r\n\x00\r\nQUIT\n"
)

// Remark explains a greeting that does not belong on the agents' port, for the log; "" for TLS.
func (g Greeting) Remark() string {
	switch g {
	case GreetingTLS:
		return ""
	case GreetingHTTP:
		return "plain HTTP on the agents' port: something in the path ends TLS, its health check is one of HTTP, " +
			"or a browser used http://"
	case GreetingAnswer:
		return "an HTTP answer where TLS was expected: a proxy or a web server stands at this address"
	case GreetingProxy1, GreetingProxy2:
		return "PROXY protocol from an address that is not to speak it: a load balancer puts a header before TLS"
	case GreetingSSH:
		return "an SSH banner on the agents' port: the address or the port is that of an SSH server"
	case GreetingHalibut:
		return "a Tentacle's greeting without TLS: something in the path ends TLS"
	case GreetingLink:
		return "a line of ours without TLS: something in the path ends TLS"
	case GreetingNothing:
		return "closed before the first byte: a port check of a load balancer, or a scanner"
	case GreetingSilent:
		return "no byte came: a scanner, or something in the path swallows what the peer sends"
	}
	return "not TLS: the peer speaks some other protocol"
}

// greetings lists the openings that are plain bytes; the methods are those of RFC 9110 and 5789,
// and HTTP/2's preface.
func greetings() []struct {
	opening string
	is      Greeting
} {
	return []struct {
		opening string
		is      Greeting
	}{
		{"GET ", GreetingHTTP},
		{"HEAD ", GreetingHTTP},
		{"POST ", GreetingHTTP},
		{"PUT ", GreetingHTTP},
		{"PATCH ", GreetingHTTP},
		{"DELETE ", GreetingHTTP},
		{"OPTIONS ", GreetingHTTP},
		{"CONNECT ", GreetingHTTP},
		{"TRACE ", GreetingHTTP},
		{"PRI * HTTP/2", GreetingHTTP},
		{"HTTP/", GreetingAnswer},
		{"PROXY ", GreetingProxy1},
		{proxy2, GreetingProxy2},
		{"SSH-", GreetingSSH},
		{"MX-", GreetingHalibut},
	}
}

// Recognise names a connection by its first bytes. It is not decided while more bytes could change
// the answer; 16 always suffice.
func Recognise(b []byte) (g Greeting, decided bool) {
	if len(b) == 0 {
		return GreetingNothing, false
	}
	// A TLS record of type handshake, version 3.0 to 3.4. Source: RFC 8446 5.1.
	if b[0] == 0x16 {
		switch {
		case len(b) < 3:
			return GreetingOther, false
		case b[1] == 3 && b[2] <= 4:
			return GreetingTLS, true
		}
		return GreetingOther, true
	}
	if b[0] == 0 {
		return recogniseFrame(b)
	}
	for _, entry := range greetings() {
		if bytes.HasPrefix(b, []byte(entry.opening)) {
			return entry.is, true
		}
		if strings.HasPrefix(entry.opening, string(b)) {
			return GreetingOther, false
		}
	}
	return GreetingOther, true
}

// recogniseFrame knows the first frame of a line, and the document that asks to join: four bytes of
// length and `{"request"`. Both belong inside TLS.
func recogniseFrame(b []byte) (g Greeting, decided bool) {
	switch {
	case len(b) > 1 && b[1] != 0:
		return GreetingOther, true
	case len(b) < HeaderBytes:
		return GreetingOther, false
	}
	header, err := ParseHeader((*[HeaderBytes]byte)(b))
	if err == nil && header.Type == TypeHello || bytes.HasPrefix(b[4:], []byte(`{"request"`)) {
		return GreetingLink, true
	}
	return GreetingOther, true
}

// Sniff reads the first bytes of conn, names them and returns a connection that gives them again.
// The limit is for all of them together. Nothing is written. Errors: Canceled or Timeout (ctx); a
// peer that closes or stays silent is a greeting, not an error. conn stays the caller's to close.
func Sniff(ctx context.Context, conn net.Conn, limit time.Duration) (Greeting, net.Conn, error) {
	if conn.SetReadDeadline(time.Now().Add(limit)) != nil {
		return GreetingNothing, conn, nil // it has ended already
	}
	interrupted := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		_ = conn.SetReadDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	greeted := &replayConn{Conn: conn}
	greeting := greeted.fill()
	if !unwatch() {
		<-interrupted
		return greeting, greeted, errkind.Of(ctx.Err()).Errorf("line: read the greeting: %w", context.Cause(ctx))
	}
	_ = conn.SetReadDeadline(time.Time{}) // one that has ended says so with the next read
	return greeting, greeted, nil
}

// replayConn gives bytes that were read before, then those of the connection.
type replayConn struct {
	net.Conn
	read []byte // nil when all was given
}

// NetConn returns the connection below, as tls.Conn does.
func (c *replayConn) NetConn() net.Conn { return c.Conn }

func (c *replayConn) fill() Greeting {
	buffer := make([]byte, maxGreetingBytes)
	for {
		greeting, decided := Recognise(c.read)
		if decided || len(c.read) == len(buffer) {
			return greeting
		}
		n, err := c.Conn.Read(buffer[len(c.read):])
		c.read = buffer[:len(c.read)+n]
		if err != nil {
			if len(c.read) == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
				return GreetingSilent
			}
			greeting, _ = Recognise(c.read)
			return greeting
		}
	}
}

// CloseWrite closes the writing half where the connection has halves.
func (c *replayConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.read) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.read)
	if c.read = c.read[n:]; len(c.read) == 0 {
		c.read = nil
	}
	return n, nil
}
