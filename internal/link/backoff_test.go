// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/link"
)

func TestBackoffDoublesWithFullJitter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var highest, sum [10]time.Duration
	const rounds = 2000
	for range rounds {
		var b link.Backoff
		for try := range highest {
			wait := b.Next(r)
			highest[try], sum[try] = max(highest[try], wait), sum[try]+wait
		}
	}
	for try := range highest {
		bound := min(link.FirstWait<<try, link.LastWait)
		mean := sum[try] / rounds
		if highest[try] > bound || highest[try] < bound*9/10 || mean < bound*45/100 || mean > bound*55/100 {
			t.Errorf("try %d: highest %v, mean %v: want 0 to %v", try, highest[try], mean, bound)
		}
	}
}

func TestBackoffStartsAgainAfterAProvenSession(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var b link.Backoff
	for range 10 {
		b.Next(r)
		b.Ended(link.ProvenAfter-1, 0)
	}
	unproven := time.Duration(0)
	for range 50 {
		unproven = max(unproven, b.Next(r))
	}
	if unproven <= 30*time.Second {
		t.Errorf("sessions that never worked led to waits of at most %v", unproven)
	}
	b.Ended(link.ProvenAfter, 0)
	if wait := b.Next(r); wait > link.FirstWait {
		t.Errorf("waited %v after a proven session", wait)
	}
}

func TestBackoffIsPacedByTheServer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		asked := time.Duration(rapid.Int64Range(-1, int64(49*24*time.Hour)).Draw(t, "asked"))
		var b link.Backoff
		b.Ended(0, asked)
		wait, want := b.Next(r), min(asked, link.MaxPacedWait)
		if want > 0 && (wait < want || wait > want+want/5) {
			t.Fatalf("asked for %v, waits %v", asked, wait)
		}
		if next := b.Next(r); next > 2*link.FirstWait {
			t.Fatalf("the wish was kept: %v", next)
		}
	})
}

func TestPaceShortensOnPathsThatCutIdleLines(t *testing.T) {
	died := func(silence time.Duration) *link.CloseError {
		return &link.CloseError{Reason: link.ReasonDead, Silence: silence, Survived: 1}
	}
	var p link.Pace
	for _, want := range []time.Duration{25, 15, 10, 5, 5} {
		if p.Interval() != want*time.Second {
			t.Fatalf("interval %v: want %v s", p.Interval(), want)
		}
		p = p.Adapt(died(p.Interval()))
		if p.Interval() != want*time.Second {
			t.Fatalf("one death was enough")
		}
		p = p.Adapt(died(p.Interval() - p.Interval()/25))
	}
	var q link.Pace
	for range 10 {
		q = q.Adapt(died(25 * time.Second))
		q = q.Adapt(&link.CloseError{Reason: link.ReasonDead, Silence: 25 * time.Second, Survived: 100})
		q = q.Adapt(died(time.Second))
		q = q.Adapt(&link.CloseError{Reason: link.ReasonGoodbye, ByPeer: true, Silence: 25 * time.Second})
	}
	if q.Interval() != link.PingAfter {
		t.Errorf("a path that keeps idle lines got %v", q.Interval())
	}
}
