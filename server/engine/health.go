// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
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
			switch {
			case health.Status == deploy.HealthUnavailable && w.engine.policyOf(ctx, step.Machines[i]).MayBeOffline:
				health.Summary += " Its machine policy allows that."
			case health.Status != deploy.HealthHealthy:
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

// findingsTogether is how many findings CheckAll stores in one transaction: a commit is a sync of the
// disk.
const findingsTogether = 32

// finding is what came of asking a machine for its report.
type finding struct {
	machine deploy.MachineID
	report  contract.HealthReport
	health  deploy.Health
}

// Check asks one machine for its report and stores the finding.
func (e *Engine) Check(ctx context.Context, id deploy.MachineID) deploy.Health {
	f := e.ask(ctx, id)
	e.keep(ctx, []finding{f})
	return f.health
}

// CheckAll asks machines for their reports, one after the other, and stores the findings.
func (e *Engine) CheckAll(ctx context.Context, ids []deploy.MachineID) {
	for some := range slices.Chunk(ids, findingsTogether) {
		var findings []finding
		for _, id := range some {
			if ctx.Err() != nil {
				return
			}
			findings = append(findings, e.ask(ctx, id))
		}
		e.keep(ctx, findings)
	}
}

func (e *Engine) ask(ctx context.Context, id deploy.MachineID) finding {
	f := finding{machine: id, health: deploy.Health{Status: deploy.HealthUnavailable, CheckedAt: e.Env.Wall()}}
	t, _, err := e.Reach.Target(id)
	if err == nil {
		f.report, err = t.Health(ctx)
	}
	switch {
	case err != nil:
		f.health.Summary = err.Error()
	case e.policyOf(ctx, id).OnlyConnectivity:
		f.health.Status, f.health.Summary = deploy.HealthHealthy, "The agent answers; its machine policy asks for no more."
		f.health.DiskFree = f.report.DiskFreeBytes
	default:
		f.health = judge(f.report, f.health)
	}
	return f
}

// policyOf is the default policy when the store cannot say.
func (e *Engine) policyOf(ctx context.Context, id deploy.MachineID) deploy.MachinePolicy {
	policy := deploy.DefaultMachinePolicy()
	err := e.Store.View(ctx, func(r store.Reader) error {
		machine, err := r.Machine(id)
		if err != nil {
			return err
		}
		policies, err := r.MachinePolicies(deploy.DefaultSpace)
		policy = deploy.PolicyOf(policies, machine)
		return err
	})
	if err != nil && ctx.Err() == nil && errkind.Of(err) != errkind.NotFound {
		e.log.Warn("a machine policy was not read", "machine", id, "err", err)
	}
	return policy
}

// keep stores findings. A machine that was removed meanwhile keeps the others from nothing.
func (e *Engine) keep(ctx context.Context, findings []finding) {
	err := e.Store.Update(ctx, func(w store.Writer) error {
		for _, f := range findings {
			machine, err := w.Machine(f.machine)
			if errkind.Of(err) == errkind.NotFound {
				continue
			}
			if err != nil {
				return err
			}
			f.health.LastSeen = machine.Health.LastSeen
			if f.health.Status != deploy.HealthUnavailable {
				f.health.LastSeen = f.health.CheckedAt
				machine.Facts.Shell, machine.Facts.ShellVersion = f.report.Shell, f.report.ShellVersion
			}
			machine.Health = f.health
			if err := w.PutMachine(machine); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		e.log.Warn("health was not stored", "machines", len(findings), "first", findings[0].machine, "err", err)
	}
}

// judge turns a report into a finding.
func judge(r contract.HealthReport, h deploy.Health) deploy.Health {
	h.DiskFree = r.DiskFreeBytes
	switch {
	case r.StorageFailed != "":
		h.Status, h.Summary = deploy.HealthUnhealthy, r.StorageFailed
	case r.Shell == "":
		h.Status, h.Summary = deploy.HealthUnhealthy, "There is no bash on the machine, so steps cannot run."
	case len(r.Warnings) > 0:
		h.Status, h.Summary = deploy.HealthHasWarnings, r.Warnings[0]
	default:
		h.Status, h.Summary = deploy.HealthHealthy, "The agent answers and the machine has what deployments need."
	}
	return h
}
