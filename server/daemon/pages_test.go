// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

// TestPagesShowWhatWasAnswered: the question goes over from those that are asked to those that are answered, in the
// task's own space alone.
func TestPagesShowWhatWasAnswered(t *testing.T) {
	d := newServer(t, DefaultSettings())
	at := time.Unix(1e9, 0)
	q := deploy.Interruption{
		ID: "Interruptions-1", Space: deploy.DefaultSpace, Task: "ServerTasks-1", Kind: deploy.ManualInterruption,
		Title: "Approve", CreatedAt: at,
	}
	put := func() {
		err := d.store.Update(t.Context(), func(w store.Writer) error {
			return errors.Join(w.PutTask(running("ServerTasks-1", at)), w.PutInterruption(q))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put()
	pages, who := d.newPages(), identity.System()
	page, err := pages.Task(t.Context(), who, "ServerTasks-1")
	if err != nil || len(page.Questions) != 1 || len(page.Answers) != 0 || page.WaitsFor == "" {
		t.Errorf("asked: %+v, %v", page, err)
	}
	q.Choice, q.AnsweredBy, q.AnsweredAt, q.Notes = deploy.ChoiceProceed, "ann", at.Add(time.Minute), "looked at"
	put()
	page, err = pages.Task(t.Context(), who, "ServerTasks-1")
	if err != nil || len(page.Questions) != 0 || len(page.Answers) != 1 || page.WaitsFor != "" ||
		page.Answers[0] != (portal.Answer{Title: "Approve", Said: "ann answered Proceed. Notes: looked at", At: page.Answers[0].At}) {
		t.Errorf("answered: %+v, %v", page, err)
	}
	if _, err := pages.Task(t.Context(), who.In("Spaces-2"), "ServerTasks-1"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("from another space: %v", err)
	}
}

// TestPagesShowWhatAsks: of two tasks that run, the one with a question is told from the other wherever tasks are listed.
func TestPagesShowWhatAsks(t *testing.T) {
	d := newServer(t, DefaultSettings())
	at := time.Unix(1e9, 0)
	err := d.store.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(
			w.PutMachine(deploy.Machine{ID: "Machines-1", Space: deploy.DefaultSpace, Name: "web-1"}),
			w.PutTask(running("ServerTasks-1", at)),
			w.PutTask(running("ServerTasks-2", at)),
			w.PutInterruption(deploy.Interruption{
				ID: "Interruptions-1", Space: deploy.DefaultSpace, Task: "ServerTasks-1", Kind: deploy.ManualInterruption,
				Title: "Approve", CreatedAt: at,
			}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, who := d.newPages(), identity.System()
	board, err := pages.Dashboard(t.Context(), who)
	if err != nil || board.Running != 2 || board.Asking != 1 {
		t.Errorf("the dashboard: %d running, %d asking, %v; want 2 and 1", board.Running, board.Asking, err)
	}
	all, _, err := pages.Tasks(t.Context(), who, portal.TaskQuery{Take: 10})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d tasks, %v", len(all), err)
	}
	machine, err := pages.Machine(t.Context(), who, "Machines-1")
	if err != nil || len(machine.Recent) != 2 {
		t.Fatalf("%d tasks of the machine, %v", len(machine.Recent), err)
	}
	for _, task := range append(all, machine.Recent...) {
		asks := task.ID == "ServerTasks-1"
		if task.IsAsking != asks || strings.Contains(task.WaitsFor, "Approve") != asks {
			t.Errorf("%s: asking %v, waits %q", task.ID, task.IsAsking, task.WaitsFor)
		}
	}
	asking, total, err := pages.Tasks(t.Context(), who, portal.TaskQuery{IsAsking: true, Take: 10})
	if err != nil || total != 1 || len(asking) != 1 || asking[0].ID != "ServerTasks-1" {
		t.Errorf("those that ask: %v, %d, %v", asking, total, err)
	}
}

func running(id deploy.TaskID, at time.Time) deploy.Task {
	return deploy.Task{
		ID: id, Space: deploy.DefaultSpace, Kind: deploy.ScriptTask, State: deploy.TaskExecuting, QueuedAt: at,
		Plan: deploy.Plan{Steps: []deploy.PlannedStep{{Number: 1, Name: "run", Machines: []deploy.MachineID{"Machines-1"}}}},
	}
}
