// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package report is what is left of a run when it is over: its digest, what was wrong with it, and
// what it counted, in a form that travels between processes.
//
// It judges nothing.
package report

import (
	"time"

	"fairlead/netem"
	"fairlead/sim/check"
)

// Report is the outcome of one run.
type Report struct {
	Name       string            `json:"name"`
	Hash       string            `json:"hash"` // of the plan
	Seed       uint64            `json:"seed"`
	Digest     netem.Digest      `json:"digest"`
	Violations []check.Violation `json:"violations,omitempty"`
	// Goals are the "sometimes" goals that were reached, and how often.
	Goals map[string]int `json:"goals,omitempty"`
	// Faults counts injected faults by kind.
	Faults map[string]int `json:"faults,omitempty"`
	// Passes counts how often programs passed their crash points, by "life point"; Deaths lists what died, as
	// "life" or "power", in order.
	Passes map[string]int `json:"passes,omitempty"`
	Deaths []string       `json:"deaths,omitempty"`
	// Findings say in a user's words what the network does to the agents.
	Findings []string `json:"findings,omitempty"`
	// Virtual is how long the run was for the programs, Real for whoever waited, CPU what it took of a
	// processor in all; AgentHours is the time that agents lived in it.
	Virtual    time.Duration `json:"virtual"`
	Real       time.Duration `json:"real"`
	CPU        time.Duration `json:"cpu"`
	AgentHours float64       `json:"agent_hours"`
	Net        netem.Counts  `json:"net"`
	// Trouble is why the run could not be carried out, "" when it was.
	Trouble string `json:"trouble,omitempty"`
}

// OK reports whether the run was carried out and nothing is wrong with it.
func (r Report) OK() bool { return r.Trouble == "" && len(r.Violations) == 0 }
