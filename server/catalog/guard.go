// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// guard stands between a use case and the store when the principal has the permission in some places
// only. Reads leave out what lies outside, as if it were not there; writes outside are Denied. So a use
// case cannot forget a place: it sees and changes nothing else.
type guard struct {
	store.Reader
	need  identity.Permission
	reach identity.Reach
	// lack is the refusal of a write outside.
	lack error
}

// guarded is a reader for a principal who has the permission somewhere.
func guarded(r store.Reader, p identity.Principal, need identity.Permission) store.Reader {
	reach := p.Reach(need)
	if reach.IsEverywhere {
		return r
	}
	return newGuard(r, p, need)
}

func newGuard(r store.Reader, p identity.Principal, need identity.Permission) *guard {
	return &guard{r, need, p.Reach(need), p.NeedEverywhere(need)}
}

// unguarded reads what the principal does not reach, too: for rules about what must not be lost, never for answers.
func unguarded(r store.Reader) store.Reader {
	switch g := r.(type) {
	case *guard:
		return g.Reader
	case *writeGuard:
		return g.Reader
	}
	return r
}

// Space is the one that the caller acts in.
func (g *guard) Space() deploy.SpaceID { return spaceOf(g.Reader) }

// outside has the words that the store has for what is not there: nobody tells the two apart.
func outside(what string, id any) error {
	return errkind.NotFound.Errorf("%s %s does not exist", what, id)
}

// filter drops what does not fit; the first error ends it.
func filter[T any](all []T, err error, fits func(T) (bool, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(x T) bool {
		ok, ferr := fits(x)
		if ferr != nil && err == nil {
			err = ferr
		}
		return !ok
	}), err
}

// admits is the item if it fits, else it is as if it were not there.
func admits[T any](what string, id any, item T, err error, fits func(T) (bool, error)) (T, error) {
	if err != nil {
		return item, err
	}
	ok, err := fits(item)
	if err != nil || !ok {
		var none T
		if err == nil {
			err = outside(what, id)
		}
		return none, err
	}
	return item, nil
}

// hasProject reports whether a project lies in reach in some environment.
func (g *guard) hasProject(id deploy.ProjectID) (bool, error) {
	if !g.reach.ByProject() {
		return true, nil
	}
	group, err := g.groupOf(id)
	return err == nil && g.reach.CoversProject(id, group), err
}

// hasPlace reports whether a project lies in reach in an environment.
func (g *guard) hasPlace(project deploy.ProjectID, environment deploy.EnvironmentID) (bool, error) {
	if !g.reach.ByProject() {
		return true, nil
	}
	group, err := g.groupOf(project)
	return err == nil && g.reach.Covers(identity.Place{Project: project, Group: group, Environment: environment}), err
}

// withinReach is for reads that name a place and read no deployment there. Errors: NotFound.
func withinReach(r store.Reader, project deploy.ProjectID, environment deploy.EnvironmentID) error {
	g, is := r.(*guard)
	if !is {
		return nil
	}
	ok, err := g.hasPlace(project, environment)
	if err == nil && !ok {
		err = outside("environment", environment)
	}
	return err
}

// groupOf is "" for a project that is not there.
func (g *guard) groupOf(id deploy.ProjectID) (deploy.ProjectGroupID, error) {
	if id == "" {
		return "", nil
	}
	project, err := g.Reader.Project(id)
	if errkind.Of(err) == errkind.NotFound {
		return "", nil
	}
	return project.Group, err
}

func (g *guard) projectFits(p deploy.Project) (bool, error) {
	return !g.reach.ByProject() || g.reach.CoversProject(p.ID, p.Group), nil
}

func (g *guard) Project(id deploy.ProjectID) (deploy.Project, error) {
	p, err := g.Reader.Project(id)
	return admits("project", id, p, err, g.projectFits)
}

func (g *guard) Projects(space deploy.SpaceID) ([]deploy.Project, error) {
	all, err := g.Reader.Projects(space)
	return filter(all, err, g.projectFits)
}

// ProjectGroups are those in reach, and those of projects in reach.
func (g *guard) ProjectGroups(space deploy.SpaceID) ([]deploy.ProjectGroup, error) {
	all, err := g.Reader.ProjectGroups(space)
	if err != nil || !g.reach.ByProject() {
		return all, err
	}
	projects, err := g.Projects(space)
	shown := map[deploy.ProjectGroupID]bool{}
	for _, p := range projects {
		shown[p.Group] = true
	}
	return filter(all, err, func(x deploy.ProjectGroup) (bool, error) {
		return shown[x.ID] || g.reach.CoversProject("", x.ID), nil
	})
}

// ofProject keeps a read of what belongs to a project.
func ofProject[T any](g *guard, id deploy.ProjectID, read func() (T, error)) (item T, err error) {
	ok, err := g.hasProject(id)
	if err != nil || !ok {
		if err == nil {
			err = outside("project", id)
		}
		return item, err
	}
	return read()
}

func (g *guard) Channels(id deploy.ProjectID) ([]deploy.Channel, error) {
	return ofProject(g, id, func() ([]deploy.Channel, error) { return g.Reader.Channels(id) })
}

func (g *guard) Process(id deploy.ProjectID) (deploy.Process, error) {
	return ofProject(g, id, func() (deploy.Process, error) { return g.Reader.Process(id) })
}

