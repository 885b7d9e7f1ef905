// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"maps"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

// completedFormat is how people read the end of a task. Source: Octopus.
const completedFormat = "Monday, 02 January 2006 3:04 PM"

// standing is what is known of tasks beside what they store.
type standing struct {
	waits    string // why it waits, "" when it does not
	isAsking bool   // it waits for people to answer
}

func (a *api) showTask(t deploy.Task, about standing) obj {
	self, inSpace := "/api/tasks/"+string(t.ID), "/api/"+string(t.Space.OrDefault())+"/" // lists show several spaces
	arguments := obj{}
	if t.Deployment != "" {
		arguments["DeploymentId"] = t.Deployment
	}
	if t.Kind == deploy.ScriptTask && len(t.Plan.Steps) > 0 && len(t.Plan.Steps[0].Actions) > 0 {
		step := t.Plan.Steps[0]
		arguments["ScriptBody"] = step.Actions[0].Properties[deploy.PropScriptBody]
		arguments["Syntax"] = step.Actions[0].Properties[deploy.PropScriptSyntax]
		arguments["MachineIds"] = list(step.Machines)
	}
	completed := ""
	if !t.CompletedAt.IsZero() {
		completed = t.CompletedAt.UTC().Format(completedFormat)
	}
	updated := t.QueuedAt
	for _, later := range []time.Time{t.StartedAt, t.CompletedAt} {
		if later.After(updated) {
			updated = later
		}
	}
	var deployment any
	if t.Deployment != "" {
		deployment = t.Deployment
	}
	return obj{
		"Id": t.ID, "SpaceId": t.Space, "Name": t.Kind, "Description": t.Description, "Arguments": arguments,
		"State": t.State, "IsCompleted": t.State.IsCompleted(), "FinishedSuccessfully": t.State == deploy.TaskSuccess,
		"HasBeenPickedUpByProcessor": !t.StartedAt.IsZero(), "HasPendingInterruptions": about.isAsking,
		"HasWarningsOrErrors": t.HasWarnings || t.State == deploy.TaskFailed || t.State == deploy.TaskTimedOut,
		"CanRerun":            t.State.IsCompleted(), "ErrorMessage": t.Error, "WaitingFor": about.waits,
		"ServerNode": t.LeaseOwner,
		"QueueTime":  at(queueTime(t)), "QueueTimeExpiry": at(t.NotAfter), "StartTime": at(t.StartedAt),
		"LastUpdatedTime": at(updated),
		"CompletedTime":   at(t.CompletedAt), "Completed": completed, "Duration": a.duration(t), "QueuedBy": t.QueuedBy,
		"ProjectId": idOrNull(t.Project), "EnvironmentId": idOrNull(t.Environment), "DeploymentId": deployment,
		"Links": obj{
			"Self": self, "Details": self + "/details{?verbose,tail}", "Raw": self + "/raw", "Log": self + "/log{?offset}",
			"Cancel": self + "/cancel", "State": self + "/state", "Rerun": "/api/tasks/rerun/" + string(t.ID),
			"Interruptions": inSpace + "interruptions{?regarding,pendingOnly}",
			"Artifacts":     inSpace + "artifacts{?regarding}",
			"Web":           webTask(t.Space, t.ID),
		},
	}
}

func idOrNull[ID ~string](id ID) any {
	if id == "" {
		return nil
	}
	return id
}

func queueTime(t deploy.Task) time.Time {
	if t.NotBefore.After(t.QueuedAt) {
		return t.NotBefore
	}
	return t.QueuedAt
}

func (a *api) duration(t deploy.Task) string {
	if t.StartedAt.IsZero() {
		return ""
	}
	end := t.CompletedAt
	if end.IsZero() {
		end = a.Wall()
	}
	return max(0, end.Sub(t.StartedAt)).Round(time.Second).String()
}

