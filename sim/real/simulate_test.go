// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real_test

import (
	"testing"

	"fairlead/sim/plan"
	"fairlead/sim/real"
	"fairlead/sim/site"
)

// other is what a real outcome is compared with.
type other struct {
	world   string
	outcome real.Outcome
}

// simulate carries a plan out in the simulator.
func simulate(t *testing.T, p plan.Plan, folder string) other {
	t.Helper()
	h, err := site.History(t, p, site.Options{Dir: homes()})
	if err != nil {
		t.Fatalf("simulate %q: %v", p.Name, err)
	}
	keep(t, folder, p, "simulated", h)
	return other{"simulated", real.OutcomeOf(h)}
}
