// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

const (
	// maxScopedEvents is how many of the newest events that fit a filter are looked at for somebody who may see some of
	// them only.
	maxScopedEvents = 20_000
	// scopedEventsRead are read together.
	scopedEventsRead = 500
)

// Events leaves out those about what lies outside, about what is gone, and about what belongs to no place: users,
// teams, lifecycles; and those about channels, whose ids do not name their project. Their numbers are missing then,
// which tells that something happened and not what.
func (g *guard) Events(f store.EventFilter) (page []deploy.Event, err error) {
	skip, take := f.Skip, f.Take
	known := map[string]bool{}
	for f.Skip, f.Take = 0, scopedEventsRead; f.Skip < maxScopedEvents; f.Skip += scopedEventsRead {
		some, err := g.Reader.Events(f)
		if err != nil {
			return nil, err
		}
		for _, e := range some {
			fits, asked := known[e.Subject]
			if !asked {
				if fits, err = g.subjectFits(e.Subject); err != nil {
					return nil, err
				}
				known[e.Subject] = fits
			}
			switch {
			case !fits:
			case skip > 0:
				skip--
			default:
				page = append(page, e)
			}
			if take > 0 && len(page) == take {
				return page, nil
			}
		}
		if len(some) < scopedEventsRead {
			break
		}
	}
	return page, nil
}

// subjectFits reports whether what an event is about lies in reach. What is gone does not.
func (g *guard) subjectFits(id string) (fits bool, err error) {
	kind, _, _ := strings.Cut(id, "-")
	switch kind {
	case "Projects":
		return g.hasLiving(deploy.ProjectID(id))
	case "Releases":
		return fitsIf(g.Reader.Release(deploy.ReleaseID(id)))(func(r deploy.Release) (bool, error) {
			return g.hasLiving(r.Project)
		})
	case "Deployments":
		return fitsIf(g.Reader.Deployment(deploy.DeploymentID(id)))(g.deploymentFits)
	case "ServerTasks":
		return fitsIf(g.Reader.Task(deploy.TaskID(id)))(g.taskFits)
	case "Artifacts":
		return fitsIf(g.Reader.Artifact(deploy.ArtifactID(id)))(g.artifactFits)
	case "Machines":
		return fitsIf(g.Reader.Machine(deploy.MachineID(id)))(func(m deploy.Machine) (bool, error) {
			return g.reach.CoversAny(m.Environments), nil
		})
	case "Environments":
		return fitsIf(g.Reader.Environment(deploy.EnvironmentID(id)))(func(e deploy.Environment) (bool, error) {
			return g.reach.Covers(identity.Place{Environment: e.ID}), nil
		})
	}
	return false, nil
}

// hasLiving is hasProject of one that is there.
func (g *guard) hasLiving(id deploy.ProjectID) (bool, error) {
	return fitsIf(g.Reader.Project(id))(func(p deploy.Project) (bool, error) { return g.hasProject(p.ID) })
}

// fitsIf asks about something that was read; what is not there does not fit.
func fitsIf[T any](item T, err error) func(fits func(T) (bool, error)) (bool, error) {
	return func(fits func(T) (bool, error)) (bool, error) {
		switch {
		case err == nil:
			return fits(item)
		case errkind.Of(err) == errkind.NotFound:
			return false, nil
		}
		return false, err
	}
}
