// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
)

// staysFor says of one task, by counting those that ended after it, what ExpiredTasks works out for all.
func staysFor(days int, t deploy.LooseTask, all []deploy.LooseTask) bool {
	if days == 0 || t.IsHeld || t.EndedAt.IsZero() {
		return true
	}
	later := 0
	for _, o := range all {
		if o.Kind == t.Kind && (o.EndedAt.After(t.EndedAt) || o.EndedAt.Equal(t.EndedAt) && o.ID > t.ID) {
			later++
		}
	}
	return later < 20 && t.Kind != deploy.DeployTask || later < 20_000 && retentionNow.Sub(t.EndedAt) <= time.Duration(days)*24*time.Hour
}

func TestTasksAreKeptAsSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.IntRange(0, 3).Draw(t, "days")
		ids := rapid.Permutation([]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26}).
			Draw(t, "ids")
		tasks := make([]deploy.LooseTask, len(ids))
		for i, id := range ids {
			tasks[i] = deploy.LooseTask{
				ID: deploy.TaskID(fmt.Sprintf("ServerTasks-%02d", id)),
				Kind: rapid.SampledFrom([]deploy.TaskKind{
					deploy.ScriptTask, deploy.ScriptTask, deploy.ScriptTask, deploy.ScriptTask, deploy.ScriptTask,
					deploy.ScriptTask, deploy.ScriptTask, deploy.ScriptTask, deploy.HealthTask, deploy.DeployTask,
				}).Draw(t, "kind"),
				IsHeld: rapid.IntRange(0, 9).Draw(t, "held") == 0,
			}
			if rapid.IntRange(0, 19).Draw(t, "ended") > 0 {
				tasks[i].EndedAt = retentionNow.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour)
			}
		}
		given := slices.Clone(tasks)
		expired := deploy.ExpiredTasks(retentionNow, days, tasks)
		if !slices.Equal(given, tasks) {
			t.Fatal("it changed what it was given")
		}
		for _, task := range tasks {
			if got, want := !slices.Contains(expired, task.ID), staysFor(days, task, tasks); got != want {
				t.Fatalf("%+v stays: %v, want %v", task, got, want)
			}
		}
		end := func(id deploy.TaskID) time.Time {
			return tasks[slices.IndexFunc(tasks, func(o deploy.LooseTask) bool { return o.ID == id })].EndedAt
		}
		if !slices.IsSortedFunc(expired, func(a, b deploy.TaskID) int { return end(a).Compare(end(b)) }) {
			t.Fatalf("not oldest first: %v", expired)
		}
	})
}

func TestTooManyYoungTasksGo(t *testing.T) {
	tasks := make([]deploy.LooseTask, deploy.MaxTasksKept+2)
	for i := range tasks {
		tasks[i] = deploy.LooseTask{
			ID: deploy.TaskID(fmt.Sprintf("ServerTasks-%d", i)), Kind: deploy.HealthTask,
			EndedAt: retentionNow.Add(-time.Duration(i) * time.Second),
		}
	}
	got := deploy.ExpiredTasks(retentionNow, 30, tasks)
	if want := []deploy.TaskID{"ServerTasks-20001", "ServerTasks-20000"}; !slices.Equal(got, want) {
		t.Errorf("expired = %v, want %v", got, want)
	}
}
