// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real_test

import (
	"testing"

	"fairlead/sim/plan"
	"fairlead/sim/real"
)

// other is what a real outcome is compared with.
type other struct {
	world   string
	outcome real.Outcome
}

// simulate says what the simulator would, by what is known of the plan.
func simulate(t *testing.T, p plan.Plan, _ string) other {
	t.Helper()
	return other{"expected", known(t, p)}
}
