// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/tasklog"
	"fairlead/server/catalog"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

// recentTasks is how many tasks a machine's page shows, out of the newest recentWindow.
const (
	recentTasks  = 10
	recentWindow = 200
)

// pages gives the portal what it shows and does, by the same use cases as REST.
type pages struct {
	*identity.Directory // the gate
	d                   *Daemon
	c                   *catalog.Catalog
}

func (d *Daemon) newPages() portal.Source { return pages{d.directory, d, d.catalog} }

// Spaces implements portal.Reader.
func (p pages) Spaces(ctx context.Context, who identity.Principal) ([]portal.Space, error) {
	all, err := p.c.Spaces(ctx, who)
	list := make([]portal.Space, len(all))
	for i, s := range all {
		list[i] = portal.Space{ID: s.ID, Name: s.Name}
	}
	return list, err
}

// Dashboard implements portal.Reader.
func (p pages) Dashboard(ctx context.Context, who identity.Principal) (portal.Dashboard, error) {
	n, err := p.names(ctx, who)
	if err != nil {
		return portal.Dashboard{}, err
	}
	cells, err := p.c.Dashboard(ctx, who)
	if err != nil {
		return portal.Dashboard{}, err
	}
	asking, err := p.asking(ctx, who)
	if err != nil {
		return portal.Dashboard{}, err
	}
	board := portal.Dashboard{Environments: n.columns(), Machines: len(n.machines)}
	for _, project := range n.projects {
		row := portal.DashboardRow{Slug: project.Slug, Name: project.Name, Group: n.groups[project.Group]}
		row.Cells = make([]portal.DashboardCell, len(board.Environments))
		for _, c := range cells {
			column := slices.IndexFunc(
				board.Environments,
				func(e portal.Environment) bool { return e.ID == c.Environment },
			)
			if c.Project == project.ID && column >= 0 {
				row.Cells[column] = portal.DashboardCell{Version: c.Version, Task: c.Task, State: c.State, At: c.At}
				_, row.Cells[column].IsAsking = asking[c.Task]
			}
		}
		board.Projects = append(board.Projects, row)
	}
	for id := range n.machines {
		if p.d.fleet.Presence(id).Online {
			board.Online++
		}
	}
	packages, err := p.c.LatestPackages(ctx, who, "")
	if err != nil {
		return board, err
	}
	board.Packages = len(packages)
	_, board.Running, err = p.c.Tasks(ctx, who, catalog.TaskFilter{States: runningStates(), Take: 1})
	if err != nil {
		return board, err
	}
	_, board.Asking, err = p.c.Tasks(ctx, who, catalog.TaskFilter{IsAsking: true, Take: 1})
	if err != nil {
		return board, err
	}
	_, board.Queued, err = p.c.Tasks(
		ctx,
		who,
		catalog.TaskFilter{States: []deploy.TaskState{deploy.TaskQueued}, Take: 1},
	)
	return board, err
}

func runningStates() []deploy.TaskState {
	return []deploy.TaskState{deploy.TaskExecuting, deploy.TaskCancelling}
}

// Projects implements portal.Reader.
func (p pages) Projects(ctx context.Context, who identity.Principal) ([]portal.ProjectSummary, error) {
	n, err := p.names(ctx, who)
	if err != nil {
		return nil, err
	}
	list := make([]portal.ProjectSummary, 0, len(n.projects))
	for _, project := range n.projects {
		summary, err := p.summary(ctx, who, n, project)
		if err != nil {
			return nil, err
		}
		list = append(list, summary)
	}
	return list, nil
}

func (p pages) summary(
	ctx context.Context, who identity.Principal, n names, project deploy.Project,
) (portal.ProjectSummary, error) {
	s := portal.ProjectSummary{
		Slug: project.Slug, Name: project.Name, Description: project.Description, Group: n.groups[project.Group],
		IsDisabled: project.IsDisabled,
	}
	process, err := p.c.Process(ctx, who, string(project.ID))
	if err != nil {
		return s, err
	}
	s.Steps = len(process.Steps)
	rows, err := p.c.Releases(ctx, who, string(project.ID))
	if err == nil && len(rows) > 0 {
		s.Latest, s.LatestAt = rows[0].Version, rows[0].AssembledAt
	}
	return s, err
}

