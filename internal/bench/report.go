// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"text/tabwriter"
	"time"
)

// The verdicts.
const (
	met       = "met"
	missed    = "MISSED"
	noVerdict = "not judged: the machine was not quiet"
	noted     = "noted"
)

// row is one line of the table.
type row struct {
	Goal     string  `json:"goal"`
	Target   string  `json:"target"`
	Floor    string  `json:"floor"`
	Measured string  `json:"measured"`
	Ratio    summary `json:"ratio"`
	Control  summary `json:"control"`
	Verdict  string  `json:"verdict"`
}

// report collects what is printed and what is saved.
type report struct {
	Date    string         `json:"date"`
	Cores   int            `json:"cores"`
	Go      string         `json:"go"`
	Load    []float64      `json:"load"` // before each goal, and at the end
	Seconds float64        `json:"seconds"`
	Rows    []row          `json:"rows"`
	Raw     map[string]any `json:"raw"`
}

func newReport() *report {
	return &report{
		Date: time.Now().UTC().Format(time.RFC3339), Cores: runtime.NumCPU(), Go: runtime.Version(), Raw: map[string]any{},
	}
}

// judge adds a row that compares with a floor. Without a limit it is only noted.
func (r *report) judge(goal, target, unit string, p pairs, fine func(ratio float64) bool) {
	one := row{
		Goal: goal, Target: target, Ratio: p.ratios(), Control: p.control(), Verdict: noted,
		Floor: figure(median(p.Floor), unit), Measured: figure(median(p.Candidate), unit),
	}
	switch {
	case fine == nil:
	case !one.Control.quiet():
		one.Verdict = noVerdict
	case fine(one.Ratio.Median):
		one.Verdict = met
	default:
		one.Verdict = missed
	}
	r.Rows = append(r.Rows, one)
}

// limit adds a row that has no floor. Zero means that there is no limit.
func (r *report) limit(goal, unit string, value, most float64) {
	one := row{Goal: goal, Target: "-", Floor: "-", Measured: figure(value, unit), Verdict: noted}
	if most > 0 {
		one.Target = "<= " + figure(most, unit)
		if one.Verdict = met; value > most {
			one.Verdict = missed
		}
	}
	r.Rows = append(r.Rows, one)
}

func figure(value float64, unit string) string {
	if math.IsNaN(value) {
		return "-"
	}
	digits := 0
	if value < 100 {
		digits = 2
	}
	return fmt.Sprintf("%.*f %s", digits, value, unit)
}

func (r *report) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintln(t, "goal\ttarget\tfloor\tmeasured\tratio\tcontrol\tverdict")
	for _, one := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			one.Goal, one.Target, one.Floor, one.Measured, one.Ratio, one.Control, one.Verdict)
	}
	return t.Flush()
}

func (r *report) misses() (n int) {
	for _, one := range r.Rows {
		if one.Verdict == missed {
			n++
		}
	}
	return n
}

func (r *report) save(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
