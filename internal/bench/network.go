// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// bindAddressNoPort lets the kernel choose the port at connect, so that a source address has a port
// space for each destination. Source: linux/in.h.
const bindAddressNoPort = 24

// sourceAddress spreads connections over 127.1.0.0/16: a server counts strangers by address.
func sourceAddress(i int) net.IP { return net.IPv4(127, 1, byte(i/250), byte(1+i%250)) }

// dialFrom opens a connection as number i.
func dialFrom(ctx context.Context, i int, address string) (net.Conn, error) {
	d := net.Dialer{
		LocalAddr: &net.TCPAddr{IP: sourceAddress(i)}, Timeout: 30 * time.Second, KeepAlive: -1,
		Control: func(_, _ string, raw syscall.RawConn) error {
			return raw.Control(func(fd uintptr) {
				_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort, 1)
			})
		},
	}
	return d.DialContext(ctx, "tcp", address)
}

// spread is the network of agent number i. With a gate, only so many agents dial and shake hands at
// once as it has room for.
type spread struct {
	i    int
	gate chan struct{}
}

// DialContext implements host.Network.
func (s spread) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	if s.gate != nil {
		select {
		case s.gate <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := dialFrom(ctx, s.i, address)
	gated := &gatedConn{Conn: conn, gate: s.gate}
	if err != nil {
		gated.pass()
		return nil, err
	}
	return gated, nil
}

// Listen implements host.Network.
func (spread) Listen(context.Context, string, string) (net.Listener, error) {
	return nil, net.ErrClosed
}

// LookupNetIP implements host.Network.
func (spread) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, net.ErrClosed
}

// gatedConn holds a place in the gate until pass or Close.
type gatedConn struct {
	net.Conn
	gate chan struct{}
	once sync.Once
}

// NetConn returns the connection below, as tls.Conn does.
func (c *gatedConn) NetConn() net.Conn { return c.Conn }

func (c *gatedConn) pass() {
	c.once.Do(func() {
		if c.gate != nil {
			<-c.gate
		}
	})
}

func (c *gatedConn) Close() error {
	c.pass()
	return c.Conn.Close()
}
