// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// Rerun queues once more what a task that has ended did: of a deployment a new one with the same
// options and values, planned for the machines of today; of a script the same script on the same machines.
// Errors: Denied, NotFound, Invalid (it has not ended, or may not be done today).
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
	done := task
	err = c.change(ctx, p, identity.TaskCreate, func(w store.Writer) (deploy.Event, error) {
		task = deploy.Task{Kind: done.Kind, Description: done.Description, Plan: done.Plan}
		return c.putTask(w, p, &task)
	})
	if err == nil {
		c.Queued()
	}
	return task, err
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
