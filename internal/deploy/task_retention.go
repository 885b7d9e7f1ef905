// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// LooseTask is what retention looks at of a task that has ended and belongs to no deployment, or to one that is gone.
type LooseTask struct {
	ID   TaskID
	Kind TaskKind
	// EndedAt is zero when nobody knows; such a task stays.
	EndedAt time.Time
	// IsHeld says that a machine has not been told to forget one of its tickets, or that a question of it is open.
	IsHeld bool
}

// What Octopus Deploy keeps of tasks, for each kind. Source: its page on retention policies.
const (
	// TasksKeptAlways is how many of those that ended last stay, however long ago that was; none of deployments that
	// are gone.
	TasksKeptAlways = 20
	// MaxTasksKept is how many of those that ended last may stay; the others go, however short a time ago they ended.
	MaxTasksKept = 20_000
)

// MaxTaskDays is the longest time, in days, that tasks are kept for unless it is for ever: ten years.
const MaxTaskDays = 3650

// ExpiredTasks are the tasks of a space that are not kept for so many days after their end, oldest first; 0 days is
// for ever. Of the tasks of deployments that are gone none stays longer. A task that is held stays, whatever else is
// said.
func ExpiredTasks(now time.Time, days int, tasks []LooseTask) []TaskID {
	if days <= 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(tasks), newestEndFirst)
	before := now.Add(-time.Duration(days) * 24 * time.Hour)
	newer := map[TaskKind]int{}
	var expired []TaskID
	for _, t := range sorted {
		rank := newer[t.Kind]
		newer[t.Kind]++
		isLast := rank < TasksKeptAlways && t.Kind != DeployTask
		isOld := rank >= MaxTasksKept || t.EndedAt.Before(before)
		if !t.IsHeld && !t.EndedAt.IsZero() && isOld && !isLast {
			expired = append(expired, t.ID)
		}
	}
	slices.Reverse(expired)
	return expired
}

func newestEndFirst(a, b LooseTask) int {
	return cmp.Or(b.EndedAt.Compare(a.EndedAt), strings.Compare(string(b.ID), string(a.ID)))
}
