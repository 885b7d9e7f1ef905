// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
)

// full is a store that cannot be written to for its first minute.
type full struct {
	store.Store
	since time.Time
}

func (f full) Update(ctx context.Context, do func(store.Writer) error) error {
	if time.Since(f.since) < time.Minute {
		return errkind.Exhausted.Errorf("no space left on the disk")
	}
	return f.Store.Update(ctx, do)
}

// TestAStartThatMeetsTrouble carries tasks out all the same: with the log of an old task that cannot be opened, and on a
// disk that is full at first.
func TestAStartThatMeetsTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(w store.Writer) error {
			return errors.Join(edited(func(task *deploy.Task) { task.State = deploy.TaskExecuting })(w), w.PutTask(deploy.Task{
				ID: "ServerTasks-7", Space: deploy.DefaultSpace, Kind: deploy.ScriptTask, State: deploy.TaskCanceled,
			}))
		})
		defer b.store.Close()
		b.must(os.Mkdir(filepath.Join(b.openLogs(host.Fsync{}), "ServerTasks-7.log"), 0o700))
		b.store = full{b.store, time.Now()}
		b.run(ending(contract.Succeeded), nil, "", nil)
		if state := b.task().State; state != deploy.TaskSuccess {
			t.Errorf("the task is %s after five minutes", state)
		}
	})
}
