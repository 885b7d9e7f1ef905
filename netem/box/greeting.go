// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

const (
	// greetingBytes is the most that is read of a client to know what it speaks.
	greetingBytes = 64 << 10
	// greetingWait is how long its first bytes may take unless told otherwise. Source: nginx,
	// preread_timeout.
	greetingWait = 30 * time.Second
	// tlsHandshake is the first byte of a ClientHello's record. Source: RFC 8446, 5.1.
	tlsHandshake = 0x16
)

// greeting is what the first bytes of a client say.
type greeting struct {
	tls  bool
	name string   // SNI, "" for none
	alpn []string // in the client's order
}

var errGreeted = errors.New("the client has greeted")

// greet reads what a client says first, and returns a connection from which all of it can be read
// again. A client that says nothing within wait has an empty greeting.
func greet(c net.Conn, wait time.Duration) (greeting, net.Conn, error) {
	if wait == 0 {
		wait = greetingWait
	}
	within(c, wait)
	defer within(c, 0)
	first := make([]byte, 1)
	n, err := c.Read(first)
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return greeting{}, c, nil
	case err != nil:
		return greeting{}, nil, err
	}
	heard := bytes.NewBuffer(first[:n])
	if first[0] != tlsHandshake {
		return greeting{}, &readFrom{c, io.MultiReader(heard, c)}, nil
	}
	g := greeting{tls: true}
	rest := io.TeeReader(io.LimitReader(c, greetingBytes), heard)
	listener := tls.Server(&deafMute{c, io.MultiReader(bytes.NewReader(first), rest)}, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			g.name, g.alpn = hello.ServerName, hello.SupportedProtos
			return nil, errGreeted
		},
	})
	if err := listener.Handshake(); !errors.Is(err, errGreeted) {
		return greeting{}, nil, err
	}
	return g, &readFrom{c, io.MultiReader(heard, c)}, nil
}

// deafMute is a connection on which nothing can be said: TLS answers a handshake that it gives up with
// an alert.
type deafMute struct {
	net.Conn
	r io.Reader
}

func (c *deafMute) Read(b []byte) (int, error)  { return c.r.Read(b) }
func (c *deafMute) Write(b []byte) (int, error) { return len(b), nil }
