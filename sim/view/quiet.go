// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package view

import (
	"slices"
	"time"
)

const (
	// quietShare is how much of a run, in parts of it, must be quiet at a stretch to be folded: 1/50.
	quietShare = 50
	// leastQuiet is the shortest stretch that is folded, whatever the run's length.
	leastQuiet = 20 * time.Second
	// quietMargin is what stays at both ends of a stretch: a tenth, and at most 1/200 of the run or a
	// quarter of the shortest stretch.
	quietMargin = 10
)

// quiet lists the stretches in which nothing begins or ends. Connections may carry bytes in them, as
// pings do.
func quiet(t *timeline) [][2]int64 {
	times := []int64{0, t.End}
	for _, c := range t.Connections {
		times = append(times, c.Began, c.Ended, c.Noted)
	}
	for _, list := range [][]span{t.Spans, t.Faults} {
		for _, s := range list {
			times = append(times, s.From, s.To)
		}
	}
	for _, list := range [][]mark{t.Marks, t.Violations, t.Phases} {
		for _, m := range list {
			times = append(times, m.At)
		}
	}
	slices.Sort(times)
	least, most := max(int64(leastQuiet), t.End/quietShare), max(int64(leastQuiet)/4, t.End/200)
	found := [][2]int64{}
	for i := 1; i < len(times); i++ {
		if wide := times[i] - times[i-1]; wide >= least {
			margin := min(wide/quietMargin, most)
			found = append(found, [2]int64{times[i-1] + margin, times[i] - margin})
		}
	}
	return found
}
