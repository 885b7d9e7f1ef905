// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"fairlead/internal/contract"
)

// maxShown is how many breaches of one rule are told in full.
const maxShown = 5

// result is what a run found.
type result struct {
	tally    tally
	breaches []breach
	storm    kills
	took     time.Duration // in all
	work     time.Duration // from the first job to the last verdict
	wanted   int           // tickets
}

// missing is how many tickets were wanted and not carried out.
func (r result) missing() int { return max(0, r.wanted-r.tally.tickets) }

func (r result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%d tickets of %d tasks in %.0f s (%.0f a second); %s\n\n", r.tally.tickets, r.tally.tasks,
		r.work.Seconds(), float64(r.tally.tickets)/r.work.Seconds(), r.storm)
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	for _, outcome := range []contract.Outcome{
		contract.Succeeded, contract.Failed, contract.Canceled, contract.TimedOut, contract.NotStarted,
		contract.Indeterminate,
	} {
		fmt.Fprintf(t, "%s\t%d\n", outcome, r.tally.outcomes[outcome])
	}
	_ = t.Flush() // to memory or the terminal
	for _, reason := range slices.Sorted(maps.Keys(r.tally.reasons)) {
		fmt.Fprintf(w, "  %5d  %s\n", r.tally.reasons[reason], reason)
	}
	fmt.Fprintln(w)
	for _, rule := range rules() {
		var of []breach
		for _, b := range r.breaches {
			if b.rule == rule {
				of = append(of, b)
			}
		}
		fmt.Fprintf(t, "%s\t%d\n", rule, len(of))
		_ = t.Flush()
		for _, b := range of[:min(maxShown, len(of))] {
			fmt.Fprintf(w, "    %s: %s\n", b.ticket, b.detail)
		}
	}
}
