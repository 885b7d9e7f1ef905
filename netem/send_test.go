// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem_test

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/netem"
)

// TestASenderLearnsARoundTripThatGrew: beyond the timeout nothing is ever acknowledged in time, and yet the
// sender does not send everything twice for ever.
func TestASenderLearnsARoundTripThatGrew(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault netem.Degrade
		every time.Duration // between two flights of 1,000 bytes, for five minutes
		most  uint64        // flights sent again
	}{
		{"a little beyond the timeout", netem.Degrade{Extra: netem.Fixed(200 * time.Millisecond)}, 500 * time.Millisecond, 6},
		{"a satellite", netem.Degrade{Extra: netem.Fixed(time.Second)}, 300 * time.Millisecond, 12},
		{"ten seconds", netem.Degrade{Extra: netem.Fixed(10 * time.Second)}, time.Second, 24},
		{"a bloated queue", netem.Degrade{Rate: 16_000, Queue: 1 << 20, Extra: netem.Fixed(time.Second)}, time.Second, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(netem.Options{Seed: 1, Wait: synctest.Wait})
				defer p.w.Close()
				dialled, accepted := p.connect(t)
				go func() { _, _ = io.Copy(io.Discard, accepted) }()
				c.fault.Edge, c.fault.OnlyUp = p.edge, true
				p.w.Inject(c.fault)
				before := p.w.Counts().Retransmitted
				for began := time.Now(); time.Since(began) < 5*time.Minute; time.Sleep(c.every) {
					if _, err := dialled.Write(make([]byte, 1000)); err != nil {
						t.Fatal(err)
					}
				}
				if n := p.w.Counts().Retransmitted - before; n == 0 || n > c.most {
					t.Errorf("%d flights were sent again, want 1 to %d", n, c.most)
				}
			})
		})
	}
}

// TestRecoveryBeginsWithOneFlight: after a timeout one flight is sent, and two for each that is acknowledged.
func TestRecoveryBeginsWithOneFlight(t *testing.T) {
	for _, c := range []struct {
		name    string
		flights int
		stay    time.Duration // of the cut that they are lost in
		want    []uint64      // flights sent again since the cut was healed, round trip by round trip
	}{
		{"one", 1, time.Second, []uint64{1}},
		{"a short cut", 15, 300 * time.Millisecond, []uint64{1, 3, 7, 15}},
		{"a long cut", 15, 10 * time.Second, []uint64{1, 3, 7, 15}},
		{"not a power of two", 20, time.Second, []uint64{1, 3, 7, 15, 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p pairOf) {
				dialled, accepted := p.connect(t)
				heal := p.w.Inject(netem.Cut{Edge: p.edge})
				for range c.flights {
					_, _ = dialled.Write(make([]byte, 1000))
					time.Sleep(time.Millisecond)
				}
				time.Sleep(c.stay)
				heal()
				before := p.w.Counts().Retransmitted
				var got []uint64
				for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(10 * time.Millisecond) {
					if n := p.w.Counts().Retransmitted - before; n > 0 && (len(got) == 0 || got[len(got)-1] != n) {
						got = append(got, n)
					}
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("sent again: %v, want %v", got, c.want)
				}
				if _, err := io.ReadFull(accepted, make([]byte, c.flights*1000)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
