// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package port serves one listening port: it limits strangers, names those who speak something
// else, lets trust.Door prove who comes, and hands each connection to the handler of its protocol.
//
// It does not decide who is welcome (trust does) or what happens then (the handlers do).
//
//  1. A connection costs a bounded amount until its peer is proved: MaxStrangers at once in all,
//     MaxStrangersPerSource from one address, HandshakeLimit in time.
//  2. An accepted connection ends in exactly one of: a handler, or closed and counted.
//  3. Serve returns after every goroutine it started has ended.
//  4. A lack of open files is borne: the lines that are up go on, new ones wait, the log says so once.
//  5. A PROXY header is taken from the listed balancers and from nobody else, and demanded of them.
//
// port.go accepts, patient.go bears a lack of open files, guest.go looks at the first bytes, header.go
// reads the PROXY header of a balancer, source.go counts by source.
package port

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
	"fairlead/internal/trust"
)

const (
	// HandshakeLimit is the time from accept to a proved peer. Source: security.md 1.4.
	HandshakeLimit = 10 * time.Second
	// acceptPause is the wait after an accept that failed for another reason than a lack of files.
	acceptPause = 100 * time.Millisecond
	// maxRefusalLogsPerMinute bounds what strangers can write into the log.
	maxRefusalLogsPerMinute = 60
)

// Handler owns a connection whose peer is proved, and returns when it has ended. The context
// ends when the port closes.
type Handler func(ctx context.Context, conn *tls.Conn, peer trust.Peer)

// Terms say what a port does.
type Terms struct {
	Door *trust.Door
	// Handlers by ALPN protocol; each protocol that the door opens needs one.
	Handlers map[string]Handler
	// MaxStrangers and MaxStrangersPerSource bound connections whose peer is not proved yet.
	MaxStrangers, MaxStrangersPerSource int
	// Balancers are the sources that put a PROXY header in front of each connection; the client it
	// names is then the peer for limits, log and handlers. Nil when there are none.
	Balancers []netip.Prefix
	Log       *slog.Logger
}

// Counts tells what came to the port since it opened. Checks are connections that were closed
// before their first byte, as health checks are.
type Counts struct {
	Accepted, Proved, Refused, OverLimit, Checks uint64
}

// Port serves one listener.
type Port struct {
	terms Terms
	group sync.WaitGroup

	mu     sync.Mutex
	guests strangers
	counts Counts
	quiet  quiet
}

// New makes a port; Serve runs it.
func New(t Terms) *Port {
	return &Port{terms: t, guests: newStrangers(t.MaxStrangers, t.MaxStrangersPerSource)}
}

// Counts returns the counters.
func (p *Port) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Serve accepts until ctx ends or the listener is closed by somebody else, closes the listener
// and waits for the handlers.
func (p *Port) Serve(ctx context.Context, listener net.Listener) error {
	defer p.group.Wait()
	listener = Patient(listener, p.terms.Log)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			closeQuietly(conn)
			return nil
		case errors.Is(err, net.ErrClosed):
			return errkind.Internal.Errorf("accept on %s: %w", listener.Addr(), err)
		case err != nil:
			if p.isLoud() {
				p.terms.Log.Warn("connection was not accepted", "err", err)
			}
			pause(ctx, acceptPause)
		default:
			p.admit(ctx, conn)
		}
	}
}

func closeQuietly(conn net.Conn) {
	if conn != nil {
		_ = conn.Close()
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (p *Port) admit(ctx context.Context, conn net.Conn) {
	g := p.newGuest(conn)
	if g == nil {
		_ = conn.Close()
		return
	}
	p.group.Go(func() {
		secure, peer, err := p.prove(ctx, g)
		g.leave()
		if err != nil {
			p.refuse(ctx, g, err)
			return
		}
		// A fresh goroutine: the handshake has grown this one's stack, and a line lives long.
		if handle := p.handler(secure); handle != nil {
			p.group.Go(func() { handle(ctx, secure, peer) })
		}
	})
}

// prove looks at the first bytes, so that whoever speaks something else gets a name in the log,
// and then lets the door do the handshake.
func (p *Port) prove(ctx context.Context, g *guest) (*tls.Conn, trust.Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, HandshakeLimit)
	defer cancel()
	if err := g.identify(ctx); err != nil {
		_ = g.conn.Close()
		return nil, trust.Peer{}, err
	}
	return p.terms.Door.Handshake(ctx, g.conn)
}

// refuse counts a connection that was closed, and says why in the log. A port check is no event.
func (p *Port) refuse(ctx context.Context, g *guest, err error) {
	p.mu.Lock()
	switch {
	case errors.Is(err, errCheck):
		p.counts.Checks++
	case errors.Is(err, errOverLimit):
		p.counts.OverLimit++
	default:
		p.counts.Refused++
	}
	p.mu.Unlock()
	if errors.Is(err, errCheck) || errors.Is(err, errOverLimit) || ctx.Err() != nil || !p.isLoud() {
		return
	}
	log := p.terms.Log
	if g.via != nil {
		log = log.With("via", g.via.String())
	}
	log.Warn("connection refused", "remote", g.conn.RemoteAddr().String(), "kind", errkind.Of(err).String(),
		diagnosis.Attr(err), "err", err, "hint", errkind.Hint(err))
}

// isLoud reports whether the log takes one more line about strangers.
func (p *Port) isLoud() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.quiet.allows(time.Now())
}

// handler finds who takes the connection; without one it is closed.
func (p *Port) handler(conn *tls.Conn) Handler {
	p.mu.Lock()
	p.counts.Proved++
	p.mu.Unlock()
	handle := p.terms.Handlers[conn.ConnectionState().NegotiatedProtocol]
	if handle == nil {
		_ = conn.Close()
	}
	return handle
}
