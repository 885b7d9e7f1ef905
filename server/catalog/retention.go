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

// expired is a release that no lifecycle keeps.
type expired struct {
	project deploy.Project
	release store.ReleaseRow
}

// QueueRetention queues a task that deletes the releases which their lifecycles do not keep any more, and tasks that
// are kept no longer. A server without space takes it: it makes some.
// Errors: Denied, Conflict (one is queued or runs already), Unavailable (a restore is not accepted).
func (c *Catalog) QueueRetention(ctx context.Context, p identity.Principal) (task deploy.Task, err error) {
	if err := p.NeedEverywhere(identity.TaskCreate); err != nil { // it looks at every project
		return task, err
	}
	err = c.changeFull(ctx, p, identity.TaskCreate, func(w store.Writer) (deploy.Event, error) {
		open, _, err := w.Tasks(store.TaskFilter{Kind: deploy.RetentionTask, States: deploy.OpenStates()})
		if err != nil {
			return deploy.Event{}, err
		}
		if len(open) > 0 {
			return deploy.Event{}, errkind.Conflict.Errorf("%s deletes what has expired already", open[0].ID)
		}
		task = deploy.Task{
			Kind:        deploy.RetentionTask,
			Description: "Delete releases and tasks that are kept no longer",
		}
		return c.putTask(w, p, &task)
	})
	if err == nil {
		c.Queued()
	}
	return task, err
}

// HasExpired reports whether a retention task would find anything. Errors: Denied.
func (c *Catalog) HasExpired(ctx context.Context, p identity.Principal) (has bool, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		list, err := c.expired(r)
		if has = len(list) > 0; has || err != nil {
			return err
		}
		tasks, err := c.expiredTasks(r)
		has = len(tasks) > 0
		return err
	})
	return has, err
}

// ApplyRetention deletes what has expired, and says what it did: releases, then tasks, also theirs. Errors: Denied.
func (c *Catalog) ApplyRetention(ctx context.Context, p identity.Principal) (said []string, err error) {
	if said, err = c.applyReleaseRetention(ctx, p); err == nil {
		var more []string
		more, err = c.applyTaskRetention(ctx, p)
		said = append(said, more...)
	}
	return said, c.tidied(ctx, err)
}

// applyReleaseRetention deletes each release in a transaction of its own.
func (c *Catalog) applyReleaseRetention(ctx context.Context, p identity.Principal) (said []string, err error) {
	var list []expired
	err = c.view(ctx, p, identity.ReleaseDelete, func(r store.Reader) (err error) {
		list, err = c.expired(r)
		return err
	})
	for _, e := range list {
		if err != nil {
			return said, err
		}
		err = c.deleteExpired(ctx, p, e)
		switch {
		case err == nil:
			said = append(said, "Release "+e.release.Version+" of project "+e.project.Name+" was deleted.")
		case errkind.Of(err) == errkind.Invalid || errkind.Of(err) == errkind.NotFound || errkind.Of(err) == errkind.Conflict:
			said, err = append(said, "Release "+e.release.Version+" of project "+e.project.Name+" stays: "+err.Error()), nil
		}
	}
	return said, err
}

// deleteExpired looks again: the release may have been deployed meanwhile.
func (c *Catalog) deleteExpired(ctx context.Context, p identity.Principal, e expired) error {
	return c.change(ctx, p, identity.ReleaseDelete, func(w store.Writer) (deploy.Event, error) {
		now, err := c.expiredOf(w, e.project)
		if err != nil {
			return deploy.Event{}, err
		}
		if !slices.ContainsFunc(now, func(x expired) bool { return x.release.ID == e.release.ID }) {
			return deploy.Event{}, errkind.Conflict.Errorf("it is in use again")
		}
		return event("ReleaseDeleted", e.release.ID, "release %s of project %s was deleted: its lifecycle keeps it no longer",
			e.release.Version, e.project.Name), w.DeleteRelease(e.release.ID)
	})
}

func (c *Catalog) expired(r store.Reader) (list []expired, err error) {
	projects, err := r.Projects(spaceOf(r))
	for _, p := range projects {
		if err != nil {
			return nil, err
		}
		var some []expired
		some, err = c.expiredOf(r, p)
		list = append(list, some...)
	}
	return list, err
}

// expiredOf looks at one project: each of its channels has a lifecycle of its own.
func (c *Catalog) expiredOf(r store.Reader, project deploy.Project) (list []expired, err error) {
	rows, err := r.Releases(project.ID)
	if err != nil {
		return nil, err
	}
	all, err := r.Environments(spaceOf(r))
	if err != nil {
		return nil, err
	}
	uses, err := usesOf(r, project.ID)
	if err != nil {
		return nil, err
	}
	byLifecycle := map[deploy.LifecycleID][]deploy.ReleaseUse{}
	lifecycles := []deploy.Lifecycle{}
	byID := map[deploy.ReleaseID]store.ReleaseRow{}
	for _, row := range rows {
		l, err := lifecycleOf(r, project, row.Channel)
		if err != nil {
			return nil, err
		}
		if _, known := byLifecycle[l.ID]; !known {
			lifecycles = append(lifecycles, l)
		}
		byID[row.ID] = row
		byLifecycle[l.ID] = append(byLifecycle[l.ID], deploy.ReleaseUse{
			ID: row.ID, AssembledAt: row.AssembledAt, Deployments: uses[row.ID],
		})
	}
	for _, l := range lifecycles {
		for _, id := range deploy.ExpiredReleases(c.Wall(), l, environmentsOf(all), byLifecycle[l.ID]) {
			list = append(list, expired{project, byID[id]})
		}
	}
	return list, nil
}

func usesOf(r store.Reader, project deploy.ProjectID) (map[deploy.ReleaseID][]deploy.DeploymentUse, error) {
	cells, err := r.DeploymentCells(store.DeploymentFilter{Space: spaceOf(r), Project: project})
	uses := map[deploy.ReleaseID][]deploy.DeploymentUse{}
	for _, d := range cells {
		uses[d.Release] = append(uses[d.Release], deploy.DeploymentUse{
			Environment: d.Environment, At: d.At, HasEnded: d.State == "" || d.State.IsCompleted(),
			Succeeded: d.State == deploy.TaskSuccess,
		})
	}
	return uses, err
}