// stateWords turns the words of a filter into states, spelled as they are stored.
func stateWords(words []string) ([]deploy.TaskState, error) {
	var states []deploy.TaskState
	for _, word := range words {
		known := false
		for _, s := range []deploy.TaskState{
			deploy.TaskQueued, deploy.TaskExecuting, deploy.TaskCancelling, deploy.TaskSuccess, deploy.TaskFailed,
			deploy.TaskCanceled, deploy.TaskTimedOut,
		} {
			if strings.EqualFold(string(s), word) {
				states, known = append(states, s), true
			}
		}
		if !known {
			return nil, errkind.Invalid.Errorf("%.40q is no state of a task", word)
		}
	}
	return states, nil
}

func (c *call) taskFilter() (f catalog.TaskFilter, err error) {
	query := c.query()
	text, given := query["ids"]
	for _, id := range commaList(text, given) {
		f.IDs = append(f.IDs, deploy.TaskID(id))
	}
	if f.States, err = stateWords(commaList(query["states"], true)); err != nil {
		return f, err
	}
	switch {
	case strings.EqualFold(query["running"], "true"):
		f.States = []deploy.TaskState{deploy.TaskExecuting, deploy.TaskCancelling}
	case strings.EqualFold(query["active"], "true"):
		f.States = []deploy.TaskState{deploy.TaskQueued, deploy.TaskExecuting, deploy.TaskCancelling}
	}
	f.Kind = deploy.TaskKind(query["name"])
	if f.HasWarnings, f.IsClean, err = c.yesOrNo("hasWarningsOrErrors"); err != nil {
		return f, err
	}
	if f.IsAsking, f.AsksNothing, err = c.yesOrNo("hasPendingInterruptions"); err != nil {
		return f, err
	}
	f.Node, f.Contains = query["node"], query["partialname"]
	f.Project, f.Environment = deploy.ProjectID(query["project"]), deploy.EnvironmentID(query["environment"])
	f.Skip, f.Take, err = c.pageOf()
	return f, err
}

func (a *api) listTasks(c *call) error {
	filter, err := c.taskFilter()
	if err != nil {
		return err
	}
	if c.names("tenant", "runbook") {
		return envelope(c, "Task", []obj{}, 0)
	}
	take := filter.Take
	filter.Take = max(1, take) // the store takes 0 for no limit
	list := a.Catalog.Tasks
	if c.isEverywhere {
		list = func(ctx context.Context, p identity.Principal, f catalog.TaskFilter) ([]deploy.Task, int, error) {
			return a.Catalog.TasksEverywhere(ctx, p, f, c.spaces)
		}
	}
	tasks, total, err := list(c.ctx(), c.principal, filter)
	if err != nil {
		return err
	}
	tasks = tasks[:min(take, len(tasks))]
	stand, err := a.standings(c, tasks...)
	if err != nil {
		return err
	}
	return envelope(c, "Task", each(tasks, func(t deploy.Task) obj { return a.showTask(t, stand(t.ID)) }), total)
}

// standings tells how each of the tasks stands.
func (a *api) standings(c *call, tasks ...deploy.Task) (func(deploy.TaskID) standing, error) {
	waits, err := a.Queue.Waits(c.ctx())
	if err != nil {
		return nil, err
	}
	asking, looked := map[deploy.TaskID]string{}, map[deploy.SpaceID]bool{}
	for _, t := range tasks {
		space := t.Space.OrDefault()
		if looked[space] {
			continue
		}
		looked[space] = true
		some, err := a.Catalog.Asking(c.ctx(), c.principal.In(space))
		if err != nil {
			return nil, err
		}
		maps.Copy(asking, some)
	}
	return func(id deploy.TaskID) standing {
		s := standing{waits: waits[id], isAsking: asking[id] != ""}
		if s.isAsking {
			s.waits = "waits for an answer: " + asking[id]
		}
		return s
	}, nil
}

func (a *api) answerTask(c *call, t deploy.Task, answer func(any) error) error {
	stand, err := a.standings(c, t)
	if err != nil {
		return err
	}
	return answer(a.showTask(t, stand(t.ID)))
}

