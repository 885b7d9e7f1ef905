// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"sync"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
)

// checkHealth asks every machine of the task for its report, some at a time. It can be repeated
// as a whole, so it needs no tickets.
func (w *worker) checkHealth(ctx context.Context) error {
	bad := 0
	for _, step := range w.task.Plan.Steps {
		window := make(chan struct{}, max(1, step.Window))
		results := make([]deploy.Health, len(step.Machines))
		var group sync.WaitGroup
		for i, id := range step.Machines {
			window <- struct{}{}
			if w.isCanceled(ctx) {
				break
			}
			group.Go(func() {
				results[i] = w.engine.Check(ctx, id)
				<-window
			})
		}
		group.Wait()
		for i, health := range results {
			if health.Status == "" {
				continue // canceled before its turn
			}
			category := tasklog.Info
			if health.Status != deploy.HealthHealthy {
				category, bad = tasklog.Warning, bad+1
			}
			w.say(node(step, step.Machines[i]), category, string(health.Status)+": "+health.Summary)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p := deploy.Progress{State: deploy.TaskSuccess}
	switch {
	case w.task.CancelAsked:
		p = deploy.Progress{State: deploy.TaskCanceled, Reason: "canceled"}
	case bad > 0:
		p = deploy.Progress{State: deploy.TaskFailed, Reason: fmt.Sprintf("%s not healthy", machines(bad))}
	}
	return w.finish(ctx, p)
}

// isCanceled reads whether somebody has asked for the end of the task meanwhile.
func (w *worker) isCanceled(ctx context.Context) bool {
	err := w.engine.Store.View(ctx, func(r store.Reader) error {
		task, err := r.Task(w.task.ID)
		if err == nil {
			w.task.CancelAsked, w.task.CancelAskers = task.CancelAsked, task.CancelAskers
		}
		return err
	})
	return err != nil || w.task.CancelAsked
}

// Check asks one machine for its report and stores the finding.
func (e *Engine) Check(ctx context.Context, id deploy.MachineID) deploy.Health {
	health := deploy.Health{Status: deploy.HealthUnavailable, CheckedAt: e.Env.Wall()}
	var report contract.HealthReport
	t, _, err := e.Reach.Target(id)
	if err == nil {
		report, err = t.Health(ctx)
	}
	if err != nil {
		health.Summary = err.Error()
	} else {
		health = judge(report, health)
	}
	err = e.Store.Update(ctx, func(w store.Writer) error {
		machine, err := w.Machine(id)
		if err != nil {
			return err
		}
		health.LastSeen = machine.Health.LastSeen
		if health.Status != deploy.HealthUnavailable {
			health.LastSeen = health.CheckedAt
			machine.Facts.Shell, machine.Facts.ShellVersion = report.Shell, report.ShellVersion
		}
		machine.Health = health
		return w.PutMachine(machine)
	})
	if err != nil && ctx.Err() == nil {
		e.log.Warn("health was not stored", "machine", id, "err", err)
	}
	return health
}

// judge turns a report into a finding.
func judge(r contract.HealthReport, h deploy.Health) deploy.Health {
	h.DiskFree = r.DiskFreeBytes
	switch {
	case r.Shell == "":
		h.Status, h.Summary = deploy.HealthUnhealthy, "There is no bash on the machine, so steps cannot run."
	case len(r.Warnings) > 0:
		h.Status, h.Summary = deploy.HealthHasWarnings, r.Warnings[0]
	default:
		h.Status, h.Summary = deploy.HealthHealthy, "The agent answers and the machine has what deployments need."
	}
	return h
}
