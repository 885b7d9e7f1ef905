// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// Ended is told of each task in the transaction that ends it, so that no crash comes between. A
// deployment that succeeded may let its release go on by itself. What cannot be deployed is told in the
// audit trail and does not hold the task up. Errors: those of the store.
func (c *Catalog) Ended(w store.Writer, task deploy.Task) error {
	w = walledWriter(w, task.Space.OrDefault())
	if task.Kind != deploy.DeployTask || task.State != deploy.TaskSuccess {
		return nil
	}
	d, err := w.Deployment(task.Deployment)
	if errkind.Of(err) == errkind.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	release, err := w.Release(d.Release)
	if err != nil {
		return err
	}
	_, err = c.goOn(w, release)
	return err
}

// goOn queues a deployment for each automatic environment that the release may go to now and was
// never sent to. It returns the environments.
func (c *Catalog) goOn(w store.Writer, release deploy.Release) (to []deploy.Environment, err error) {
	project, err := w.Project(release.Project)
	if err != nil || project.IsDisabled {
		return nil, err
	}
	lifecycle, err := lifecycleOf(w, project, release.Channel)
	if errkind.Of(err) == errkind.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	promotion, err := promotionOf(w, lifecycle, release)
	if err != nil {
		return nil, err
	}
	tried, err := w.DeploymentCells(store.DeploymentFilter{Space: spaceOf(w), Release: release.ID})
	if err != nil {
		return nil, err
	}
	been := []deploy.EnvironmentID{}
	for _, d := range tried {
		been = append(been, d.Environment)
	}
	for _, id := range promotion.Automatic(been) {
		e, queued, err := c.deployAutomatically(w, release, id)
		if err != nil {
			return nil, err
		}
		if queued {
			to = append(to, e)
		}
	}
	return to, nil
}

func (c *Catalog) deployAutomatically(
	w store.Writer, release deploy.Release, id deploy.EnvironmentID,
) (e deploy.Environment, queued bool, err error) {
	q := DeployRequest{Project: string(release.Project), Release: string(release.ID), Environments: []string{string(id)}}
	var why reasons
	if err := why.safeMode(w); err != nil {
		return e, false, err
	}
	s, err := c.site(w, q)
	if err := why.addErr(err); err != nil {
		return e, false, err
	}
	var plan deploy.Plan
	if why.none() {
		e = s.environments[0]
		if err := why.deployable(w, s, e); err != nil {
			return e, false, err
		}
		why.answers(s.release, e, nil)
		plan, err = s.plan(q, e)
		if err := why.addErr(err); err != nil {
			return e, false, err
		}
	}
	told := event("AutomaticDeploymentSkipped", release.ID, "release %s was not sent to %s by itself: %s",
		release.Version, id, strings.Join(why.list, "; "))
	if why.none() {
		d, err := c.queue(w, identity.System(), q, s, e, plan)
		if err != nil {
			return e, false, err
		}
		told = event("DeploymentQueued", d.ID, "release %s of project %s was queued for %s by its lifecycle",
			release.Version, s.project.Name, e.Name)
	}
	return e, why.none(), c.tell(w, identity.SystemName, told)
}
