// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

// check holds what happened to the promises: no acknowledged fact is lost, no script runs twice, no
// success is false, and nothing ran of what is said not to have been started.
func (e *evidence) check() (breaches []string) {
	breach := func(format string, args ...any) { breaches = append(breaches, fmt.Sprintf(format, args...)) }
	for _, id := range e.acked {
		if _, known := e.tasks[id]; !known {
			breach("%s was taken and is lost", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.effects)) {
		if n := e.effects[id].begun; n > 1 {
			breach("ticket %s was started %d times", id, n)
		}
	}
	last := map[deploy.TaskID]deploy.Ticket{} // one that was not started is followed by another attempt
	for _, t := range e.tickets {
		if t.Verdict == nil {
			breach("ticket %s of %s has no verdict", t.ID, t.Task)
			continue
		}
		of := e.effects[t.ID]
		switch {
		case t.Verdict.Outcome == contract.Succeeded && (of.begun != 1 || of.ended != 1):
			breach("ticket %s of %s succeeded, and its script began %d times and ended %d times",
				t.ID, t.Task, of.begun, of.ended)
		case t.Verdict.Outcome == contract.NotStarted && of.begun > 0:
			breach("ticket %s of %s was not started (%s), and its script ran", t.ID, t.Task, t.Verdict.Reason)
		}
		if before, known := last[t.Task]; !known || before.Attempt < t.Attempt {
			last[t.Task] = t
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.tasks)) {
		if t, known := last[deploy.TaskID(id)]; e.tasks[id].State == deploy.TaskSuccess &&
			(!known || t.Verdict.Outcome != contract.Succeeded) {
			breach("%s is a success, and its last ticket is none", id)
		}
	}
	return breaches
}

// tally counts the verdicts.
func (e *evidence) tally() string {
	counts := map[string]int{}
	for _, t := range e.tickets {
		if t.Verdict != nil {
			counts[string(t.Verdict.Outcome)]++
		}
	}
	words := make([]string, 0, len(counts))
	for _, outcome := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", outcome, counts[outcome]))
	}
	return fmt.Sprintf("%d scripts were taken, %d tickets: %s", len(e.acked), len(e.tickets), strings.Join(words, ", "))
}
