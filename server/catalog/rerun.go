// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// Rerun queues once more what a task that has ended did, planned anew: of a deployment a new one with the same
// options and values, for the machines of today; of a script or a health check the same on those of its machines
// that are still there for the caller and enabled. The new task's log names the machines that are left out. Errors:
// Denied, NotFound, Invalid (it has not ended, none of its machines is left, or it may not be done today).
func (c *Catalog) Rerun(ctx context.Context, p identity.Principal, id string) (task deploy.Task, err error) {
	var again DeployRequest
	err = c.view(ctx, p, identity.TaskCreate, func(r store.Reader) error {
		if task, err = r.Task(deploy.TaskID(properID("ServerTasks", id))); err != nil {
			return err
		}
		if !task.State.IsCompleted() {
			return errkind.Invalid.Errorf("%s has not ended yet: it is %s", task.ID, task.State)
		}
		if task.Deployment != "" {
			again, err = c.requestOf(r, task.Deployment)
		}
		return err
	})
	switch {
	case err != nil:
		return task, err
	case task.Deployment != "":
		made, err := c.Deploy(ctx, p, again)
		if err != nil {
			return task, err
		}
		return c.Task(ctx, p, string(made[0].Task))
	}
	return c.rerunOnMachines(ctx, p, task)
}

// rerunOnMachines queues a task of no deployment once more.
func (c *Catalog) rerunOnMachines(ctx context.Context, p identity.Principal, done deploy.Task) (
	task deploy.Task, err error,
) {
	err = c.change(ctx, p, identity.TaskCreate, func(w store.Writer) (deploy.Event, error) {
		task = deploy.Task{Kind: done.Kind, Description: done.Description}
		if err := replan(w, done, &task); err != nil {
			return deploy.Event{}, err
		}
		return c.putTask(w, p, &task)
	})
	if err == nil {
		c.Queued()
	}
	return task, err
}

// replan plans what done did for the machines of today. Errors: Invalid (none is left).
func replan(r store.Reader, done deploy.Task, task *deploy.Task) (err error) {
	var ids []deploy.MachineID
	for _, step := range done.Plan.Steps {
		ids = append(ids, step.Machines...)
	}
	if ids = sortedSet(ids); len(ids) == 0 { // of the installation, like applying retention
		task.Plan = done.Plan
		return nil
	}
	machines, why, err := stillThere(r, ids)
	if err != nil {
		return err
	}
	if len(machines) == 0 {
		why.list = append([]string{"no machine of " + string(done.ID) + " is left to do it again on"}, why.list...)
		return why.err()
	}
	if len(machines) < len(ids) && done.Description == describe(done.Kind, make([]deploy.Machine, len(ids))) {
		task.Description = describe(done.Kind, machines)
	}
	if done.Kind == deploy.HealthTask {
		task.Plan, err = healthPlan(r, machines)
	} else {
		task.Plan = planOn(done.Plan, machines)
	}
	task.Plan.Notes = leftOut(why)
	return err
}

// stillThere splits machines into those that a task can be planned for and reasons why the others cannot.
func stillThere(r store.Reader, ids []deploy.MachineID) (machines []deploy.Machine, why reasons, err error) {
	for _, id := range ids {
		m, err := r.Machine(id)
		switch {
		case errkind.Of(err) == errkind.NotFound:
			why.add("machine %s is not there any more", id)
		case err != nil:
			return nil, why, err
		case m.IsDisabled:
			why.add("machine %s is disabled", m.Name)
		default:
			machines = append(machines, m)
		}
	}
	return machines, why, nil
}

// leftOut are notes for the log of a task that does without some machines.
func leftOut(why reasons) (notes []string) {
	for _, reason := range why.list {
		notes = append(notes, "Left out: "+reason+".")
	}
	return notes
}

// planOn is the plan on these machines alone.
func planOn(plan deploy.Plan, machines []deploy.Machine) deploy.Plan {
	isThere := map[deploy.MachineID]bool{}
	for _, m := range machines {
		isThere[m.ID] = true
	}
	steps := plan.Steps
	plan.Steps = nil
	for _, step := range steps {
		step.Machines = slices.DeleteFunc(slices.Clone(step.Machines), func(id deploy.MachineID) bool {
			return !isThere[id]
		})
		if len(step.Machines) > 0 {
			plan.Steps = append(plan.Steps, step)
		}
	}
	return plan
}

// requestOf is what would make a deployment like this one.
func (c *Catalog) requestOf(r store.Reader, id deploy.DeploymentID) (q DeployRequest, err error) {
	d, err := r.Deployment(id)
	if err != nil {
		return q, err
	}
	q = DeployRequest{
		Project: string(d.Project), Release: string(d.Release), Environments: []string{string(d.Environment)},
		SkipSteps: d.Options.SkipSteps, SkipActions: d.Options.SkipActions, Guided: d.Options.Guided,
		ForcesPackages: d.Options.ForcesPackages, Comments: d.Comments, Variables: map[string]string{},
		isRerun: true,
	}
	for _, m := range d.Options.Only {
		q.Only = append(q.Only, string(m))
	}
	for _, m := range d.Options.Except {
		q.Except = append(q.Except, string(m))
	}
	for _, a := range d.Answers {
		value := a.Value
		if a.Sealed != "" {
			if value, err = c.Secrets.Open(a.Sealed, a.SealedAs(d.ID)); err != nil {
				return q, errkind.Invalid.Errorf("%s: the values it was given cannot be opened: %w", d.ID, err)
			}
		}
		q.Variables[a.Variable] = value
	}
	return q, nil
}

// stillNamed is what a deployment asked for by machine, without those that are not there any more, and notes on them.
// That none is left of those it was for is a reason: it would be for all.
func (why *reasons) stillNamed(all []deploy.Machine, q DeployRequest) (only, except, notes []string) {
	isGone := func(id string) bool {
		return !slices.ContainsFunc(all, func(m deploy.Machine) bool { return string(m.ID) == id })
	}
	except = slices.DeleteFunc(slices.Clone(q.Except), isGone)
	var gone reasons
	for _, id := range q.Only {
		if isGone(id) {
			gone.add("machine %s is not there any more", id)
			continue
		}
		only = append(only, id)
	}
	if len(only) == 0 {
		for _, reason := range gone.list {
			why.add("%s", reason)
		}
	}
	return only, except, leftOut(gone)
}
