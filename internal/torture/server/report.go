// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// maxShown is how many breaches of one rule are told in full.
const maxShown = 5

// result is what a run found.
type result struct {
	evidence evidence
	kills    int
	early    int // of the kills, while the server started
	took     []time.Duration
	breaches []breach
}

func (r result) print(w io.Writer) {
	count := len(r.evidence.tasks)
	fmt.Fprintf(w, "\n%d deployments of %d steps on %d machines: %d scripts; %d kills, %d of them at the start\n", count,
		stepCount, len(machineNames()), count*stepCount*len(machineNames()), r.kills, r.early)
	if took := slices.Sorted(slices.Values(r.took)); len(took) > 0 {
		fmt.Fprintf(w, "from a start to the next verdict: median %s, most %s, of %d\n\n",
			took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond), len(took))
	}
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	for _, rule := range rules() {
		var of []breach
		for _, b := range r.breaches {
			if b.rule == rule {
				of = append(of, b)
			}
		}
		fmt.Fprintf(t, "%s\t%d\n", rule, len(of))
		for _, b := range of[:min(maxShown, len(of))] {
			fmt.Fprintf(t, "    %s: %s\n", b.where, b.detail)
		}
	}
	_ = t.Flush() // to memory or the terminal
}
