// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package redial keeps one line up from the side that dials: it dials, shakes hands, runs the
// session, and does so again after a wait, until it is told to stop.
//
// It does not know what a session carries or whom it may find; its Terms do.
//
//  1. One connection at a time.
//  2. The wait follows link.Backoff, so that a fleet does not come back in one moment, and the
//     ping interval follows link.Pace, so that a path which cuts idle lines is learned.
//  3. Whoever answers in the place of the peer is asked one question in plain HTTP, once for each
//     new trouble, so that a captive portal gets its name.
//
// redial.go keeps the line, dial.go opens a connection, question.go asks.
package redial

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/link"
	"fairlead/internal/trust"
)

// DialLimit bounds the TCP connection: 15 s.
const DialLimit = 15 * time.Second

// Terms say whom to dial and what to do then. All fields are required.
type Terms struct {
	Net     host.Network
	Rand    *rand.Rand
	Address string // host:port
	Dialler func() (*trust.Dialler, error)
	// Serve runs a session over a proved connection, with this ping interval, to its end. The
	// error is a *link.CloseError, or what kept it from beginning.
	Serve func(ctx context.Context, conn *tls.Conn, peer trust.Peer, ping time.Duration) error
	// Ended hears why a try or a session ended and how long the wait will be.
	Ended func(err error, wait time.Duration)
}

// A server that was just here comes back soon, more often than not: it is being restarted or
// upgraded. So for soonFor after a session that served, waits are soonWait at most.
const (
	soonFor  = 30 * time.Second
	soonWait = 3 * time.Second
)

// waits says how long to wait after each try, and which ping interval to ask for next.
type waits struct {
	backoff link.Backoff
	pace    link.Pace
	soon    time.Time // until then waits are short
}

// after takes note of a try that ended at now with err, as a session that lived so long if it
// became one.
func (w *waits) after(now time.Time, err error, lived time.Duration, r *rand.Rand) time.Duration {
	closed, isClose := errors.AsType[*link.CloseError](err)
	if !isClose {
		w.backoff.Ended(0, 0)
		return w.short(now, w.backoff.Next(r), r)
	}
	w.pace = w.pace.Adapt(closed)
	if closed.Streams > 0 && closed.Goodbye.Code != link.GoodbyeRevoked {
		w.backoff.Proven() // it served something; who was sent away for good stays slow
		w.soon = now.Add(soonFor)
	}
	w.backoff.Ended(lived, closed.RetryAfter())
	if closed.RetryAfter() > 0 {
		return w.backoff.Next(r)
	}
	return w.short(now, w.backoff.Next(r), r)
}

func (w *waits) short(now time.Time, wait time.Duration, r *rand.Rand) time.Duration {
	if wait > soonWait && now.Before(w.soon) {
		return time.Duration(r.Int64N(int64(soonWait)))
	}
	return wait
}

// Keep keeps the line up until ctx ends.
func Keep(ctx context.Context, t Terms) {
	var w waits
	var known curiosity
	for ctx.Err() == nil {
		lived, err := t.once(ctx, w.pace.Interval())
		if lived == 0 && ctx.Err() == nil {
			err = known.refine(ctx, t, err)
		}
		if ctx.Err() != nil {
			return
		}
		wait := w.after(time.Now(), err, lived, t.Rand)
		t.Ended(err, wait)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (t Terms) once(ctx context.Context, ping time.Duration) (lived time.Duration, err error) {
	dialler, err := t.Dialler()
	if err != nil {
		return 0, err
	}
	conn, err := Dial(ctx, t.Net, t.Address)
	if err != nil {
		return 0, err
	}
	secure, peer, err := dialler.Handshake(ctx, conn)
	if err != nil {
		return 0, errkind.Of(err).Errorf("%s: %w", t.Address, err)
	}
	began := time.Now()
	err = t.Serve(ctx, secure, peer, ping)
	return time.Since(began), err
}