// Project implements portal.Reader.
func (p pages) Project(ctx context.Context, who identity.Principal, ref string) (portal.Project, error) {
	project, err := p.c.Project(ctx, who, ref)
	if err != nil {
		return portal.Project{}, err
	}
	n, err := p.names(ctx, who)
	if err != nil {
		return portal.Project{}, err
	}
	page := portal.Project{Environments: n.columns()}
	if page.ProjectSummary, err = p.summary(ctx, who, n, project); err != nil {
		return page, err
	}
	process, err := p.c.Process(ctx, who, string(project.ID))
	if err != nil {
		return page, err
	}
	for i, step := range process.Steps {
		page.Process = append(page.Process, n.step(i, step))
	}
	if page.Releases, err = p.releases(ctx, who, n, project); err != nil {
		return page, err
	}
	// A template that cannot be filled in keeps nobody from looking at the project.
	page.NextVersion, _ = p.c.NextVersion(ctx, who, string(project.ID))
	return page, nil
}

func (p pages) releases(
	ctx context.Context, who identity.Principal, n names, project deploy.Project,
) (list []portal.ReleaseSummary, err error) {
	rows, err := p.c.Releases(ctx, who, string(project.ID))
	if err != nil {
		return nil, err
	}
	cells, err := p.c.Dashboard(ctx, who)
	if err != nil {
		return nil, err
	}
	asking, err := p.asking(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		summary := portal.ReleaseSummary{Version: row.Version, AssembledAt: row.AssembledAt}
		for _, c := range cells {
			if c.Release == row.ID {
				place := portal.Place{Environment: n.environments[c.Environment], Task: c.Task, State: c.State}
				_, place.IsAsking = asking[c.Task]
				summary.In = append(summary.In, place)
			}
		}
		list = append(list, summary)
	}
	return list, nil
}

// FindRelease implements portal.Reader.
func (p pages) FindRelease(
	ctx context.Context, who identity.Principal, id string,
) (project, version string, err error) {
	release, err := p.c.Release(ctx, who, id)
	return string(release.Project), release.Version, err
}

// FindDeployment implements portal.Reader.
func (p pages) FindDeployment(ctx context.Context, who identity.Principal, id string) (deploy.TaskID, error) {
	deployment, err := p.c.Deployment(ctx, who, id)
	return deployment.Task, err
}

// Release implements portal.Reader.
func (p pages) Release(ctx context.Context, who identity.Principal, ref, version string) (portal.Release, error) {
	project, err := p.c.Project(ctx, who, ref)
	if err != nil {
		return portal.Release{}, err
	}
	release, err := p.c.ReleaseNumbered(ctx, who, string(project.ID), version)
	if err != nil {
		return portal.Release{}, err
	}
	n, err := p.names(ctx, who)
	if err != nil {
		return portal.Release{}, err
	}
	page := portal.Release{
		ReleaseSummary: portal.ReleaseSummary{
			Version: release.Version, AssembledAt: release.AssembledAt, AssembledBy: release.AssembledBy,
		},
		Notes: release.Notes, Environments: n.columns(),
	}
	if page.Project, err = p.summary(ctx, who, n, project); err != nil {
		return page, err
	}
	for _, s := range release.Packages {
		page.Packages = append(
			page.Packages,
			portal.ReleasePackage{Step: s.Step, PackageID: s.PackageID, Version: s.Version},
		)
	}
	deployments, err := p.c.Deployments(ctx, who, catalog.DeploymentFilter{Release: release.ID})
	if err != nil {
		return page, err
	}
	asking, err := p.asking(ctx, who)
	if err != nil {
		return page, err
	}
	for _, d := range deployments {
		_, asks := asking[d.Task]
		task, err := p.c.Task(ctx, who, string(d.Task))
		if err != nil {
			return page, err
		}
		page.Deployments = append(page.Deployments, portal.Deployment{
			Environment: n.environments[d.Environment], Task: d.Task, State: task.State, IsAsking: asks,
			At: d.CreatedAt, By: d.CreatedBy,
		})
	}
	return page, nil
}

// Machines implements portal.Reader.
func (p pages) Machines(ctx context.Context, who identity.Principal) ([]portal.Machine, error) {
	n, err := p.names(ctx, who)
	if err != nil {
		return nil, err
	}
	all, err := p.c.Machines(ctx, who, catalog.MachineFilter{})
	if err != nil {
		return nil, err
	}
	list := make([]portal.Machine, len(all))
	for i, m := range all {
		list[i] = p.machine(n, m)
	}
	return list, nil
}

