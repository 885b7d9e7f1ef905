// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant_test

import (
	"testing"

	"fairlead/sim/mutant"
	"fairlead/sim/site"
)

// TestTheProductPasses: what a plan shows of a mutant is the mutant's.
func TestTheProductPasses(t *testing.T) {
	if testing.Short() {
		t.Skip("carries out all plans: 6 s")
	}
	passed := map[string]bool{}
	for _, m := range mutant.Table() {
		if passed[m.Plan] {
			continue
		}
		passed[m.Plan] = true
		t.Run(m.Plan, func(t *testing.T) {
			p, err := m.Hunt()
			if err != nil {
				t.Fatal(err)
			}
			r := site.Run(t, p, site.Options{Dir: t.TempDir()})
			if r.Trouble != "" {
				t.Fatalf("it was not carried out: %s", r.Trouble)
			}
			for _, v := range r.Violations {
				t.Error(v)
			}
		})
	}
}
