// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package worker

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"fairlead/internal/errkind"
	"fairlead/sim/plan"
	"fairlead/sim/report"
)

// Runner carries one plan out. tell may be called now and then with the time that has passed in it.
type Runner func(o Order, p plan.Plan, tell func(at time.Duration)) report.Report

// Serve says that it is there, reads orders until in ends, and answers each. Errors: Corrupt, for what is no order; the
// streams'.
func Serve(in io.Reader, out io.Writer, run Runner) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLineBytes)
	answers := json.NewEncoder(out)
	if err := answers.Encode(Reply{}); err != nil {
		return errkind.Unavailable.Errorf("say that the far side is there: %w", err)
	}
	for lines.Scan() {
		var o Order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return errkind.Corrupt.Errorf("read an order: %w", err)
		}
		// Whoever has gone away without reading is noticed when the report is written.
		tell := func(at time.Duration) { _ = answers.Encode(Reply{Number: o.Number, At: at}) }
		r := execute(o, run, tell)
		if err := answers.Encode(Reply{Number: o.Number, Report: &r}); err != nil {
			return errkind.Unavailable.Errorf("answer order %d: %w", o.Number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return errkind.Corrupt.Errorf("read an order: %w", err)
	}
	return nil
}

func execute(o Order, run Runner, tell func(time.Duration)) report.Report {
	p, err := plan.Parse([]byte(o.Plan))
	if err != nil {
		return report.Report{Name: p.Name, Trouble: err.Error()}
	}
	return run(o, p, tell)
}