func (p pages) machine(n names, m deploy.Machine) portal.Machine {
	now := p.d.fleet.Presence(m.ID)
	page := portal.Machine{
		ID: m.ID, Name: m.Name, Style: m.Style, Address: m.Address, Remote: now.Remote, Online: now.Online, Since: now.Since,
		LastSeen: m.Health.LastSeen, Trouble: now.Trouble, Health: m.Health.Status, Summary: m.Health.Summary,
		CheckedAt: m.Health.CheckedAt, Tags: m.Tags, AgentVersion: m.Facts.AgentVersion, System: m.Facts.Distribution,
		Arch: m.Facts.Arch, IsDisabled: m.IsDisabled, Quarantine: m.Quarantine,
	}
	if page.System == "" {
		page.System = m.Facts.OS
	}
	for _, id := range m.Environments {
		page.Environments = append(page.Environments, n.environments[id])
	}
	return page
}

// Machine implements portal.Reader.
func (p pages) Machine(ctx context.Context, who identity.Principal, ref string) (portal.MachineDetail, error) {
	m, err := p.c.Machine(ctx, who, ref)
	if err != nil {
		return portal.MachineDetail{}, err
	}
	n, err := p.names(ctx, who)
	if err != nil {
		return portal.MachineDetail{}, err
	}
	page := portal.MachineDetail{
		Machine: p.machine(n, m), Pin: m.Pin, Hostname: m.Facts.Hostname, Shell: shellName(m.Facts),
		DiskFree: m.Health.DiskFree, AddedAt: m.AddedAt,
	}
	page.Orphans = p.orphans(ctx, who, m)
	if m.Health.Status == deploy.HealthHasWarnings {
		page.Warnings = []string{m.Health.Summary}
	}
	all, _, err := p.c.Tasks(ctx, who, catalog.TaskFilter{Take: recentWindow})
	if err != nil {
		return page, err
	}
	stand, err := p.standings(ctx, who)
	if err != nil {
		return page, err
	}
	for _, task := range all {
		if len(page.Recent) < recentTasks && worksOn(task.Plan, m.ID) {
			page.Recent = append(page.Recent, p.task(n, task, stand))
		}
	}
	return page, nil
}

// orphanLimit bounds how long a machine's page waits for what its agent tells.
const orphanLimit = 2 * time.Second

// orphans are left out of the page of a machine that cannot tell them now.
func (p pages) orphans(ctx context.Context, who identity.Principal, m deploy.Machine) (list []portal.Orphan) {
	ctx, cancel := context.WithTimeout(ctx, orphanLimit)
	defer cancel()
	found, _ := orphans{p.d}.Orphans(ctx, who, string(m.ID))
	for _, one := range found {
		list = append(list, portal.Orphan{Ticket: one.Ticket, Sentence: one.Sentence, Ended: one.Outcome != ""})
	}
	return list
}

// ForgetOrphan implements portal.Actor.
func (p pages) ForgetOrphan(ctx context.Context, who identity.Principal, machine, ticket string) error {
	return orphans{p.d}.ForgetOrphan(ctx, who, machine, ticket)
}

func shellName(f deploy.MachineFacts) string {
	if f.ShellVersion == "" {
		return f.Shell
	}
	return f.Shell + " " + f.ShellVersion
}

func worksOn(plan deploy.Plan, id deploy.MachineID) bool {
	return slices.ContainsFunc(plan.Steps, func(s deploy.PlannedStep) bool { return slices.Contains(s.Machines, id) })
}

// ReadLog implements portal.Reader.
func (p pages) ReadLog(
	ctx context.Context, who identity.Principal, id deploy.TaskID, offset int64, maxBytes int,
) ([]portal.LogLine, int64, error) {
	task, err := p.c.Task(ctx, who, string(id))
	if err != nil {
		return nil, 0, err
	}
	lines, next, err := p.d.logs.Read(task.ID, offset, maxBytes)
	return pageLines(lines), next, err
}

// FollowLog implements portal.Reader.
func (p pages) FollowLog(
	ctx context.Context, who identity.Principal, id deploy.TaskID, offset int64,
	deliver func([]portal.LogLine, int64) error,
) error {
	task, err := p.c.Task(ctx, who, string(id))
	if err != nil {
		return err
	}
	return p.d.logs.Follow(ctx, task.ID, offset, func(lines []tasklog.Line, next int64) error {
		return deliver(pageLines(lines), next)
	})
}

func pageLines(lines []tasklog.Line) []portal.LogLine {
	out := make([]portal.LogLine, len(lines))
	for i, l := range lines {
		out[i] = portal.LogLine{At: l.At, Category: string(l.Category), Node: l.Node, Text: l.Text, More: l.More}
	}
	return out
}