func (g *guard) Variables(id deploy.ProjectID) (deploy.VariableSet, error) {
	return ofProject(g, id, func() (deploy.VariableSet, error) { return g.Reader.Variables(id) })
}

func (g *guard) Releases(id deploy.ProjectID) ([]store.ReleaseRow, error) {
	return ofProject(g, id, func() ([]store.ReleaseRow, error) { return g.Reader.Releases(id) })
}

func (g *guard) ReleaseNumbered(id deploy.ProjectID, version string) (deploy.Release, error) {
	return ofProject(g, id, func() (deploy.Release, error) { return g.Reader.ReleaseNumbered(id, version) })
}

func (g *guard) Release(id deploy.ReleaseID) (deploy.Release, error) {
	r, err := g.Reader.Release(id)
	return admits("release", id, r, err, func(r deploy.Release) (bool, error) { return g.hasProject(r.Project) })
}

func (g *guard) Deployment(id deploy.DeploymentID) (deploy.Deployment, error) {
	d, err := g.Reader.Deployment(id)
	return admits("deployment", id, d, err, g.deploymentFits)
}

// deploymentFits lets all pass when the permission is not about projects: then deployments are read on the
// way to something else.
func (g *guard) deploymentFits(d deploy.Deployment) (bool, error) {
	return g.hasPlace(d.Project, d.Environment)
}

// Deployments pages after it has left out what lies outside.
func (g *guard) Deployments(f store.DeploymentFilter) ([]deploy.Deployment, error) {
	skip, take := f.Skip, f.Take
	f.Skip, f.Take = 0, 0
	all, err := g.Reader.Deployments(f)
	all, err = filter(all, err, g.deploymentFits)
	return cut(all, skip, take), err
}

func (g *guard) CountDeployments(f store.DeploymentFilter) (int, error) {
	f.Skip, f.Take = 0, 0
	cells, err := g.DeploymentCells(f)
	return len(cells), err
}

func (g *guard) DeploymentCells(f store.DeploymentFilter) ([]store.DashboardCell, error) {
	skip, take := f.Skip, f.Take
	f.Skip, f.Take = 0, 0
	all, err := g.Reader.DeploymentCells(f)
	all, err = filter(all, err, g.cellFits)
	return cut(all, skip, take), err
}

func (g *guard) cellFits(c store.DashboardCell) (bool, error) {
	return g.hasPlace(c.Project, c.Environment)
}

func (g *guard) LastDeployments(space deploy.SpaceID) ([]store.DashboardCell, error) {
	all, err := g.Reader.LastDeployments(space)
	return filter(all, err, g.cellFits)
}

// cut is one page; take 0 means no limit.
func cut[T any](all []T, skip, take int) []T {
	all = all[min(max(skip, 0), len(all)):]
	if take > 0 {
		all = all[:min(take, len(all))]
	}
	return all
}

// isAbout reports whether the permission is about one of these itself, and not about something else for
// which they are read.
func (g *guard) isAbout(permissions ...identity.Permission) bool {
	return slices.Contains(permissions, g.need)
}

func (g *guard) environmentFits(e deploy.Environment) (bool, error) {
	return !g.isAbout(identity.EnvironmentView, identity.EnvironmentEdit) ||
		g.reach.Covers(identity.Place{Environment: e.ID}), nil
}

func (g *guard) Environment(id deploy.EnvironmentID) (deploy.Environment, error) {
	e, err := g.Reader.Environment(id)
	return admits("environment", id, e, err, g.environmentFits)
}

func (g *guard) Environments(space deploy.SpaceID) ([]deploy.Environment, error) {
	all, err := g.Reader.Environments(space)
	return filter(all, err, g.environmentFits)
}

func (g *guard) machineFits(m deploy.Machine) (bool, error) {
	return !g.isAbout(identity.MachineView, identity.MachineEdit) || g.reach.CoversAny(m.Environments), nil
}

func (g *guard) Machine(id deploy.MachineID) (deploy.Machine, error) {
	m, err := g.Reader.Machine(id)
	return admits("machine", id, m, err, g.machineFits)
}

func (g *guard) Machines(f store.MachineFilter) ([]deploy.Machine, error) {
	all, err := g.Reader.Machines(f)
	return filter(all, err, g.machineFits)
}

func (g *guard) accountFits(a deploy.Account) (bool, error) {
	return !g.isAbout(identity.AccountView, identity.AccountEdit) || g.reach.CoversAny(a.Environments), nil
}

func (g *guard) Account(id deploy.AccountID) (deploy.Account, error) {
	a, err := g.Reader.Account(id)
	return admits("account", id, a, err, g.accountFits)
}

func (g *guard) Accounts(space deploy.SpaceID) ([]deploy.Account, error) {
	all, err := g.Reader.Accounts(space)
	return filter(all, err, g.accountFits)
}

func (g *guard) tokenFits(t deploy.JoinToken) (bool, error) {
	return g.reach.CoversAny(t.Environments), nil
}

func (g *guard) JoinTokens(space deploy.SpaceID) ([]deploy.JoinToken, error) {
	all, err := g.Reader.JoinTokens(space)
	return filter(all, err, g.tokenFits)
}

func (g *guard) JoinToken(id deploy.TokenID) (deploy.JoinToken, error) {
	t, err := g.Reader.JoinToken(id)
	return admits("join token", id, t, err, g.tokenFits)
}
