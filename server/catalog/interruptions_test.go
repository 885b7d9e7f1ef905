// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// TestAnAnswerThatComesTooLate counts for nothing: after the time for it, also where the engine has not said so yet, and
// once the task is to be canceled.
func TestAnAnswerThatComesTooLate(t *testing.T) {
	for want, edit := range map[string]func(*deploy.Task, *deploy.Interruption){
		"":                              func(*deploy.Task, *deploy.Interruption) {},
		"ended at 2026-01-01T00:00:00Z": func(_ *deploy.Task, i *deploy.Interruption) { i.ExpiresAt = i.CreatedAt.Add(time.Hour) },
		"withdrawn when the task ended": func(task *deploy.Task, i *deploy.Interruption) {
			task.State, i.Choice = deploy.TaskCanceled, deploy.ChoiceWithdrawn
		},
		"ada asked to cancel": func(task *deploy.Task, _ *deploy.Interruption) { task.CancelAsked, task.CancelAskers = true, "ada" },
	} {
		s := newSite(t)
		task := deploy.Task{
			ID: "ServerTasks-1", Space: deploy.DefaultSpace, Kind: deploy.ScriptTask, State: deploy.TaskExecuting,
		}
		asked := deploy.Interruption{
			ID: "Interruptions-1", Space: deploy.DefaultSpace, Task: task.ID, Kind: deploy.ManualInterruption, Title: "Approve",
			CreatedAt: s.now.Add(-time.Hour),
		}
		edit(&task, &asked)
		if err := s.store.Update(s.ctx, func(w store.Writer) error {
			return errors.Join(w.PutTask(task), w.PutInterruption(asked))
		}); err != nil {
			t.Fatal(err)
		}
		d, err := s.Answer(s.ctx, root(), "Interruptions-1", "Proceed", "looked\r\nat it")
		if err == nil && d.Notes != "looked\nat it" { // scripts read them
			t.Errorf("the notes are %q, want their lines to end as in a shell", d.Notes)
		}
		isRefused := errkind.Of(err) == errkind.Invalid && strings.Contains(err.Error(), want)
		if want == "" && err != nil || want != "" && (err == nil || !isRefused) {
			t.Errorf("the answer: %v, want %q", err, want)
		}
		if _, err := s.TakeInterruption(s.ctx, root(), "Interruptions-1"); err == nil {
			t.Errorf("it can be taken after all (%q)", want)
		}
	}
}
