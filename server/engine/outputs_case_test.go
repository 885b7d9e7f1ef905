// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
)

// TestOutputsThatDifferInCaseAreOne: the last one counts, with its spelling; an order with both would be
// refused by the agent.
func TestOutputsThatDifferInCaseAreOne(t *testing.T) {
	plan := deploy.Plan{Steps: []deploy.PlannedStep{{
		Name: "s", Machines: []deploy.MachineID{"Machines-1"}, Actions: []deploy.Action{{Name: "s"}},
	}}}
	slot := deploy.Slot{Machine: "Machines-1"}
	again := slot
	again.Attempt = 2
	h := handed{
		names: map[deploy.MachineID]string{"Machines-1": "m"},
		outputs: []deploy.Outputs{
			{Slot: slot, Values: []deploy.OutputValue{{Name: "Url", Sealed: "1"}, {Name: "Port", Value: "2"}}},
			{Slot: again, Values: []deploy.OutputValue{{Name: "URL", Value: "3"}}},
		},
	}
	all, sensitive, err := h.variables(plan, func(sealed, _ string) (string, error) { return sealed, nil })
	want := map[string]string{
		"Octopus.Action[s].Output.URL": "3", "Octopus.Action[s].Output[m].URL": "3",
		"Octopus.Action[s].Output.Port": "2", "Octopus.Action[s].Output[m].Port": "2",
	}
	if diff := cmp.Diff(want, all); diff != "" || len(sensitive) > 0 || err != nil {
		t.Errorf("sensitive %q, %v (-want +got):\n%s", sensitive, err, diff)
	}
}
