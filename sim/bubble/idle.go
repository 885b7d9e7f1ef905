// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"runtime"
	"runtime/metrics"
	"syscall"
	"time"
)

const (
	// roundsPerLook is how many idle rounds lie between two looks at heap and clock.
	roundsPerLook = 1 << 8
	// heapGrowth is how many bytes of garbage are left lying.
	heapGrowth = 64 << 20
	heapMetric = "/memory/classes/heap/objects:bytes"
)

// Idle is what a simulation does when every goroutine is blocked: it collects garbage now and then,
// and tells how far the run has come.
type Idle struct {
	// Tell, if not nil, gets the bubble's time at most once in each Every of real time.
	Tell  func(now time.Time)
	Every time.Duration

	rounds int
	after  uint64 // bytes of the heap after the last collection
	told   time.Time
}

// Round is one idle round. One goroutine at a time may call it.
func (i *Idle) Round() {
	if i.rounds++; i.rounds%roundsPerLook != 0 {
		return
	}
	if now := heap(); now > i.after+heapGrowth {
		runtime.GC()
		i.after = heap()
	}
	if i.Tell == nil {
		return
	}
	if real := realTime(); real.Sub(i.told) >= i.Every {
		i.told = real
		i.Tell(time.Now())
	}
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: heapMetric}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// realTime is that of the machine, also inside a bubble.
func realTime() time.Time {
	var now syscall.Timeval
	_ = syscall.Gettimeofday(&now) // it has no way to fail with a valid pointer
	return time.Unix(now.Unix())
}
