// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
	"fairlead/server/identity"
	"fairlead/server/portal"
)

// names are what ids are called on one page.
type names struct {
	order        []deploy.Environment
	environments map[deploy.EnvironmentID]string
	groups       map[deploy.ProjectGroupID]string
	machines     map[deploy.MachineID]string
	projects     []deploy.Project
	byProject    map[deploy.ProjectID]deploy.Project
}

func (p pages) names(ctx context.Context, who identity.Principal) (n names, err error) {
	n = names{
		environments: map[deploy.EnvironmentID]string{}, groups: map[deploy.ProjectGroupID]string{},
		machines: map[deploy.MachineID]string{}, byProject: map[deploy.ProjectID]deploy.Project{},
	}
	if n.order, err = p.c.Environments(ctx, who); err != nil {
		return n, err
	}
	for _, e := range n.order {
		n.environments[e.ID] = e.Name
	}
	groups, err := p.c.Groups(ctx, who)
	if err != nil {
		return n, err
	}
	for _, g := range groups {
		n.groups[g.ID] = g.Name
	}
	machines, err := p.c.Machines(ctx, who, catalog.MachineFilter{})
	if err != nil {
		return n, err
	}
	for _, m := range machines {
		n.machines[m.ID] = m.Name
	}
	n.projects, err = p.c.Projects(ctx, who)
	for _, project := range n.projects {
		n.byProject[project.ID] = project
	}
	return n, err
}

func (n names) columns() []portal.Environment {
	list := make([]portal.Environment, len(n.order))
	for i, e := range n.order {
		list[i] = portal.Environment{ID: e.ID, Name: e.Name}
	}
	return list
}

func (n names) step(i int, s deploy.Step) portal.Step {
	step := portal.Step{Number: i + 1, Name: s.Name, Tags: s.Tags, Condition: s.Condition, Window: s.Window}
	for _, a := range s.Actions {
		policy, _ := deploy.NewPolicy(a)
		action := portal.Action{Name: a.Name, Kind: a.Kind, IsDisabled: a.IsDisabled, Settings: policy.Clauses()}
		if len(a.Packages) > 0 {
			action.PackageID = a.Packages[0].PackageID
		}
		for _, id := range a.Environments {
			action.Only = append(action.Only, n.environments[id])
		}
		step.Actions = append(step.Actions, action)
	}
	return step
}

// standings are what is known of tasks beside what they store: why they wait, and what they ask people.
type standings struct{ waits, asking map[deploy.TaskID]string }

func (p pages) standings(ctx context.Context, who identity.Principal) (s standings, err error) {
	if s.waits, err = p.d.queue.Waits(ctx); err == nil {
		s.asking, err = p.asking(ctx, who)
	}
	return s, err
}

// asking maps tasks to what they ask people: none for a reader who may not see tasks.
func (p pages) asking(ctx context.Context, who identity.Principal) (map[deploy.TaskID]string, error) {
	asking, err := p.c.Asking(ctx, who)
	if errkind.Of(err) == errkind.Denied {
		return nil, nil
	}
	return asking, err
}

// task makes a row.
func (p pages) task(n names, t deploy.Task, s standings) portal.Task {
	project := n.byProject[t.Project]
	title, asks := s.asking[t.ID]
	waits := s.waits[t.ID]
	if asks {
		waits = forAnswer(title)
	}
	return portal.Task{
		ID: t.ID, Kind: t.Kind, Description: t.Description, State: t.State, HasWarnings: t.HasWarnings, Error: t.Error,
		IsAsking: asks, WaitsFor: waits, Environment: n.environments[t.Environment],
		QueuedAt: t.QueuedAt, QueuedBy: t.QueuedBy, StartedAt: t.StartedAt, CompletedAt: t.CompletedAt,
		CancelAsked: t.CancelAsked, ProjectSlug: project.Slug, Project: project.Name,
	}
}

