// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/link"
)

// What ends a connection without being an event.
var (
	errCheck     = errors.New("closed before its first byte")
	errOverLimit = errors.New("too many strangers from one source")
)

// guest is a stranger while the port looks at it. It belongs to one goroutine.
type guest struct {
	port   *Port
	conn   net.Conn
	via    net.Addr     // the balancer that passed it on, or nil
	source netip.Prefix // valid while isCounted
	// isCounted says that the source counts it: one that a balancer passed on is counted when its
	// client is known.
	isCounted, isBalanced bool
}

// newGuest takes a connection in; nil when there are too many strangers.
func (p *Port) newGuest(conn net.Conn) *guest {
	g := &guest{port: p, conn: conn, source: sourceOf(conn.RemoteAddr())}
	g.isBalanced = listed(p.terms.Balancers, conn.RemoteAddr())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Accepted++
	welcome := false
	if g.isBalanced {
		welcome = p.guests.enterUnknown()
	} else {
		welcome, g.isCounted = p.guests.enter(g.source), true
	}
	if !welcome {
		p.counts.OverLimit++
		return nil
	}
	return g
}

func (g *guest) leave() {
	g.port.mu.Lock()
	defer g.port.mu.Unlock()
	if g.isCounted {
		g.port.guests.leave(g.source)
	} else {
		g.port.guests.leaveUnknown()
	}
}

// identify takes the PROXY header off where there is to be one, and makes sure that TLS follows.
func (g *guest) identify(ctx context.Context) error {
	greeting, err := g.sniff(ctx)
	if err != nil {
		return err
	}
	if g.isBalanced {
		if greeting != link.GreetingNothing && greeting != link.GreetingProxy1 && greeting != link.GreetingProxy2 {
			return diagnosis.Name(errkind.Corrupt.Errorf("no PROXY header from %s, which proxy_protocol_from lists: "+
				"the connection begins with %s", g.conn.RemoteAddr(), greeting), diagnosis.ProxyProtocol)
		}
		if greeting != link.GreetingNothing {
			if err := g.unwrap(ctx); err != nil {
				return err
			}
			if greeting, err = g.sniff(ctx); err != nil {
				return err
			}
		}
	}
	return refusal(greeting)
}

func (g *guest) sniff(ctx context.Context) (greeting link.Greeting, err error) {
	greeting, g.conn, err = link.Sniff(ctx, g.conn, link.GreetingLimit)
	return greeting, err
}

// unwrap reads the header and gives the connection the address of its client.
func (g *guest) unwrap(ctx context.Context) error {
	conn := g.conn
	if conn.SetReadDeadline(time.Now().Add(link.GreetingLimit)) != nil {
		return errCheck // it has ended already
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	client, err := readHeader(conn)
	if !stop() {
		return errkind.Of(ctx.Err()).Errorf("read the PROXY header: %w", context.Cause(ctx))
	}
	switch {
	case err != nil:
		return diagnosis.Name(err, diagnosis.ProxyProtocol)
	case !client.IsValid():
		return nil // the balancer speaks for itself
	}
	g.via = conn.RemoteAddr()
	g.conn = passedOn{conn, net.TCPAddrFromAddrPort(client)}
	g.source = sourceOf(g.conn.RemoteAddr())
	g.port.mu.Lock()
	defer g.port.mu.Unlock()
	if g.isCounted = g.port.guests.claim(g.source); !g.isCounted {
		return errOverLimit
	}
	return nil
}

// refusal is why a connection that begins like this is closed; nil for TLS.
func refusal(greeting link.Greeting) error {
	if greeting == link.GreetingNothing {
		return errCheck
	}
	err := errkind.Corrupt.Errorf("%s", greeting.Remark())
	switch greeting {
	case link.GreetingTLS:
		return nil
	case link.GreetingHTTP, link.GreetingHalibut, link.GreetingLink:
		return diagnosis.Name(err, diagnosis.TLSOffload)
	case link.GreetingProxy1, link.GreetingProxy2:
		return diagnosis.Name(err, diagnosis.ProxyProtocol)
	case link.GreetingSilent:
		return errkind.Timeout.Errorf("%s", greeting.Remark())
	}
	return diagnosis.Name(err, diagnosis.NotTLS)
}
