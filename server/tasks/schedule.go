// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package tasks is the queue of work that survives the server: who may start now, who works on
// what, and how a task ends.
//
// It does not carry anything out; the engine does.
//
//  1. A task is worked on by one owner at a time: each claim raises its lease epoch, and a write
//     under an older epoch changes nothing.
//  2. A completed task never changes.
//  3. Two deployments of one project into one environment never run side by side.
//
// schedule.go decides (pure), queue.go stores.
package tasks

import (
	"fmt"
	"slices"
	"time"

	"fairlead/internal/deploy"
)

// DefaultLimit is how many tasks run at once.
const DefaultLimit = 20

// Schedule is which queued tasks start now, and why the others wait.
type Schedule struct {
	Start []deploy.TaskID
	// Late are those that may not start any more.
	Late  []deploy.TaskID
	Waits map[deploy.TaskID]string // sentences
	// Next is when a task's time comes or goes; zero when no task waits for a time.
	Next time.Time
}

// NewSchedule looks at the queued tasks, oldest first, and at the running ones.
func NewSchedule(now time.Time, queued, running []deploy.Task, limit int) Schedule {
	s := Schedule{Waits: map[deploy.TaskID]string{}}
	for _, task := range queued {
		if !task.NotAfter.IsZero() && !now.Before(task.NotAfter) {
			s.Late = append(s.Late, task.ID)
			continue
		}
		s.look(task.NotAfter)
		if why := s.holds(now, task, running, limit); why != "" {
			s.Waits[task.ID] = why
			continue
		}
		s.Start = append(s.Start, task.ID)
		running = append(running[:len(running):len(running)], task)
	}
	return s
}

// look has the next look be at a time at the latest.
func (s *Schedule) look(at time.Time) {
	if !at.IsZero() && (s.Next.IsZero() || at.Before(s.Next)) {
		s.Next = at
	}
}

func (s *Schedule) holds(now time.Time, task deploy.Task, running []deploy.Task, limit int) string {
	if task.NotBefore.After(now) {
		s.look(task.NotBefore)
		return "is scheduled for " + task.NotBefore.UTC().Format(time.RFC3339)
	}
	for _, other := range running {
		if task.Kind == deploy.DeployTask && other.Kind == deploy.DeployTask &&
			other.Project == task.Project && other.Environment == task.Environment {
			return fmt.Sprintf("waits for %s: %s", other.ID, other.Description)
		}
		if task.Kind == deploy.HealthTask && other.Kind == deploy.HealthTask && sharesMachine(task.Plan, other.Plan) {
			return fmt.Sprintf("waits for %s, which checks the same machines", other.ID)
		}
	}
	if len(running) >= limit {
		return fmt.Sprintf("waits for one of %d running tasks to end", len(running))
	}
	return ""
}

func sharesMachine(a, b deploy.Plan) bool {
	in := map[deploy.MachineID]bool{}
	for _, step := range a.Steps {
		for _, id := range step.Machines {
			in[id] = true
		}
	}
	return slices.ContainsFunc(b.Steps, func(step deploy.PlannedStep) bool {
		return slices.ContainsFunc(step.Machines, func(id deploy.MachineID) bool { return in[id] })
	})
}
