// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"path/filepath"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
)

// BenchmarkOutputsForAStep is what the second step of a deployment reads for its orders, when the first one set three
// output variables on each of n machines.
func BenchmarkOutputsForAStep(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n, "machines"), func(b *testing.B) {
			s, task := outputsOfStep(b, n)
			defer s.Close()
			for b.Loop() {
				w := &worker{}
				for _, id := range task.Plan.Steps[1].Machines {
					err := s.View(b.Context(), func(r store.Reader) error {
						_, err := w.handed(r, task, deploy.Slot{Step: 1, Machine: id, Attempt: 1})
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// outputsOfStep is a store with a task whose first step has ended on n machines.
func outputsOfStep(b *testing.B, n int) (store.Store, deploy.Task) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	step := deploy.PlannedStep{Name: "a", Actions: []deploy.Action{{Name: "a"}}}
	task := deploy.Task{ID: "ServerTasks-1", Space: deploy.DefaultSpace, Kind: deploy.ScriptTask, State: deploy.TaskExecuting}
	err = s.Update(b.Context(), func(w store.Writer) error {
		for i := range n {
			m := deploy.Machine{
				ID: deploy.MachineID(fmt.Sprintf("Machines-%d", i+1)), Space: deploy.DefaultSpace, Name: fmt.Sprintf("m-%d", i+1),
				Style: deploy.Polling, Pin: fmt.Sprintf("%064d", i+1),
			}
			step.Machines = append(step.Machines, m.ID)
			if err := w.PutMachine(m); err != nil {
				return err
			}
		}
		task.Plan.Steps = []deploy.PlannedStep{step, step}
		if err := w.PutTask(task); err != nil {
			return err
		}
		for i, id := range step.Machines {
			t := deploy.Ticket{
				ID: contract.TicketID(fmt.Sprintf("t-%026d", i)), Task: task.ID, Machine: id, Attempt: 1, State: deploy.TicketFinished,
				Verdict: &contract.Verdict{Outcome: contract.Succeeded},
			}
			if err := w.PutTicket(t); err != nil {
				return err
			}
			out := deploy.Outputs{Ticket: t.ID, Task: task.ID, Slot: slotOf(t)}
			for _, name := range []string{"Url", "Port", "Color"} {
				out.Values = append(out.Values, deploy.OutputValue{Name: name, Value: "value of " + name})
			}
			if err := w.PutOutputs(out); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s, task
}
