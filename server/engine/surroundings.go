// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// recentDeployments is among how many of the newest deployments that ended the last one is looked for: one that was
// scheduled may have been queued before others and have ended after them.
const recentDeployments = 20

// surroundings are the variables that all orders of a group of steps share.
type surroundings struct {
	start     int // index of its first step
	variables map[string]string
	past      deploy.Past // the same for each group
}

// around reads what an order shares with the others of its group, once for the group.
func (w *worker) around(r store.Reader, f facts, step int, steps []deploy.StepProgress) (map[string]string, error) {
	plan := w.plan
	start := plan.GroupStart(step)
	w.mu.Lock()
	known := w.shared
	w.mu.Unlock()
	if known != nil && known.start == start {
		return known.variables, nil
	}
	made, err := &surroundings{start: start}, error(nil)
	if known != nil {
		made.past = known.past
	} else if made.past, err = pastOf(r, f); err != nil {
		return nil, err
	}
	all, err := r.Machines(store.MachineFilter{Space: f.project.Space, Environment: f.environment.ID})
	if err != nil {
		return nil, err
	}
	planned := map[deploy.MachineID]bool{}
	for _, s := range plan.Steps {
		for _, id := range s.Machines {
			planned[id] = true
		}
	}
	all = slices.DeleteFunc(all, func(m deploy.Machine) bool { return !planned[m.ID] })
	made.variables = deploy.Surroundings{
		Plan: plan, Process: f.release.Process, Machines: all, Past: made.past,
		Steps: steps, Start: start, End: plan.GroupEnd(start),
	}.Variables()
	w.mu.Lock()
	w.shared = made
	w.mu.Unlock()
	return made.variables, nil
}

// pastOf looks for what was deployed before. No other deployment of the project into the environment runs beside this
// one, so it stays the same until the end.
func pastOf(r store.Reader, f facts) (past deploy.Past, err error) {
	filter := store.DeploymentFilter{
		Project: f.project.ID, Environment: f.environment.ID, States: []deploy.TaskState{deploy.TaskSuccess},
		Take: recentDeployments,
	}
	cells, err := lastEnded(r, filter)
	if err != nil {
		return past, err
	}
	if len(cells) > 0 {
		last := cells[0]
		past.Successful, past.Current = last.Deployment, deploy.NamedRelease{ID: last.Release, Number: last.Version}
	}
	filter.States = append(filter.States, deploy.TaskFailed, deploy.TaskCanceled, deploy.TaskTimedOut)
	if cells, err = lastEnded(r, filter); err != nil {
		return past, err
	}
	for _, c := range cells {
		task, err := r.Task(c.Task)
		if err != nil {
			return past, err
		}
		if !task.StartedAt.IsZero() { // one that was canceled in the queue has deployed nothing
			past.Attempted = deploy.NamedRelease{ID: c.Release, Number: c.Version}
			break
		}
	}
	releases, err := r.Releases(f.project.ID)
	own := slices.IndexFunc(releases, func(row store.ReleaseRow) bool { return row.ID == f.release.ID })
	if own >= 0 && own+1 < len(releases) {
		past.Release = deploy.NamedRelease{ID: releases[own+1].ID, Number: releases[own+1].Version}
	}
	return past, err
}

// lastEnded lists deployments that have ended, the last one first.
func lastEnded(r store.Reader, f store.DeploymentFilter) ([]store.DashboardCell, error) {
	cells, err := r.DeploymentCells(f)
	slices.SortStableFunc(cells, func(a, b store.DashboardCell) int { return b.At.Compare(a.At) })
	return cells, err
}
