// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fairlead/internal/cli"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/report"
	"fairlead/sim/worker"
)

// told is a report as JSON has it: with the violations that are no statement's.
type told struct {
	report.Report
	Wrong []check.Violation `json:"wrong,omitempty"`
	Said  string            `json:"said,omitempty"`
}

// tell writes what came of a plan.
func tell(std *cli.IO, p plan.Plan, o worker.Outcome) error {
	return std.Show(told{o.Report, o.Wrong(), o.Said}, text(std, p, o))
}

func text(std *cli.IO, p plan.Plan, o worker.Outcome) string {
	var b strings.Builder
	r := o.Report
	fmt.Fprintf(&b, "%s\n", std.Paint(cli.Bold, p.Name))
	if p.Story != "" {
		fmt.Fprintf(&b, "%s\n", p.Story)
	}
	b.WriteString("\n")
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  - %s\n", f)
	}
	wrong := o.Wrong()
	if o.Fate == worker.Done && r.Trouble == "" {
		b.WriteString("\n" + verdicts(std, wrong))
		fmt.Fprintf(&b, "\nfaults: %s\ngoals:  %s\n", counts(r.Faults), counts(r.Goals))
		fmt.Fprintf(&b, "%d agents lived %s in %s: %d events; seed %d, plan %s\ndigest %s %s %s\n",
			p.Machines(), plan.Duration(r.Virtual.Round(time.Second)), r.Real.Round(time.Millisecond), r.Net.Events,
			r.Seed, r.Hash, r.Digest.Shape, r.Digest.Meta, r.Digest.Content)
	}
	for i, v := range wrong {
		if i == 0 {
			b.WriteString("\n" + std.Paint(cli.Red, "violated:") + "\n")
		}
		if i == maxTold {
			fmt.Fprintf(&b, "  and %d more; --json has them all\n", len(wrong)-maxTold)
			break
		}
		fmt.Fprintf(&b, "  %s\n", cli.Printable(v.String()))
	}
	if o.Said != "" {
		fmt.Fprintf(&b, "\nthe process said:\n%s\n", firstLines(o.Said))
	}
	return b.String()
}

const (
	maxTold  = 20 // violations
	maxLines = 60 // of what a process said
)

// verdicts is the table of the statements that were judged.
func verdicts(std *cli.IO, wrong []check.Violation) string {
	times := map[string]int{}
	for _, v := range wrong {
		times[v.ID]++
	}
	t := cli.Table{Columns: []cli.Column{{Title: "", Keep: true}, {Title: "VERDICT", Keep: true}, {Title: "STATEMENT"}}}
	for _, s := range check.All() {
		verdict := "holds"
		if n := times[s.ID]; n > 0 {
			verdict = fmt.Sprintf("violated %dx", n)
		}
		t.Add(s.ID, verdict, s.Says)
	}
	return t.Text(std)
}

// counts writes numbers by name, "none" when there are none.
func counts(of map[string]int) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		words = append(words, fmt.Sprintf("%s %d", name, of[name]))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func firstLines(said string) string {
	lines := strings.Split(strings.TrimRight(said, "\n"), "\n")
	if len(lines) > maxLines {
		lines = append(lines[:maxLines], fmt.Sprintf("and %d lines more", len(lines)-maxLines))
	}
	for i, l := range lines {
		lines[i] = "  " + cli.Printable(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}
