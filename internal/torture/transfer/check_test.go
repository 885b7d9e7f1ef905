// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// TestBreachesAreSeen judges rounds of 32 MiB to two agents.
func TestBreachesAreSeen(t *testing.T) {
	const content = 2 * 32 << 20
	disturbed := counts{acts: [kill + 1]int{cut: 2, kill: 1}, refused: 1, damaged: 1}
	for name, c := range map[string]struct {
		toAgent int64
		change  func(*round)
		want    int
	}{
		"all well":                     {toAgent: content + content/100},
		"a chunk for each disturbance": {toAgent: content + 4*chunkBytes},
		"from the beginning again":     {toAgent: content + 5*chunkBytes + content/50 + 5*overheadBytes, want: 1},
		"another content":              {toAgent: content, change: func(r *round) { r.wrong = []string{"m-1 has another hash"} }, want: 1},
		"a changed bit was taken":      {toAgent: content, change: func(r *round) { r.counts.accepted = 1 }, want: 1},
		"nothing happened":             {toAgent: content, change: func(r *round) { r.counts.acts = [kill + 1]int{} }, want: 1},
		"a delta as long as the whole": {toAgent: content, change: func(r *round) { r.load.delta = true }, want: 1},
	} {
		r := round{load: load{id: "load0", version: "1.0.0", size: content / 2}, agents: 2, counts: disturbed}
		r.counts.toAgent = c.toAgent
		if c.change != nil {
			c.change(&r)
		}
		var whole report
		whole.add(r)
		if got := whole.breaches(); len(got) != c.want {
			t.Errorf("%s: breaches %q, want %d", name, got, c.want)
		}
	}
}
