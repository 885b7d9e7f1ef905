// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package redial keeps one line up from the side that dials: it dials, shakes hands, runs the
// session, and does so again after a wait, until it is told to stop.
//
// It does not know what a session carries or whom it may find; its Terms do.
//
//  1. One connection at a time.
//  2. The wait follows link.Backoff, so that a fleet does not come back in one moment, and the
//     ping interval follows link.Pace, so that a path which cuts idle lines is learned.
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

// Keep keeps the line up until ctx ends.
func Keep(ctx context.Context, t Terms) {
	var backoff link.Backoff
	var pace link.Pace
	for ctx.Err() == nil {
		lived, err := t.once(ctx, pace.Interval())
		if ctx.Err() != nil {
			return
		}
		closed, isClose := errors.AsType[*link.CloseError](err)
		if isClose {
			pace = pace.Adapt(closed)
			if closed.Streams > 0 && closed.Goodbye.Code != link.GoodbyeRevoked {
				backoff.Proven() // it served something; who was sent away for good stays slow
			}
			backoff.Ended(lived, closed.RetryAfter())
		} else {
			backoff.Ended(0, 0)
		}
		wait := backoff.Next(t.Rand)
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
