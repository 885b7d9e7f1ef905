// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"os"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/sim/plan"
	"fairlead/sim/scenario"
	"fairlead/sim/search"
)

// found is a plan and, for a saved failure, what was seen when it was saved.
type found struct {
	name    string // as people typed it
	plan    plan.Plan
	failure *search.Failure
}

// find reads the plan in a file, or takes the scenario of that name. Errors: NotFound, Invalid, Denied.
func find(name string) (found, error) {
	_, err := os.Stat(name)
	if err != nil && !strings.ContainsAny(name, "./") {
		s, err := scenario.Named(name)
		return found{name: name, plan: s.Plan}, err
	}
	p, err := plan.Load(name)
	if err != nil {
		return found{}, err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return found{}, errkind.Denied.Errorf("read %s again: %w", name, err)
	}
	f := found{name: name, plan: p}
	if failure, is := search.ReadFailure(text, p); is {
		f.failure = &failure
	}
	return f, nil
}