// Tasks implements portal.Reader.
func (p pages) Tasks(ctx context.Context, who identity.Principal, q portal.TaskQuery) ([]portal.Task, int, error) {
	filter := catalog.TaskFilter{States: q.States, IsAsking: q.IsAsking, Skip: q.Skip, Take: q.Take}
	if q.Active {
		filter.States = append(runningStates(), deploy.TaskQueued)
	}
	all, total, err := p.c.Tasks(ctx, who, filter)
	if err != nil {
		return nil, 0, err
	}
	n, err := p.names(ctx, who)
	if err != nil {
		return nil, 0, err
	}
	stand, err := p.standings(ctx, who)
	list := make([]portal.Task, len(all))
	for i, t := range all {
		list[i] = p.task(n, t, stand)
	}
	return list, total, err
}

// Task implements portal.Reader.
func (p pages) Task(ctx context.Context, who identity.Principal, id deploy.TaskID) (portal.TaskDetail, error) {
	detail, err := p.c.TaskDetail(ctx, who, string(id))
	if err != nil {
		return portal.TaskDetail{}, err
	}
	n, err := p.names(ctx, who)
	if err != nil {
		return portal.TaskDetail{}, err
	}
	stand, err := p.standings(ctx, who)
	if err != nil {
		return portal.TaskDetail{}, err
	}
	page := portal.TaskDetail{Task: p.task(n, detail.Task, stand)}
	if page.Artifacts, err = p.artifacts(ctx, who, detail.Task.ID); err != nil {
		return portal.TaskDetail{}, err
	}
	if detail.Task.Deployment != "" {
		deployment, err := p.c.Deployment(ctx, who, string(detail.Task.Deployment))
		if err != nil {
			return page, err
		}
		release, err := p.c.Release(ctx, who, string(deployment.Release))
		if err != nil {
			return page, err
		}
		page.Version = release.Version
	}
	for i := range detail.Task.Plan.Steps {
		page.Steps = append(page.Steps, taskStep(i, detail))
	}
	if len(detail.Interruptions) > 0 {
		err = p.questions(ctx, who, &page, detail.IsAsking())
	}
	return page, err
}

// questions are those of a task, the oldest first: the ones that wait for an answer, with a clause about them, and the
// ones that have one.
func (p pages) questions(ctx context.Context, who identity.Principal, page *portal.TaskDetail, asks bool) error {
	all, err := p.c.Interruptions(ctx, who, string(page.ID), catalog.InterruptionFilter{})
	if errkind.Of(err) == errkind.Denied {
		if asks {
			page.WaitsFor = "for people to answer a question"
		}
		return nil
	}
	for _, i := range slices.Backward(all) {
		if !i.IsPending() {
			page.Answers = append(page.Answers, portal.Answer{Title: i.Title, Said: i.Said(), At: i.AnsweredAt})
			continue
		}
		page.Questions = append(page.Questions, portal.Question{
			ID: i.ID, Title: i.Title, Instructions: i.Instructions, Choices: i.Choices(), AskedAt: i.CreatedAt,
			ExpiresAt: i.ExpiresAt, Responsible: i.ResponsibleName, MayAnswer: i.CanTake,
		})
		page.WaitsFor = forAnswer(page.Questions[0].Title)
	}
	return err
}

func forAnswer(title string) string { return "for an answer to: " + title }

func taskStep(n int, detail catalog.TaskDetail) portal.TaskStep {
	s, progress := detail.Task.Plan.Steps[n], detail.Progress.Steps[n]
	step := portal.TaskStep{
		Number: s.Number, Name: s.Name, Node: strconv.Itoa(s.Number), Activity: progress.Activity, Reason: progress.Reason,
	}
	for i, id := range s.Machines {
		name := detail.Machines[id]
		if name == "" {
			name = string(id)
		}
		step.Machines = append(step.Machines, portal.TaskMachine{
			ID: id, Name: name, Node: strings.Join([]string{step.Node, string(id)}, "/"), Activity: progress.Machines[i],
			Said: detail.Said(n, id),
		})
	}
	return step
}
