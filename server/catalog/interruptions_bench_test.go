// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/catalog"
)

// BenchmarkInterruptions lists the 500 questions of a guided deployment to 1,000 machines.
func BenchmarkInterruptions(b *testing.B) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	step := deploy.PlannedStep{Name: "a", Actions: []deploy.Action{{Name: "a"}}}
	for i := range 1000 {
		step.Machines = append(step.Machines, deploy.MachineID(fmt.Sprintf("Machines-%d", i+1)))
	}
	err = s.Update(b.Context(), func(w store.Writer) error {
		err := w.PutTask(deploy.Task{
			ID: "ServerTasks-1", Space: deploy.DefaultSpace, Kind: deploy.ScriptTask, State: deploy.TaskExecuting,
			Plan: deploy.Plan{Steps: []deploy.PlannedStep{step, step, step}},
		})
		for i := 0; i < 500 && err == nil; i++ {
			err = w.PutInterruption(deploy.Interruption{
				ID: deploy.InterruptionID(fmt.Sprintf("Interruptions-%d", i+1)), Space: deploy.DefaultSpace, Task: "ServerTasks-1",
				Kind: deploy.FailureInterruption, Slot: deploy.Slot{Machine: step.Machines[i], Attempt: 1},
			})
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	c := catalog.New(catalog.Deps{Store: s, Wall: time.Now})
	for b.Loop() {
		all, err := c.Interruptions(b.Context(), root(), "ServerTasks-1", catalog.InterruptionFilter{})
		if err != nil || len(all) != 500 {
			b.Fatal(len(all), err)
		}
	}
}
