// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// ledger is what a store should hold, kept in maps.
type ledger struct {
	machines map[deploy.MachineID]deploy.Machine
	retired  map[string]bool
	tasks    map[deploy.TaskID]deploy.Task
	next     map[string]int
}

func (l ledger) clone() ledger {
	return ledger{maps.Clone(l.machines), maps.Clone(l.retired), maps.Clone(l.tasks), maps.Clone(l.next)}
}

// model does random work, several operations to a transaction, some of them failing, and compares
// the store with the ledger after each.
func model(t *testing.T, open Open) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := open(t)
		held := ledger{
			map[deploy.MachineID]deploy.Machine{}, map[string]bool{}, map[deploy.TaskID]deploy.Task{}, map[string]int{},
		}
		for _, work := range rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawStep), 1, 6), 1, 10).Draw(rt, "work") {
			var tried ledger
			err := s.Update(t.Context(), func(w store.Writer) error {
				tried = held.clone()
				return tried.carryOut(w, work)
			})
			switch {
			case errors.Is(err, errDisagree):
				rt.Fatal(err)
			case err == nil:
				held = tried
			}
			held.compare(rt, t, s)
		}
		if err := s.Close(); err != nil {
			rt.Fatalf("Close() = %v", err)
		}
	})
}

// step is one operation. Few values, so that they meet.
type step struct {
	op, id  int
	name    string
	pin     string
	epoch   int64
	goesOn  bool // after a refusal
	aborted bool
}

func drawStep(t *rapid.T) step {
	return step{
		op: rapid.IntRange(0, 5).Draw(t, "op"), id: rapid.IntRange(1, 3).Draw(t, "id"),
		name:  rapid.SampledFrom([]string{"a", "A", "b", "ß"}).Draw(t, "name"),
		pin:   rapid.SampledFrom([]string{"", "p", "q", "r"}).Draw(t, "pin"),
		epoch: rapid.Int64Range(0, 2).Draw(t, "epoch"), goesOn: rapid.Bool().Draw(t, "goes on"),
		aborted: rapid.IntRange(0, 9).Draw(t, "abort") == 0,
	}
}

var errDisagree = errors.New("store and ledger disagree")

// carryOut does the work on both. A refusal leaves the ledger as it was and, unless the work goes
// on, ends the transaction.
func (l *ledger) carryOut(w store.Writer, work []step) error {
	for _, st := range work {
		before := l.clone()
		err, want := l.one(w, st)
		if errkind.Of(err) != errkind.Of(want) || (err == nil) != (want == nil) {
			return errors.Join(errDisagree, fmt.Errorf("%+v: store says %w, ledger says %w", st, err, want))
		}
		if err != nil {
			*l = before
		}
		if st.aborted || err != nil && !st.goesOn {
			return errkind.Canceled.Errorf("aborted")
		}
	}
	return nil
}

// one does one step on both and returns what each says.
func (l *ledger) one(w store.Writer, st step) (got, want error) {
	machine := deploy.Machine{ID: deploy.MachineID(fmt.Sprintf("Machines-%d", st.id)), Name: st.name, Pin: st.pin}
	task := deploy.Task{
		ID: deploy.TaskID(fmt.Sprintf("ServerTasks-%d", st.id)), Description: st.name, LeaseEpoch: st.epoch,
	}
	switch st.op {
	case 0:
		return w.PutMachine(machine), l.putMachine(machine)
	case 1:
		return w.DeleteMachine(machine.ID), l.deleteMachine(machine.ID)
	case 2:
		l.tasks[task.ID] = task
		return w.PutTask(task), nil
	case 3:
		return w.PutTaskLeased(task), l.putLeased(task)
	case 4:
		_, err := w.DeleteTask(task.ID)
		return err, l.deleteTask(task.ID)
	}
	l.next[st.name]++
	id, err := w.NextID(st.name)
	if want := fmt.Sprintf("%s-%d", st.name, l.next[st.name]); err == nil && id != want {
		err = fmt.Errorf("NextID = %s, want %s", id, want)
	}
	return err, nil
}

func (l *ledger) putMachine(m deploy.Machine) error {
	old, known := l.machines[m.ID]
	for id, other := range l.machines {
		if id != m.ID && (strings.EqualFold(other.Name, m.Name) || m.Pin != "" && other.Pin == m.Pin) {
			return errkind.Conflict
		}
	}
	if l.retired[m.Pin] {
		return errkind.Conflict
	}
	if known && old.Pin != m.Pin && old.Pin != "" {
		l.retired[old.Pin] = true
	}
	l.machines[m.ID] = m
	return nil
}

func (l *ledger) deleteMachine(id deploy.MachineID) error {
	old, known := l.machines[id]
	if !known {
		return errkind.NotFound
	}
	if old.Pin != "" {
		l.retired[old.Pin] = true
	}
	delete(l.machines, id)
	return nil
}

func (l *ledger) putLeased(task deploy.Task) error {
	old, known := l.tasks[task.ID]
	switch {
	case !known:
		return errkind.NotFound
	case old.LeaseEpoch != task.LeaseEpoch:
		return errkind.Conflict
	}
	l.tasks[task.ID] = task
	return nil
}

func (l *ledger) deleteTask(id deploy.TaskID) error {
	if _, known := l.tasks[id]; !known {
		return errkind.NotFound
	}
	delete(l.tasks, id)
	return nil
}

func (l *ledger) compare(rt *rapid.T, t *testing.T, s store.Store) {
	view(t, s, func(r store.Reader) error {
		machines, merr := r.Machines(store.MachineFilter{})
		same(t, "machines", slices.SortedFunc(maps.Values(l.machines), func(a, b deploy.Machine) int {
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		}), machines)
		pins, perr := r.RetiredPins()
		same(t, "retired pins", slices.Sorted(maps.Keys(l.retired)), pins)
		tasks, total, terr := r.Tasks(store.TaskFilter{})
		same(t, "tasks", slices.SortedFunc(maps.Values(l.tasks), func(a, b deploy.Task) int {
			return store.CompareIDs(b.ID, a.ID)
		}), tasks)
		same(t, "number of tasks", len(l.tasks), total)
		return errors.Join(merr, perr, terr)
	})
	if t.Failed() {
		rt.FailNow()
	}
}