// Packages implements portal.Reader.
func (p pages) Packages(ctx context.Context, who identity.Principal, contains string) ([]portal.Package, error) {
	latest, err := p.c.LatestPackages(ctx, who, contains)
	if err != nil {
		return nil, err
	}
	list := make([]portal.Package, len(latest))
	for i, l := range latest {
		versions, err := p.c.PackageVersions(ctx, who, l.ID)
		if err != nil {
			return nil, err
		}
		list[i] = pagePackage(l)
		list[i].Versions = len(versions)
	}
	return list, nil
}

// PackageVersions implements portal.Reader.
func (p pages) PackageVersions(ctx context.Context, who identity.Principal, id string) ([]portal.Package, error) {
	versions, err := p.c.PackageVersions(ctx, who, id)
	list := make([]portal.Package, len(versions))
	for i, v := range versions {
		list[i] = pagePackage(v)
	}
	return list, err
}

func pagePackage(k deploy.Package) portal.Package {
	return portal.Package{
		ID: k.ID, Version: k.Version, Format: k.Format, Size: k.Size, SHA256: k.SHA256, PublishedAt: k.PublishedAt,
	}
}

// Events implements portal.Reader.
func (p pages) Events(
	ctx context.Context,
	who identity.Principal,
	q portal.EventQuery,
) ([]portal.Event, bool, error) {
	take := max(1, q.Take)
	all, err := p.c.Events(ctx, who, catalog.EventFilter{
		Subject: q.Subject, User: q.User, Category: q.Category, Skip: q.Skip, Take: take + 1,
	})
	more := len(all) > take
	list := make([]portal.Event, 0, take)
	for _, e := range all[:min(take, len(all))] {
		list = append(list, portal.Event{
			Number: e.Number, At: e.At, User: e.User, Category: e.Category, Subject: e.Subject, Message: e.Message,
		})
	}
	return list, more, err
}

// CreateRelease implements portal.Actor.
func (p pages) CreateRelease(ctx context.Context, who identity.Principal, r portal.NewRelease) (string, error) {
	made, _, err := p.c.CreateRelease(
		ctx,
		who,
		catalog.ReleaseRequest{Project: r.Project, Version: r.Version, Notes: r.Notes},
	)
	return made.Version, err
}

// Deploy implements portal.Actor.
func (p pages) Deploy(ctx context.Context, who identity.Principal, d portal.NewDeployment) (deploy.TaskID, error) {
	made, err := p.c.Deploy(ctx, who, catalog.DeployRequest{
		Project: d.Project, Release: d.Version, Environments: []string{string(d.Environment)},
	})
	if err != nil {
		return "", err
	}
	return made[0].Task, nil
}

// Cancel implements portal.Actor.
func (p pages) Cancel(ctx context.Context, who identity.Principal, id deploy.TaskID) error {
	_, err := p.c.Cancel(ctx, who, string(id))
	return err
}

// Answer implements portal.Actor. Who answers takes the question over: the page says who had it.
func (p pages) Answer(ctx context.Context, who identity.Principal, a portal.NewAnswer) error {
	if _, err := p.c.TakeInterruption(ctx, who, string(a.Question)); err != nil {
		return err
	}
	_, err := p.c.Answer(ctx, who, string(a.Question), a.Choice, a.Notes)
	return err
}

// AcceptMachine implements portal.Actor.
func (p pages) AcceptMachine(ctx context.Context, who identity.Principal, machine, why string) error {
	return p.c.AcceptMachine(ctx, who, machine, why)
}

// AcceptRestore implements portal.Actor.
func (p pages) AcceptRestore(ctx context.Context, who identity.Principal, number int64) error {
	_, err := p.c.AcceptRestore(ctx, who, number)
	return err
}

// Restored implements portal.Reader.
func (p pages) Restored(ctx context.Context, who identity.Principal) (portal.Restored, error) {
	machines, err := p.Machines(ctx, who)
	if err != nil {
		return portal.Restored{}, err
	}
	row, err := p.c.Installation(ctx)
	if err == nil && row.Restores == 0 {
		err = errkind.NotFound.Errorf("this server was never restored from a backup")
	}
	return portal.Restored{
		Number: row.Restores, BackupAt: row.BackupAt, RestoredAt: row.RestoredAt, AcceptedAt: row.AcceptedAt,
		Machines: machines,
	}, err
}

// CheckHealth implements portal.Actor.
func (p pages) CheckHealth(ctx context.Context, who identity.Principal, machine string) (deploy.TaskID, error) {
	task, err := p.c.CheckHealth(ctx, who, []string{machine})
	return task.ID, err
}
