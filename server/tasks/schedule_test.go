// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasks_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/server/tasks"
)

// TestScheduleKeepsItsRules draws queues and checks each rule by itself.
func TestScheduleKeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_000_000, 0)
		draw := func(name string) (list []deploy.Task) {
			for i := range rapid.IntRange(0, 6).Draw(t, name) {
				list = append(list, deploy.Task{
					ID: deploy.TaskID(fmt.Sprint(name, i)),
					Kind: rapid.SampledFrom([]deploy.TaskKind{deploy.DeployTask, deploy.ScriptTask}).
						Draw(t, "kind"),
					Project: deploy.ProjectID(rapid.SampledFrom([]string{"p", "q"}).Draw(t, "project")),
					Environment: deploy.EnvironmentID(
						rapid.SampledFrom([]string{"dev", "prod"}).Draw(t, "environment"),
					),
					NotBefore: now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "in")) * time.Second),
				})
			}
			return list
		}
		queued, limit := draw("queued"), rapid.IntRange(1, 5).Draw(t, "limit")
		s := tasks.NewSchedule(now, queued, nil, limit)
		if len(s.Start) > limit {
			t.Fatalf("starts %d of at most %d", len(s.Start), limit)
		}
		if len(s.Start)+len(s.Waits) != len(queued) {
			t.Fatalf("%d start and %d wait of %d", len(s.Start), len(s.Waits), len(queued))
		}
		byID := map[deploy.TaskID]deploy.Task{}
		for _, task := range queued {
			byID[task.ID] = task
		}
		places := map[string]bool{}
		for _, id := range s.Start {
			task := byID[id]
			if task.NotBefore.After(now) {
				t.Fatalf("%s starts before its time", id)
			}
			place := string(task.Project) + "/" + string(task.Environment)
			if task.Kind == deploy.DeployTask && places[place] {
				t.Fatalf("two deployments into %s at once", place)
			}
			places[place] = places[place] || task.Kind == deploy.DeployTask
		}
		for id, why := range s.Waits {
			task := byID[id]
			future := task.NotBefore.After(now)
			if future && (s.Next.IsZero() || s.Next.After(task.NotBefore)) {
				t.Fatalf("%s waits for %v and the next look is at %v", id, task.NotBefore, s.Next)
			}
			clash := task.Kind == deploy.DeployTask && places[string(task.Project)+"/"+string(task.Environment)]
			if !future && !clash && len(s.Start) < limit {
				t.Fatalf("%s waits without a cause (%s)", id, why)
			}
		}
	})
}

func TestOneHealthCheckAtATimeForAMachine(t *testing.T) {
	check := func(id string, machines ...deploy.MachineID) deploy.Task {
		return deploy.Task{ID: deploy.TaskID(id), Kind: deploy.HealthTask, Plan: deploy.Plan{
			Steps: []deploy.PlannedStep{{}, {Machines: machines}},
		}}
	}
	queued := []deploy.Task{check("b", "m2", "m1"), check("c", "m3"), check("d", "m3")}
	s := tasks.NewSchedule(time.Unix(0, 0), queued, []deploy.Task{check("a", "m1")}, 9)
	if got := fmt.Sprint(s.Start); got != "[c]" {
		t.Errorf("%s start, want [c]", got)
	}
	if s.Waits["b"] != "waits for a, which checks the same machines" || s.Waits["d"] == "" {
		t.Errorf("they wait so: %v", s.Waits)
	}
}
