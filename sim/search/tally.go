// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"fmt"
	"slices"
	"time"

	"fairlead/sim/check"
	"fairlead/sim/report"
)

// Tally counts what a campaign did.
type Tally struct {
	// Plans is how many different ones ran, Runs how many runs that were, Twice how many plans ran twice.
	Plans int `json:"plans"`
	Runs  int `json:"runs"`
	Twice int `json:"twice"`
	// Violated is how many plans violated something.
	Violated int `json:"violated"`
	// Virtual is the time that all runs lived through, AgentHours that of all agents in them.
	Virtual    time.Duration  `json:"virtual"`
	AgentHours float64        `json:"agent_hours"`
	Events     uint64         `json:"events"`
	Real       time.Duration  `json:"real"`
	CPU        time.Duration  `json:"cpu"` // of all runs
	Faults     map[string]int `json:"faults"`
	Goals      map[string]int `json:"goals"` // in how many runs each was reached
}

// add counts one run.
func (t *Tally) add(r report.Report) {
	t.Runs++
	t.Virtual += r.Virtual
	t.AgentHours += r.AgentHours
	t.Events += r.Net.Events
	t.CPU += r.CPU
	for kind, n := range r.Faults {
		t.Faults[kind] += n
	}
	for goal := range r.Goals {
		t.Goals[goal]++
	}
}

// Missed lists the goals that no run reached.
func (t Tally) Missed() (names []string) {
	for _, g := range check.AllGoals() {
		if t.Goals[g.Name] == 0 {
			names = append(names, g.Name)
		}
	}
	slices.Sort(names)
	return names
}

// String is the tally in a line.
func (t Tally) String() string {
	seconds := max(t.Real.Seconds(), 1e-3)
	faults := 0
	for _, n := range t.Faults {
		faults += n
	}
	return fmt.Sprintf("%d plans, %d runs (%.1f a second), %.1f virtual hours, %.0f agent-hours, %d events, %d faults, "+
		"goals %d of %d, %d run twice, violations %d",
		t.Plans, t.Runs, float64(t.Runs)/seconds, t.Virtual.Hours(), t.AgentHours, t.Events, faults,
		len(t.Goals), len(check.AllGoals()), t.Twice, t.Violated)
}
