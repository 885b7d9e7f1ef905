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
// output variables on each of n machines; BenchmarkOutputsForAnAction is what the second action of that step reads.
func BenchmarkOutputsForAStep(b *testing.B) { benchmarkOutputs(b, deploy.Slot{Step: 1, Attempt: 1}) }

func BenchmarkOutputsForAnAction(b *testing.B) {
	benchmarkOutputs(b, deploy.Slot{Action: 1, Attempt: 1})
}

func benchmarkOutputs(b *testing.B, slot deploy.Slot) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n, "machines"), func(b *testing.B) {
			s, task := outputsOfStep(b, n)
			defer s.Close()
			for b.Loop() {
				if err := s.View(b.Context(), func(r store.Reader) error { return handedToAll(r, task, slot) }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// handedToAll reads what each order of an action reads, on each machine of its step.
func handedToAll(r store.Reader, task deploy.Task, slot deploy.Slot) error {
	tickets, err := r.Tickets(task.ID)
	if err != nil {
		return err
	}
	w, last := &worker{}, lastAttempts(tickets)
	for _, slot.Machine = range task.Plan.Steps[slot.Step].Machines {
		h, err := w.handed(r, task, slot, before(last, slot))
		if err != nil {
			return err
		}
		if len(h.outputs) == 0 {
			return fmt.Errorf("nothing is handed over for %v", slot)
		}
	}
	return nil
}

// TestAnActionReadsWhatItsMachineHandedOver, and no other machine's: the rows that all orders of an action read
// together grow with the machines, not with their square.
func TestAnActionReadsWhatItsMachineHandedOver(t *testing.T) {
	const machines = 30
	s, task := outputsOfStep(t, machines)
	defer s.Close()
	for _, slot := range []deploy.Slot{{Action: 1, Attempt: 1}, {Step: 1, Attempt: 1}} {
		err := s.View(t.Context(), func(r store.Reader) error {
			counted := &countedReader{Reader: r}
			err := handedToAll(counted, task, slot)
			if most := 4 * machines; counted.rows > most {
				t.Errorf("orders of %v for %d machines read %d rows, want at most %d", slot, machines, counted.rows, most)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestAnOrderSeesNothingOfItsOwnGroup, though a server that has started again makes it when others of the group have
// ended: one ticket always sees the same outputs.
func TestAnOrderSeesNothingOfItsOwnGroup(t *testing.T) {
	s, task := outputsOfStep(t, 2)
	defer s.Close()
	task.Plan.Steps[1].WithPrevious = true
	err := s.View(t.Context(), func(r store.Reader) error {
		for step, planned := range task.Plan.Steps {
			slot := deploy.Slot{Step: step, Machine: planned.Machines[0], Attempt: 1}
			h, err := (&worker{}).handed(r, task, slot, nil)
			if err != nil || len(h.outputs) != 0 {
				t.Errorf("an order of step %d sees %+v, %v", step+1, h.outputs, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// countedReader counts the tickets and outputs that are read.
type countedReader struct {
	store.Reader
	rows int
}

func (c *countedReader) Tickets(id deploy.TaskID) ([]deploy.Ticket, error) {
	all, err := c.Reader.Tickets(id)
	c.rows += len(all)
	return all, err
}

func (c *countedReader) Outputs(id deploy.TaskID, of ...contract.TicketID) ([]deploy.Outputs, error) {
	all, err := c.Reader.Outputs(id, of...)
	c.rows += len(all)
	return all, err
}

// outputsOfStep is a store with a task whose first step has ended on n machines.
func outputsOfStep(b testing.TB, n int) (store.Store, deploy.Task) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	step := deploy.PlannedStep{Name: "a", Actions: []deploy.Action{{Name: "a"}, {Name: "b"}}}
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
