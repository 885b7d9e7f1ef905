// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"math/rand/v2"
	"time"
)

// Waits before dialling again.
const (
	// FirstWait doubles with every try up to LastWait; the wait is a random part of it.
	FirstWait = time.Second
	LastWait  = 60 * time.Second
	// MaxPacedWait caps what a peer may ask for.
	MaxPacedWait = 10 * time.Minute
	// ProvenAfter is how long a session lives before the next wait starts from FirstWait again.
	ProvenAfter = 10 * time.Second
)

// Backoff says how long to wait before the next dial. The zero value is ready; it is pure and has
// no clock. The jitter is full (0 to the bound), so that a fleet which lost its server at one
// moment does not come back at one moment.
type Backoff struct {
	tries uint8
	paced time.Duration
}

// Proven says that a session worked: it lived for ProvenAfter or served a stream.
func (b *Backoff) Proven() { b.tries = 0 }

// Ended takes note of a session (or of a try that never became one: 0, 0): how long it lived, and
// after how long the peer wants to see us again (CloseError.RetryAfter).
func (b *Backoff) Ended(lived, retryAfter time.Duration) {
	if lived >= ProvenAfter {
		b.Proven()
	}
	b.paced = min(max(retryAfter, 0), MaxPacedWait)
}

// Next returns the wait before the next dial: 0 to FirstWait, doubling up to 0 to LastWait. After
// a peer that asked to come back in x it is x to x plus a fifth, once.
func (b *Backoff) Next(r *rand.Rand) time.Duration {
	if paced := b.paced; paced > 0 {
		b.paced = 0
		return paced + time.Duration(r.Int64N(int64(paced/5)+1))
	}
	bound := LastWait
	if b.tries < 6 {
		bound = min(FirstWait<<b.tries, LastWait)
		b.tries++
	}
	return time.Duration(r.Int64N(int64(bound) + 1))
}

// Pace is the ping interval that a path needs. The zero value begins at PingAfter. Boxes that
// drop idle connections do not say so: it shows only in sessions that die on the first frame
// after a silence of about the interval.
type Pace struct {
	step      uint8 // index in the intervals
	suspected uint8 // deaths in a row that look like an idle cut
}

// suspectedToStep is how many suspected deaths in a row shorten the interval.
const suspectedToStep = 2

// survivedToClear is how many answered quiet times prove that the path keeps idle connections.
const survivedToClear = 3

// Interval is the ping interval to ask for in Settings.PingAfter: 25, 15, 10 or 5 s.
func (p Pace) Interval() time.Duration {
	return [...]time.Duration{PingAfter, 15 * time.Second, 10 * time.Second, 5 * time.Second}[p.step]
}

// Adapt returns the pace after a session that ended as e. Two idle cuts in a row shorten the
// interval by one step; a session that survived survivedToClear quiet times clears the suspicion.
// The interval never grows again: a path that cut once will do so again.
func (p Pace) Adapt(e *CloseError) Pace {
	broke := e.Reason == ReasonLost || e.Reason == ReasonDead
	switch {
	case e.Survived >= survivedToClear:
		p.suspected = 0
	case broke && e.Silence >= idleCut(p.Interval()):
		p.suspected++
	}
	if p.suspected >= suspectedToStep {
		p.suspected = 0
		p.step = min(p.step+1, 3)
	}
	return p
}
