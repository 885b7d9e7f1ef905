// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Times differ by where in its period a ping was, by the draws of the back-off, and by what a busy
// machine adds: by slack, and a share of the longer one.
const (
	noticeSlack = 4 * time.Second
	backSlack   = 7 * time.Second
	shareOfTime = 0.05
	// verdictSlack has room for 12.5 s, the phase of a ping that finds a dead line, and for the 5 s
	// between two looks of the simulated people.
	verdictSlack = 18 * time.Second
)

// Row is one line of a comparison.
type Row struct {
	What, Real, Other string
	Agree             bool
}

// Compare puts two outcomes of one plan side by side.
func Compare(real, other Outcome) []Row {
	return []Row{
		same("on line at the end", real.Online, other.Online),
		same("verdicts", pairs(real.Verdicts), pairs(other.Verdicts)),
		same("starts", pairs(real.Starts), pairs(other.Starts)),
		same("lines lost", real.LinesLost, other.LinesLost),
		near("time to notice", real.Noticed, other.Noticed, noticeSlack),
		near("time until back", real.Back, other.Back, backSlack),
		near("time to verdict", real.Decided, other.Decided, verdictSlack),
	}
}

// Agree reports whether all rows do.
func Agree(rows []Row) bool {
	return !slices.ContainsFunc(rows, func(r Row) bool { return !r.Agree })
}

func same[T comparable](what string, real, other T) Row {
	return Row{what, fmt.Sprint(real), fmt.Sprint(other), real == other}
}

func near(what string, real, other, slack time.Duration) Row {
	row := Row{What: what, Real: seconds(real), Other: seconds(other)}
	if real == 0 || other == 0 {
		row.Agree = real == other
		return row
	}
	allowed := slack + time.Duration(shareOfTime*float64(max(real, other)))
	row.Agree = (real - other).Abs() <= allowed
	return row
}

func seconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func pairs[V any](m map[string]V) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, fmt.Sprintf("%s: %v", key, m[key]))
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ", ")
}

// Comparison is what was found out about one plan.
type Comparison struct {
	Plan string
	Took time.Duration // of the real run
	With string        // what it is compared with: "simulated", "expected"
	Rows []Row
}

// Write prints comparisons as a table.
func Write(w io.Writer, all []Comparison) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range all {
		verdict := "agree"
		if !Agree(c.Rows) {
			verdict = "DIFFER"
		}
		fmt.Fprintf(table, "%s (%.0f s)\treal\t%s\t%s\n", c.Plan, c.Took.Seconds(), c.With, verdict)
		for _, r := range c.Rows {
			mark := ""
			if !r.Agree {
				mark = "<- differs"
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", r.What, r.Real, r.Other, mark)
		}
	}
	return table.Flush()
}
