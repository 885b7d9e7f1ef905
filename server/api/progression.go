// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

// releaseProgression shows where a release stands. A lifecycle without phases is shown as one phase
// for each environment.
func (a *api) releaseProgression(c *call) error {
	p, err := a.Catalog.ReleaseProgress(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	deployments := each(p.Deployments, func(d catalog.DeploymentState) deploy.Deployment { return d.Deployment })
	met, err := a.Catalog.FailuresMet(c.ctx(), c.principal, deployments)
	if err != nil {
		return err
	}
	minimum := 0
	for _, at := range p.Phases {
		if at.IsOpen && !at.IsComplete && at.Phase.Minimum > 0 {
			minimum = at.Phase.Minimum - len(at.Reached)
			break
		}
	}
	_, held := p.Release.OpenDefect()
	phases := each(p.Phases, func(at catalog.PhaseProgress) obj { return showPhaseProgress(p, at, met) })
	for _, e := range p.Environments {
		if len(p.Phases) == 0 {
			at := catalog.PhaseProgress{
				Phase:  deploy.Phase{ID: string(e.ID), Name: e.Name, Environments: []deploy.EnvironmentID{e.ID}},
				IsOpen: slices.Contains(p.Open, e.ID), IsComplete: slices.Contains(p.Reached, e.ID),
			}
			at.IsBlocked = !at.IsOpen
			phases = append(phases, showPhaseProgress(p, at, met))
		}
	}
	return c.ok(obj{
		"Phases": phases, "NextDeployments": list(p.Next()), "NextDeploymentsMinimumRequired": minimum,
		"HasUnresolvedDefect": held, "ReleaseRetentionPeriod": nil, "TentacleRetentionPeriod": nil, "Links": obj{},
	})
}

func showPhaseProgress(
	p catalog.ReleaseProgress, at catalog.PhaseProgress, met map[deploy.DeploymentID]bool,
) obj {
	progress := "Pending"
	switch {
	case at.IsComplete:
		progress = "Complete"
	case at.IsOpen:
		progress = "Current"
	}
	deployments := []obj{}
	for _, d := range p.Deployments {
		if slices.Contains(at.Phase.Environments, d.Deployment.Environment) {
			deployments = append(deployments, obj{
				"Deployment": showDeployment(d.Deployment, met[d.Deployment.ID]), "Task": showTaskState(d),
			})
		}
	}
	shown := showPhase(at.Phase)
	shown["Blocked"], shown["Progress"], shown["Deployments"] = at.IsBlocked, progress, deployments
	return shown
}

func showTaskState(d catalog.DeploymentState) obj {
	return obj{
		"Id": d.Deployment.Task, "State": d.State, "IsCompleted": d.State.IsCompleted(),
		"FinishedSuccessfully": d.State == deploy.TaskSuccess,
		"Links":                obj{"Self": "/api/tasks/" + string(d.Deployment.Task)},
	}
}

// projectProgression shows the newest releases of a project, where they are and where they may go.
func (a *api) projectProgression(c *call) error {
	_, take, err := c.pageOf()
	if err != nil {
		return err
	}
	p, err := a.Catalog.ProjectProgress(c.ctx(), c.principal, c.param("id"), take)
	if err != nil {
		return err
	}
	references := func(ids []deploy.EnvironmentID) []obj {
		shown := []obj{}
		for _, e := range p.Environments {
			if slices.Contains(ids, e.ID) {
				shown = append(shown, obj{"Id": e.ID, "Name": e.Name})
			}
		}
		return shown
	}
	channels, lifecycles := obj{}, obj{}
	for _, ch := range p.Channels {
		channels[string(ch.Channel.ID)] = references(ch.Environments)
		lifecycles[string(ch.Lifecycle)] = references(ch.Environments)
	}
	return c.ok(obj{
		"Environments":          references(environmentIDs(p.Environments)),
		"Releases":              each(p.Releases, func(r catalog.ReleaseProgress) obj { return showProgress(p, r) }),
		"LifecycleEnvironments": lifecycles, "ChannelEnvironments": channels, "Links": obj{},
	})
}

func environmentIDs(all []deploy.Environment) (ids []deploy.EnvironmentID) {
	for _, e := range all {
		ids = append(ids, e.ID)
	}
	return ids
}

func showProgress(p catalog.ProjectProgress, r catalog.ReleaseProgress) obj {
	deployments, channel := map[string][]shownCell{}, obj{}
	for _, d := range r.Deployments {
		environment := string(d.Deployment.Environment)
		deployments[environment] = append(deployments[environment], showCell(catalog.DashboardCell{
			Project: d.Deployment.Project, Environment: d.Deployment.Environment, Deployment: d.Deployment.ID,
			Release: r.Release.ID, Version: r.Release.Version, Task: d.Deployment.Task, State: d.State, At: d.At,
		}))
	}
	for _, ch := range p.Channels {
		if ch.Channel.ID == r.Release.Channel {
			channel = showChannel(ch.Channel)
		}
	}
	_, held := r.Release.OpenDefect()
	return obj{
		"Release": showRelease(r.Release), "Channel": channel, "Deployments": deployments,
		"NextDeployments": list(r.Next()), "HasUnresolvedDefect": held, "ReleaseRetentionPeriod": nil,
		"TentacleRetentionPeriod": nil,
	}
}

func showDefect(d deploy.Defect) obj {
	status := "Unresolved"
	if d.IsResolved() {
		status = "Resolved"
	}
	return obj{
		"Id": d.ID, "Description": d.Description, "Status": status, "ReportedBy": d.ReportedBy, "Reported": at(d.ReportedAt),
		"ResolvedBy": d.ResolvedBy, "Resolved": at(d.ResolvedAt), "Links": obj{},
	}
}

func (a *api) listDefects(c *call) error {
	r, err := a.Catalog.Release(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return paged(c, "Defect", r.Defects, showDefect)
}

func (a *api) reportDefect(c *call) error {
	var q struct{ Description string }
	if err := c.decode(&q); err != nil {
		return err
	}
	d, err := a.Catalog.ReportDefect(c.ctx(), c.principal, c.param("id"), q.Description)
	if err != nil {
		return err
	}
	return c.created(showDefect(d))
}

func (a *api) resolveDefect(c *call) error {
	var q struct {
		ReleaseID string `json:"ReleaseId"` // the address counts
	}
	if err := c.decode(&q); err != nil {
		return err
	}
	d, err := a.Catalog.ResolveDefect(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showDefect(d))
}

// releaseTemplate tells which packages a release of the project needs, and its next number.
func (a *api) releaseTemplate(c *call) error {
	project := c.param("id")
	if strings.HasPrefix(c.route.Pattern, "/api/S/deploymentprocesses/") {
		var err error
		if project, err = owner(processPrefix, project); err != nil {
			return err
		}
	}
	t, err := a.Catalog.ReleaseTemplate(c.ctx(), c.principal, project, c.query()["channel"])
	if err != nil {
		return err
	}
	var last, next, donorStep, donorReference any
	if t.Last != "" {
		last = t.Last
	}
	if t.Next != "" {
		next = t.Next
	}
	packages := []obj{}
	for _, step := range t.Process.Steps {
		for _, action := range step.Actions {
			if donor := t.Project.VersionDonor; donor.Action != "" && strings.EqualFold(donor.Action, action.Name) {
				donorStep, donorReference = step.Name, donor.Reference
			}
			for _, p := range action.Packages {
				packages = append(packages, showNeeded(t, step, action, p))
			}
		}
	}
	return c.ok(obj{
		"DeploymentProcessId": processPrefix + string(t.Project.ID), "LastReleaseVersion": last, "NextVersionIncrement": next,
		"VersioningPackageStepName": donorStep, "VersioningPackageReferenceName": donorReference, "Packages": packages,
		"GitResources": []obj{}, "Links": obj{},
	})
}

func showNeeded(t catalog.ReleaseTemplate, step deploy.Step, action deploy.Action, p deploy.PackageReference) obj {
	var before any
	for _, selected := range t.Selected {
		if strings.EqualFold(selected.Action, action.Name) && strings.EqualFold(selected.Reference, p.Name) {
			before = selected.Version
		}
	}
	return obj{
		"ActionName": action.Name, "StepName": step.Name, "FeedId": feedID, "FeedName": feedName,
		"PackageId": p.PackageID, "NuGetFeedId": feedID, "NuGetFeedName": feedName, "NuGetPackageId": p.PackageID,
		"PackageReferenceName": p.Name, "ProjectName": t.Project.Name, "FixedVersion": nil,
		"IsResolvable":               !strings.Contains(p.PackageID, "#{"),
		"VersionSelectedLastRelease": before,
	}
}
