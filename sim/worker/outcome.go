// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package worker

import (
	"regexp"
	"strings"

	"fairlead/sim/check"
	"fairlead/sim/report"
)

// Fate is what became of the process that carried a plan out.
type Fate string

// The fates.
const (
	Done    Fate = ""      // it reported
	Crashed Fate = "crash" // it ended without a report
	Hung    Fate = "hang"  // its time stood still, or it took too long; it was ended
	Stopped Fate = "stop"  // the caller gave up
)

// troubleID stands in a violation where the simulator could not carry a plan out.
const troubleID = "trouble"

// Outcome is what came of one plan.
type Outcome struct {
	Report report.Report
	Fate   Fate
	// Said is what a process that crashed or hung said on standard error: the panic, and the stacks.
	Said string
}

// Wrong lists what is wrong: the report's violations, and "crash", "hang" and "trouble" as if they were
// statements.
func (o Outcome) Wrong() []check.Violation {
	switch {
	case o.Fate == Stopped:
		return nil
	case o.Fate != Done:
		return []check.Violation{{ID: string(o.Fate), What: firstWords(o.Said)}}
	case o.Report.Trouble != "":
		return append([]check.Violation{{ID: troubleID, What: o.Report.Trouble}}, o.Report.Violations...)
	}
	return o.Report.Violations
}

// Same names what two violations have in common when they are of the same making: the statement, and
// for a crash the panic without its numbers.
func Same(v check.Violation) string {
	if v.ID != string(Crashed) {
		return v.ID
	}
	return v.ID + " " + numbers.ReplaceAllString(v.What, "N")
}

var numbers = regexp.MustCompile(`0x[0-9a-f]+|\d+`)

// firstWords finds the line that says why a process ended.
func firstWords(said string) string {
	first := ""
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
		if first == "" {
			first = line
		}
	}
	if first == "" {
		return "the process said nothing"
	}
	return first
}
