// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// scale fills a store as a big installation does and logs how long typical reads take.
func scale(t *testing.T, open Open) {
	if testing.Short() {
		t.Skip("a full store takes seconds to fill")
	}
	s := open(t)
	start := time.Now()
	fillUp(t, s)
	t.Logf("filled in %v", time.Since(start).Round(time.Millisecond))
	readTimed(t, s)
	if err := s.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

const machines, tasks = 10_000, 100_000

func fillUp(t *testing.T, s store.Store) {
	t.Helper()
	const batch = 5_000
	fill := func(total int, put func(store.Writer, int) error) {
		for first := 0; first < total; first += batch {
			update(t, s, func(w store.Writer) error {
				for i := first; i < first+batch; i++ {
					if err := put(w, i); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	fill(machines, func(w store.Writer, i int) error {
		return w.PutMachine(deploy.Machine{
			ID: deploy.MachineID(fmt.Sprintf("Machines-%d", i)), Space: deploy.DefaultSpace, Name: fmt.Sprintf("web-%d", i),
			Pin: fmt.Sprintf("%064x", i), Tags: []string{"web", fmt.Sprintf("rack-%d", i%100)},
			Environments: []deploy.EnvironmentID{deploy.EnvironmentID(fmt.Sprintf("Environments-%d", i%10))},
		})
	})
	plan := deploy.Plan{Steps: []deploy.PlannedStep{{Number: 1, Machines: []deploy.MachineID{"Machines-1"}}}}
	fill(tasks, func(w store.Writer, i int) error {
		state := deploy.TaskSuccess
		if i%10_000 == 0 {
			state = deploy.TaskQueued
		}
		return w.PutTask(deploy.Task{
			ID: deploy.TaskID(fmt.Sprintf("ServerTasks-%d", i)), Kind: deploy.DeployTask, State: state, QueuedAt: moment(i),
			Project: deploy.ProjectID(fmt.Sprintf("Projects-%d", i%50)), Environment: "Environments-1",
			Plan: plan,
		})
	})
}

func readTimed(t *testing.T, s store.Store) {
	t.Helper()
	timed := func(what string, want int, read func(store.Reader) (int, error)) {
		start := time.Now()
		view(t, s, func(r store.Reader) error {
			n, err := read(r)
			same(t, what, want, n)
			return err
		})
		t.Logf("%-40s %v", what, time.Since(start).Round(10*time.Microsecond))
	}
	timed("all machines", machines, func(r store.Reader) (int, error) {
		all, err := r.Machines(store.MachineFilter{})
		return len(all), err
	})
	timed("machines of a tag", machines/100, func(r store.Reader) (int, error) {
		all, err := r.Machines(store.MachineFilter{Tag: "rack-7"})
		return len(all), err
	})
	timed("machine by pin", 1, func(r store.Reader) (int, error) {
		_, err := r.MachineByPin(fmt.Sprintf("%064x", 77))
		return 1, err
	})
	for what, f := range map[string]struct {
		filter store.TaskFilter
		want   int
	}{
		"all tasks":             {store.TaskFilter{}, tasks},
		"first page of tasks":   {store.TaskFilter{Take: 30}, 30},
		"deep page of tasks":    {store.TaskFilter{Skip: tasks - 30, Take: 30}, 30},
		"queued tasks":          {store.TaskFilter{States: []deploy.TaskState{deploy.TaskQueued}}, tasks / 10_000},
		"a page of one project": {store.TaskFilter{Project: "Projects-7", Take: 30}, 30},
	} {
		timed(what, f.want, func(r store.Reader) (int, error) {
			list, _, err := r.Tasks(f.filter)
			return len(list), err
		})
	}
}