func (a *api) getTask(c *call) error {
	t, err := a.Catalog.Task(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return a.answerTask(c, t, c.ok)
}

func (a *api) rerunTask(c *call) error {
	t, err := a.Catalog.Rerun(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return a.answerTask(c, t, c.created)
}

func (a *api) taskState(c *call) error {
	t, err := a.Catalog.Task(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(obj{"Id": t.ID, "State": t.State, "IsCompleted": t.State.IsCompleted()})
}

func (a *api) taskTypes(c *call) error {
	return c.ok([]obj{
		{"Id": deploy.DeployTask, "Name": "Deploy"},
		{"Id": deploy.ScriptTask, "Name": "Run a script"},
		{"Id": deploy.HealthTask, "Name": "Health check"},
		{"Id": deploy.RetentionTask, "Name": "Delete what has expired"},
	})
}

func (a *api) cancelTask(c *call) error {
	t, err := a.Catalog.Cancel(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return a.answerTask(c, t, c.ok)
}

type taskRequest struct {
	SpaceID     string `json:"SpaceId"`
	Name        string
	Description string
	Arguments   struct {
		ScriptBody     string
		Syntax         string
		MachineIDs     []string `json:"MachineIds"`
		MachineNames   []string
		EnvironmentIDs []string `json:"EnvironmentIds"`
		EnvironmentID  string   `json:"EnvironmentId"`
		TargetRoles    []string
		TimeoutMinutes int
		Isolation      string
		MaxParallelism int
		Properties     map[string]string
		WorkerIDs      []string `json:"WorkerIds"`
		TenantIDs      []string `json:"TenantIds"`
	}
}

func (a *api) createTask(c *call) error {
	var q taskRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	if err := a.enterBody(c, q.SpaceID); err != nil {
		return err
	}
	var not later
	not.add(len(q.Arguments.WorkerIDs) > 0, "running on workers")
	not.add(len(q.Arguments.TenantIDs) > 0, "running for tenants")
	if err := not.err(); err != nil {
		return err
	}
	task, err := a.queue(c, q)
	if err != nil {
		return err
	}
	return a.answerTask(c, task, c.created)
}

func (a *api) queue(c *call, q taskRequest) (deploy.Task, error) {
	machines := append(q.Arguments.MachineIDs, q.Arguments.MachineNames...)
	switch {
	case strings.EqualFold(q.Name, string(deploy.ScriptTask)):
		return a.Catalog.RunScript(c.ctx(), c.principal, catalog.ScriptRequest{
			Description: q.Description, Body: q.Arguments.ScriptBody, Syntax: q.Arguments.Syntax, Machines: machines,
			Environments: q.Arguments.EnvironmentIDs, Tags: q.Arguments.TargetRoles,
			TimeoutMinutes: q.Arguments.TimeoutMinutes, Isolation: q.Arguments.Isolation, Window: q.Arguments.MaxParallelism,
			Settings: q.Arguments.Properties,
		})
	case strings.EqualFold(q.Name, string(deploy.HealthTask)):
		if q.Arguments.EnvironmentID != "" {
			all, err := a.environmentMachineIDs(c, q.Arguments.EnvironmentID)
			if err != nil {
				return deploy.Task{}, err
			}
			machines = append(machines, all...)
		}
		return a.Catalog.CheckHealth(c.ctx(), c.principal, machines)
	case strings.EqualFold(q.Name, string(deploy.RetentionTask)):
		return a.Catalog.QueueRetention(c.ctx(), c.principal)
	}
	return deploy.Task{}, errkind.Invalid.Errorf("a task with the name %.40q cannot be queued: want %s, %s or %s",
		q.Name, deploy.ScriptTask, deploy.HealthTask, deploy.RetentionTask)
}

// environmentMachineIDs lists the enabled machines of an environment. Errors: Invalid when none.
func (a *api) environmentMachineIDs(c *call, ref string) ([]string, error) {
	e, err := a.Catalog.Environment(c.ctx(), c.principal, ref)
	if err != nil {
		return nil, err
	}
	all, err := a.Catalog.Machines(c.ctx(), c.principal, catalog.MachineFilter{Environment: e.ID})
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, m := range all {
		if !m.IsDisabled {
			ids = append(ids, string(m.ID))
		}
	}
	if len(ids) == 0 {
		return nil, errkind.Invalid.Errorf("environment %s has no enabled machine", e.Name)
	}
	return ids, nil
}
