// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
)

// checkHealth asks every machine of the task for its report, some at a time. It can be repeated
// as a whole; only the scripts of policies need tickets.
func (w *worker) checkHealth(ctx context.Context) error {
	h := &ward{worker: w}
	watching, end := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { h.watch(watching) })
	bad, err := 0, error(nil)
	for i := range w.plan.Steps {
		n, stepErr := h.step(ctx, i)
		bad, err = bad+n, errors.Join(err, stepErr)
	}
	end()
	watch.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	p := deploy.Progress{State: deploy.TaskSuccess}
	if by, canceled := h.canceledBy(); canceled {
		w.task.CancelAsked, w.task.CancelAskers = true, by
		p = deploy.Progress{State: deploy.TaskCanceled, Reason: "canceled"}
	} else if bad > 0 {
		p = deploy.Progress{State: deploy.TaskFailed, Reason: fmt.Sprintf("%s not healthy", machines(bad))}
	}
	return w.finish(ctx, p)
}

// step checks the machines of one step and counts those that somebody should look at.
func (h *ward) step(ctx context.Context, index int) (bad int, err error) {
	step := h.worker.plan.Steps[index]
	window := make(chan struct{}, max(1, step.Window))
	results, errs := make([]deploy.Health, len(step.Machines)), make([]error, len(step.Machines))
	var group sync.WaitGroup
	for i, id := range step.Machines {
		window <- struct{}{}
		canceled, err := h.isCanceled(ctx)
		if errs[i] = err; err != nil || canceled {
			break
		}
		group.Go(func() {
			results[i], errs[i] = h.check(ctx, index, id)
			<-window
		})
	}
	group.Wait()
	for i, health := range results {
		if health.Status == "" {
			continue // canceled before its turn, or in the middle of it
		}
		category := tasklog.Info
		switch {
		case health.Status == deploy.HealthUnavailable && h.mayBeOffline(ctx, step.Machines[i]):
			health.Summary += " Its machine policy allows that."
		case health.Status == deploy.HealthHasWarnings:
			category = tasklog.Warning
		case health.Status != deploy.HealthHealthy:
			category, bad = tasklog.Warning, bad+1
		}
		h.worker.say(node(step, step.Machines[i]), category, string(health.Status)+": "+health.Summary)
	}
	return bad, errors.Join(errs...)
}

// findingsTogether is how many findings CheckAll stores in one transaction: a commit is a sync of the
// disk.
const findingsTogether = 32

// finding is what came of asking a machine for its report.
type finding struct {
	machine deploy.MachineID
	report  contract.HealthReport
	health  deploy.Health
	// awaits says that the machine's policy has a script, which alone can say that it is well.
	awaits bool
}

// Check asks one machine for its report and stores the finding. Of a machine whose policy has a script, that
// it answers does not make it healthy: see CheckAll.
func (e *Engine) Check(ctx context.Context, id deploy.MachineID) deploy.Health {
	f := e.ask(ctx, id)
	e.keep(ctx, []finding{f})
	return f.health
}

// CheckAll asks machines for their reports, one after the other, and stores the findings. What the script of a policy
// found of a machine stays until it runs again, in a task.
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
	_, check := e.lookedAfter(ctx, id)
	switch {
	case err != nil:
		f.health.Summary = err.Error()
	case check.OnlyConnectivity:
		f.health.Status, f.health.Summary = deploy.HealthHealthy, "The agent answers; its machine policy asks for no more."
		f.health.DiskFree = f.report.DiskFreeBytes
	default:
		f.health = judge(f.report, f.health)
		isWell := f.health.Status == deploy.HealthHealthy || f.health.Status == deploy.HealthHasWarnings
		f.awaits = isWell && check.Script != ""
	}
	return f
}

// lookedAfter is the machine's policy and what it asks; the default one when the store cannot say.
func (e *Engine) lookedAfter(ctx context.Context, id deploy.MachineID) (deploy.MachinePolicy, deploy.HealthCheck) {
	policy, check := deploy.DefaultMachinePolicy(deploy.DefaultSpace), deploy.HealthCheck{}
	err := e.Store.View(ctx, func(r store.Reader) error {
		machine, err := r.Machine(id)
		if err != nil {
			return err
		}
		policies, err := r.MachinePolicies(machine.Space)
		policy, check = deploy.PolicyOf(policies, machine), deploy.HealthCheckOf(policies, machine)
		return err
	})
	if err != nil && ctx.Err() == nil && errkind.Of(err) != errkind.NotFound {
		e.log.Warn("a machine policy was not read", "machine", id, "err", err)
	}
	return policy, check
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
			machine.Health = f.over(machine.Health)
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

// over is what a machine's health is after the finding, which may leave what a script found before.
func (f finding) over(before deploy.Health) deploy.Health {
	if !f.awaits {
		return f.health
	}
	after := before
	after.LastSeen, after.DiskFree = f.health.LastSeen, f.health.DiskFree
	switch before.Status {
	case deploy.HealthHealthy, deploy.HealthHasWarnings, deploy.HealthUnhealthy:
	default:
		after.Status, after.CheckedAt = deploy.HealthUnknown, time.Time{}
		after.Summary = "The agent answers; the health check script of its machine policy has not run since."
	}
	return after
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
