// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package redial

import (
	"math/rand/v2"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/link"
)

// TestServerRestartIsMetSoon refuses every dial after a session that served, as a server does
// that restarts: for soonFor no wait is long, afterwards they grow to the fleet's measure.
func TestServerRestartIsMetSoon(t *testing.T) {
	refused := errkind.Unavailable.Errorf("connection refused")
	longest := time.Duration(0)
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var w waits
		began := time.Unix(1_000_000, 0)
		now := began
		now = now.Add(w.after(now, &link.CloseError{Reason: link.ReasonGoodbye, Streams: 3}, time.Hour, r))
		for range 200 {
			wait := w.after(now, refused, 0, r)
			if now.Before(began.Add(soonFor)) && wait > soonWait {
				t.Fatalf("seed %d: waits %v at %v after the end", seed, wait, now.Sub(began))
			}
			longest = max(longest, wait)
			now = now.Add(wait)
		}
	}
	if longest < link.LastWait/2 {
		t.Fatalf("the longest wait is %v: a dead server would be dialled for ever at that pace", longest)
	}
}

// TestPacedWaitIsKept: a server that asks for time gets it, also from those it served before.
func TestPacedWaitIsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var w waits
	end := &link.CloseError{
		Reason: link.ReasonGoodbye, ByPeer: true, Streams: 1,
		Goodbye: link.Goodbye{Code: link.GoodbyeBusy, RetryAfter: 20 * time.Second},
	}
	if wait := w.after(time.Unix(0, 0), end, time.Second, r); wait < 20*time.Second {
		t.Fatalf("waits %v, asked for 20 s", wait)
	}
}
