// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/server/engine"
	"fairlead/server/tasks"
)

func TestRetentionTasksSayWhatTheyDeleted(t *testing.T) {
	for name, c := range map[string]struct {
		said  []string
		err   error
		state deploy.TaskState
		want  string
	}{
		"something": {[]string{"Release 1 was deleted."}, nil, deploy.TaskSuccess, "Release 1 was deleted."},
		"nothing":   {nil, nil, deploy.TaskSuccess, "Nothing has expired."},
		"a failure": {
			[]string{"Release 1 was deleted."},
			errkind.Exhausted.Errorf("no space left"), deploy.TaskFailed,
			"no space left",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(w store.Writer) error {
					return w.PutTask(deploy.Task{
						ID: "ServerTasks-1", Space: deploy.DefaultSpace, Kind: deploy.RetentionTask, State: deploy.TaskQueued,
						QueuedAt: time.Now(),
					})
				})
				defer func() { b.must(b.store.Close()) }()
				e := engine.New(engine.Deps{
					Store: b.store, Queue: tasks.NewQueue(b.store, time.Now, "owner", 5), Logs: b.logs, Reach: ward{},
					Env:    host.Env{Wall: time.Now, Log: slog.New(slog.DiscardHandler), Rand: seeded, Point: func(string) {}},
					Retain: func(context.Context, deploy.SpaceID) ([]string, error) { return c.said, c.err },
				})
				ctx, stop := context.WithTimeout(t.Context(), time.Minute)
				var group sync.WaitGroup
				group.Go(func() { _ = e.Run(ctx) })
				for ctx.Err() == nil && !b.task().State.IsCompleted() {
					time.Sleep(time.Second)
				}
				stop()
				group.Wait()
				if got := b.task().State; got != c.state || !strings.Contains(b.log(), c.want) {
					t.Errorf("it ended as %s and said\n%s", got, b.log())
				}
			})
		})
	}
}
