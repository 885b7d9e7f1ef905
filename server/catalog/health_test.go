// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

// TestMachinesWithAScriptAreCheckedByATask: those without are left to be asked, and one that a check waits for is not
// queued twice.
func TestMachinesWithAScriptAreCheckedByATask(t *testing.T) {
	s := newSite(t)
	s.fill()
	policy := ok(s.CreateMachinePolicy(s.ctx, root(), deploy.MachinePolicy{
		Name: "Scripted", HealthRun: deploy.OwnScript, HealthScript: "echo_warning x",
	}))(t)
	ids := []deploy.MachineID{}
	for i, policy := range []string{"", string(policy.ID), string(policy.ID), string(policy.ID)} {
		name := fmt.Sprintf("m%d", i)
		made := ok(s.AddListening(s.ctx, root(), catalog.MachineDraft{
			Name: name, Environments: []string{"dev"}, Tags: []string{"x"}, Policy: policy,
			Address: name + ":10933", Pin: fmt.Sprintf("%064x", 10+i), IsDisabled: i == 3,
		}))(t)
		ids = append(ids, made.ID)
	}
	ids = append(ids, "Machines-99")
	plain := ok(s.QueueHealthScripts(s.ctx, root(), ids))(t)
	if fmt.Sprint(plain) != fmt.Sprint(ids[:1]) {
		t.Errorf("only asked are %v, want %v", plain, ids[:1])
	}
	tasks, _, err := s.Tasks(s.ctx, root(), catalog.TaskFilter{Kind: deploy.HealthTask})
	if err != nil || len(tasks) != 1 || len(tasks[0].Plan.Steps) != 1 {
		t.Fatalf("queued are %+v, %v", tasks, err)
	}
	step := tasks[0].Plan.Steps[0]
	if fmt.Sprint(step.Machines) != fmt.Sprint(ids[1:3]) ||
		step.Actions[0].Properties[deploy.PropScriptBody] != "echo_warning x" {
		t.Errorf("the step is %+v", step)
	}
	ok(s.QueueHealthScripts(s.ctx, root(), ids))(t)
	if _, n, _ := s.Tasks(s.ctx, root(), catalog.TaskFilter{Kind: deploy.HealthTask}); n != 1 {
		t.Errorf("%d tasks, want 1 for each machine at a time", n)
	}
	s.finish(tasks[0].ID, deploy.TaskSuccess)
	ok(s.QueueHealthScripts(s.ctx, root(), ids))(t)
	if _, n, _ := s.Tasks(s.ctx, root(), catalog.TaskFilter{Kind: deploy.HealthTask}); n != 2 {
		t.Errorf("%d tasks, want another after the first", n)
	}
	// Somebody asks for all: two steps, for those with and those without.
	task := ok(s.CheckHealth(s.ctx, root(), nil))(t)
	var steps []string
	for _, step := range task.Plan.Steps {
		steps = append(steps, fmt.Sprint(step.Name, len(step.Machines)))
	}
	if got := strings.Join(steps, ", "); got != "Check health2, Check health with a script2" {
		t.Errorf("the steps are %s", got)
	}
}
