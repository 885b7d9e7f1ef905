// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"testing"

	"fairlead/internal/deploy"
)

// TestSurroundingsTellHowStepsStand: those before the group, and those that come after it; not those in it.
func TestSurroundingsTellHowStepsStand(t *testing.T) {
	t.Parallel()
	script := []deploy.Action{{Kind: deploy.ScriptAction}}
	two := []deploy.MachineID{"Machines-2", "Machines-1"}
	s := deploy.Surroundings{
		Plan: deploy.Plan{Steps: []deploy.PlannedStep{
			{Name: "done", Machines: two, Actions: script},
			{Name: "bad", Machines: two, Actions: script},
			{Name: "none", Actions: script, Skip: "finds no machine"},
			{Name: "asked", Skip: "is skipped as asked"},
			{Name: "why", Machines: two, Actions: script},
			{Name: "Now"},
			{Name: "beside", WithPrevious: true},
			{Name: "later"},
			{Name: "DONE"},
		}},
		Steps: []deploy.StepProgress{
			{Activity: deploy.ActivitySuccess},
			{Activity: deploy.ActivityFailed, Machines: []deploy.Activity{deploy.ActivitySuccess, deploy.ActivityFailed}},
			{Activity: deploy.ActivitySkipped},
			{Activity: deploy.ActivitySkipped},
			{Activity: deploy.ActivityCanceled, Reason: "lost all its machines"},
			{},
			{},
			{},
			{},
		},
		Start: 5, End: 7,
	}
	if end := s.Plan.GroupEnd(5); end != s.End {
		t.Errorf("the group ends at %d, want %d", end, s.End)
	}
	got := s.Variables()
	for name, want := range map[string][2]string{
		"done": {"Succeeded", ""}, "bad": {"Failed", "failed on 1 of 2 machines"}, "none": {"Abandoned", ""},
		"asked": {"Skipped", ""}, "why": {"Canceled", "lost all its machines"}, "Now": {}, "beside": {}, "later": {"Pending", ""},
		"DONE": {},
	} {
		prefix := "Octopus.Step[" + name + "].Status."
		if said := [2]string{got[prefix+"Code"], got[prefix+"Error"]}; said != want {
			t.Errorf("%s is %q, want %q", name, said, want)
		}
	}
	if ids := got["Octopus.Deployment.Machines"]; ids != "Machines-1,Machines-2" {
		t.Errorf("the machines are %q", ids)
	}
}
