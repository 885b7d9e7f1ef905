// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// PhaseProgress is where a release stands in one phase of its lifecycle.
type PhaseProgress = deploy.PhaseProgress

// promotionOf gathers what decides where a release may go.
func promotionOf(r store.Reader, l deploy.Lifecycle, release deploy.Release) (p deploy.Promotion, err error) {
	all, err := r.Environments(spaceOf(r))
	if err != nil {
		return p, err
	}
	p = deploy.Promotion{Lifecycle: l, Environments: environmentsOf(all)}
	_, p.HasDefect = release.OpenDefect()
	p.Reached, err = reached(r, release.ID)
	return p, err
}

// allowed adds a reason when lifecycle or defect keep the release from the environment.
func (why *reasons) allowed(p deploy.Promotion, release deploy.Release, e deploy.Environment) {
	if slices.Contains(p.Open(), e.ID) {
		return
	}
	phases := p.Phases()
	missing, isBlocked := "", len(phases) == 0
	for _, at := range phases {
		if !slices.Contains(at.Phase.Environments, e.ID) {
			if missing == "" && !at.IsComplete && !at.Phase.IsOptional {
				missing = at.Phase.Name
			}
			continue
		}
		if !at.IsBlocked {
			why.add("lifecycle %s: phase %s has to be completed before %s", p.Lifecycle.Name, missing, e.Name)
			return
		}
		isBlocked = true
		break
	}
	if defect, held := release.OpenDefect(); held && isBlocked {
		why.add("release %s goes no further, and so not to %s: %s", release.Version, e.Name, defect.Description)
		return
	}
	why.add("lifecycle %s has no phase with environment %s", p.Lifecycle.Name, e.Name)
}

// ReleaseProgress is where a release stands in its lifecycle.
type ReleaseProgress struct {
	Release      deploy.Release
	Environments []deploy.Environment // all of them
	Phases       []PhaseProgress
	Open         []deploy.EnvironmentID // where it may go now
	Reached      []deploy.EnvironmentID // where it succeeded
	Deployments  []DeploymentState      // newest first
}

// DeploymentState is a deployment and how it stands. In ProjectProgress it has its references alone.
type DeploymentState struct {
	Deployment deploy.Deployment
	State      deploy.TaskState
	At         time.Time // queued, or completed once it is
}

// Next lists where the release may go and is not yet.
func (p ReleaseProgress) Next() []deploy.EnvironmentID {
	return slices.DeleteFunc(slices.Clone(p.Open), func(e deploy.EnvironmentID) bool {
		return slices.Contains(p.Reached, e)
	})
}

// ReleaseProgress reads where a release stands. Errors: Denied, NotFound.
func (c *Catalog) ReleaseProgress(
	ctx context.Context, p identity.Principal, id string,
) (progress ReleaseProgress, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		release, err := r.Release(deploy.ReleaseID(properID("Releases", id)))
		if err != nil {
			return err
		}
		project, err := r.Project(release.Project)
		if err != nil {
			return err
		}
		progress, err = progressOf(r, project, release)
		for i := range progress.Deployments {
			d := &progress.Deployments[i].Deployment
			if *d, err = r.Deployment(d.ID); err != nil {
				return err
			}
		}
		return err
	})
	return progress, err
}

func progressOf(r store.Reader, project deploy.Project, release deploy.Release) (p ReleaseProgress, err error) {
	lifecycle, err := lifecycleOf(r, project, release.Channel)
	if err != nil {
		return p, err
	}
	promotion, err := promotionOf(r, lifecycle, release)
	if err != nil {
		return p, err
	}
	p = ReleaseProgress{
		Release: release, Phases: promotion.Phases(), Open: promotion.Open(), Reached: promotion.Reached,
	}
	if p.Environments, err = r.Environments(spaceOf(r)); err != nil {
		return p, err
	}
	cells, err := r.DeploymentCells(store.DeploymentFilter{Space: spaceOf(r), Release: release.ID})
	if err != nil {
		return p, err
	}
	for _, cell := range cells {
		p.Deployments = append(p.Deployments, DeploymentState{deploy.Deployment{
			ID: cell.Deployment, Space: spaceOf(r), Project: cell.Project, Release: cell.Release, Environment: cell.Environment,
			Task: cell.Task,
		}, cell.State, cell.At})
	}
	return p, nil
}

// Progression says where a release stands in its lifecycle, and where it may go now. Errors:
// Denied, NotFound.
func (c *Catalog) Progression(
	ctx context.Context, p identity.Principal, release string,
) (phases []PhaseProgress, open []deploy.EnvironmentID, err error) {
	progress, err := c.ReleaseProgress(ctx, p, release)
	return progress.Phases, progress.Open, err
}

// ProjectProgress is where the newest releases of a project stand.
type ProjectProgress struct {
	Environments []deploy.Environment
	Channels     []ChannelPath
	Releases     []ReleaseProgress
}

// ChannelPath is a channel with the environments that its releases pass.
type ChannelPath struct {
	Channel      deploy.Channel
	Lifecycle    deploy.LifecycleID
	Environments []deploy.EnvironmentID
}

// ProjectProgress reads it for at most take releases. Errors: Denied, NotFound.
func (c *Catalog) ProjectProgress(
	ctx context.Context, p identity.Principal, ref string, take int,
) (progress ProjectProgress, err error) {
	err = c.view(ctx, p, identity.DeploymentView, func(r store.Reader) error {
		progress = ProjectProgress{}
		project, err := findProject(r, ref)
		if err != nil {
			return err
		}
		if progress.Environments, err = r.Environments(spaceOf(r)); err != nil {
			return err
		}
		if progress.Channels, err = channelPaths(r, project, progress.Environments); err != nil {
			return err
		}
		rows, err := r.Releases(project.ID)
		if err != nil {
			return err
		}
		for _, row := range rows[:min(len(rows), take)] {
			release, err := r.Release(row.ID)
			if err != nil {
				return err
			}
			one, err := progressOf(r, project, release)
			if err != nil {
				return err
			}
			progress.Releases = append(progress.Releases, one)
		}
		return nil
	})
	return progress, err
}

func channelPaths(r store.Reader, project deploy.Project, all []deploy.Environment) ([]ChannelPath, error) {
	channels, err := r.Channels(project.ID)
	if err != nil {
		return nil, err
	}
	paths := []ChannelPath{}
	for _, ch := range channels {
		lifecycle, err := lifecycleOf(r, project, ch.ID)
		if err != nil {
			return nil, err
		}
		path := ChannelPath{Channel: ch, Lifecycle: lifecycle.ID, Environments: environmentsOf(all)}
		if len(lifecycle.Phases) > 0 {
			path.Environments = nil
		}
		for _, phase := range (deploy.Promotion{Lifecycle: lifecycle, Environments: environmentsOf(all)}).Filled() {
			path.Environments = append(path.Environments, phase.Environments...)
		}
		paths = append(paths, path)
	}
	return paths, nil
}
