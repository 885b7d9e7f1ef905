// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasks_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
	"fairlead/server/tasks"
)

// TestAStoppedSpaceBeginsNothing: its tasks wait and say why, others go ahead, and they begin once it goes on.
func TestAStoppedSpaceBeginsNothing(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	two := deploy.Space{ID: "Spaces-2", Name: "Two", Slug: "two", IsStopped: true}
	queued := func(id deploy.TaskID, space deploy.SpaceID) deploy.Task {
		return deploy.Task{ID: id, Space: space, Kind: deploy.ScriptTask, State: deploy.TaskQueued}
	}
	update := func(f func(store.Writer) error) {
		t.Helper()
		if err := s.Update(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	update(func(w store.Writer) error {
		return errors.Join(w.PutSpace(two), w.PutTask(queued("ServerTasks-1", two.ID)),
			w.PutTask(queued("ServerTasks-2", deploy.DefaultSpace)))
	})
	q := tasks.NewQueue(s, time.Now, "owner", 5)
	claim := func(want deploy.TaskID) {
		t.Helper()
		if claimed, _, err := q.Claim(t.Context()); err != nil || len(claimed) != 1 || claimed[0].ID != want {
			t.Errorf("claimed %v, %v; want %s alone", claimed, err, want)
		}
	}
	claim("ServerTasks-2")
	waits, err := q.Waits(t.Context())
	if err != nil || waits["ServerTasks-1"] != "The task queue of space Two is stopped." {
		t.Errorf("it waits: %q, %v", waits, err)
	}
	two.IsStopped = false
	update(func(w store.Writer) error { return w.PutSpace(two) })
	claim("ServerTasks-1")
}
