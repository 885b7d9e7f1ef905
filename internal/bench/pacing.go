// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"sync"
	"time"
)

// window is what one stretch of requests took.
type window struct {
	Requests int     `json:"requests"`
	Errors   int     `json:"errors"`
	Error    string  `json:"error,omitempty"` // one of them
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
	Max      float64 `json:"max_us"`
}

// pace says how requests come.
type pace struct {
	Rate    int     `json:"rate"` // a second
	Seconds float64 `json:"seconds"`
}

// paced calls f at fixed times, whether or not earlier calls have returned, each on a goroutine of
// its own; the clock of a call starts on that goroutine. A call that could not start in time starts
// as soon as it can.
func paced(p pace, f func(i int) error) window {
	count := int(float64(p.Rate) * p.Seconds)
	took := make([]time.Duration, count)
	errs := make([]error, count)
	var calls sync.WaitGroup
	began := time.Now()
	for i := range count {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(p.Rate))))
		calls.Go(func() {
			start := time.Now()
			errs[i] = f(i)
			took[i] = time.Since(start)
		})
	}
	calls.Wait()
	w := window{Requests: count}
	for _, err := range errs {
		if err != nil {
			w.Errors++
			w.Error = err.Error()
		}
	}
	slices.Sort(took)
	w.P50, w.P99, w.Max = microseconds(took, 0.50), microseconds(took, 0.99), microseconds(took, 1)
	return w
}

// microseconds is the quantile q of sorted durations: the smallest that q of all do not exceed.
func microseconds(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return float64(sorted[max(0, i)].Nanoseconds()) / 1e3
}
