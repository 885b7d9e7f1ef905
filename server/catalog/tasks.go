// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// TaskFilter picks tasks.
type TaskFilter = store.TaskFilter

// ScriptRequest asks for a script on chosen machines: those named, or those that carry one of the
// tags in one of the environments.
type ScriptRequest struct {
	Description    string // "" means "Run a script on …"
	Body           string
	Syntax         string // "Bash"
	Machines       []string
	Environments   []string
	Tags           []string
	TimeoutMinutes int // 0 means none
	Isolation      string
	Window         int // at most so many at once; 0 means deploy.DefaultWindow
	// Settings are further properties of the action, of deploy.PolicySettings.
	Settings map[string]string
}

// Tasks lists tasks, newest first, and how many there are before Skip and Take. Errors: Denied.
func (c *Catalog) Tasks(ctx context.Context, p identity.Principal, f TaskFilter) (all []deploy.Task, total int,
	err error,
) {
	properTasks(f.IDs)
	err = c.view(ctx, p, identity.TaskView, func(r store.Reader) error {
		all, total, err = r.Tasks(f)
		return err
	})
	return all, total, err
}

// properTasks spells ids as the store does.
func properTasks(ids []deploy.TaskID) {
	for i, id := range ids {
		ids[i] = deploy.TaskID(properID("ServerTasks", string(id)))
	}
}

// TasksEverywhere is Tasks of all spaces in which the principal may see tasks, or of those among them that are named,
// newest first together. Errors: Denied (there is no such space).
func (c *Catalog) TasksEverywhere(
	ctx context.Context, p identity.Principal, f TaskFilter, named []deploy.SpaceID,
) (all []deploy.Task, total int, err error) {
	if err := p.Need(identity.SignedIn); err != nil {
		return nil, 0, err
	}
	properTasks(f.IDs)
	err = c.Store.View(ctx, func(r store.Reader) error {
		spaces, err := store.EverySpace(r)
		if err != nil {
			return err
		}
		var here []store.Reader
		isWhole := len(named) == 0
		for _, s := range spaces {
			who := p.In(s.ID)
			isAsked := len(named) == 0 || slices.Contains(named, s.ID)
			isWhole = isWhole && who.NeedEverywhere(identity.TaskView) == nil
			if isAsked && who.Need(identity.TaskView) == nil {
				here = append(here, guarded(walled(r, s.ID), who, identity.TaskView))
			}
		}
		switch {
		case len(here) == 0:
			return p.In(noSpace).Need(identity.TaskView)
		case isWhole:
			all, total, err = r.Tasks(f)
		default:
			all, total, err = tasksOf(here, f)
		}
		return err
	})
	return all, total, err
}

// tasksOf merges what several readers have.
func tasksOf(readers []store.Reader, f TaskFilter) (all []deploy.Task, total int, err error) {
	upTo := throughPage(f)
	for _, r := range readers {
		some, n, err := r.Tasks(upTo)
		if err != nil {
			return nil, 0, err
		}
		all, total = append(all, some...), total+n
	}
	slices.SortFunc(all, newerTask)
	return cut(all, f.Skip, f.Take), total, nil
}

// throughPage asks for all up to the end of a page that is cut from several lists together.
func throughPage(f TaskFilter) TaskFilter {
	if f.Take > 0 {
		f.Take += f.Skip
	}
	f.Skip = 0
	return f
}

// Task reads one. Errors: Denied, NotFound.
func (c *Catalog) Task(ctx context.Context, p identity.Principal, id string) (task deploy.Task, err error) {
	err = c.view(ctx, p, identity.TaskView, func(r store.Reader) error {
		task, err = r.Task(deploy.TaskID(properID("ServerTasks", id)))
		return err
	})
	return task, err
}

// TaskDetail is a task with how far each of its steps has come.
type TaskDetail struct {
	Task     deploy.Task
	Tickets  []deploy.Ticket
	Progress deploy.Progress
	Machines map[deploy.MachineID]string // names; those deleted since are missing
	// Interruptions are the questions it asked, newest first.
	Interruptions []deploy.Interruption
}

// IsAsking reports whether it waits for people to answer.
func (d TaskDetail) IsAsking() bool {
	return slices.ContainsFunc(d.Interruptions, deploy.Interruption.IsPending)
}

// record is what has happened to the task's plan.
func (d TaskDetail) record() deploy.Record {
	return deploy.Record{
		Tickets: d.Tickets, Interruptions: d.Interruptions, Decisions: d.Task.Decisions, Canceled: d.Task.CancelAsked,
	}
}

// Said is what is known of a machine's part in a step, in a sentence: of its action that did not simply
// succeed, or of a ruling that came late. "" when there is nothing to say.
func (d TaskDetail) Said(step int, machine deploy.MachineID) (text string) {
	for _, t := range d.Tickets { // by action, then attempt: the last word counts
		if t.Step != step || t.Machine != machine || t.Verdict == nil {
			continue
		}
		if text = ""; t.Verdict.Outcome != contract.Succeeded || t.Verdict.Reason != "" || t.Late != nil {
			text = deploy.SentenceOf(t)
		}
	}
	return text
}

// TaskDetail reads one. Errors: Denied, NotFound.
func (c *Catalog) TaskDetail(ctx context.Context, p identity.Principal, id string) (d TaskDetail, err error) {
	err = c.view(ctx, p, identity.TaskView, func(r store.Reader) error {
		if d.Task, err = r.Task(deploy.TaskID(properID("ServerTasks", id))); err != nil {
			return err
		}
		if d.Tickets, err = r.Tickets(d.Task.ID); err != nil {
			return err
		}
		if d.Interruptions, err = r.Interruptions(store.InterruptionFilter{Task: d.Task.ID}); err != nil {
			return err
		}
		all, err := r.Machines(store.MachineFilter{Space: spaceOf(r)})
		if err != nil {
			return err
		}
		d.Machines = make(map[deploy.MachineID]string, len(all))
		for _, m := range all {
			d.Machines[m.ID] = m.Name
		}
		d.Progress = deploy.Walk(d.Task.Plan, d.record())
		return nil
	})
	return d, err
}

// RunScript queues a script. Errors: Denied, Invalid (every broken rule).
func (c *Catalog) RunScript(ctx context.Context, p identity.Principal, q ScriptRequest) (task deploy.Task, err error) {
	if q.Syntax == "" {
		q.Syntax = "Bash"
	}
	action := deploy.Action{
		ID: newUUID(), Name: "Run a script", Kind: deploy.ScriptAction,
		Properties: map[string]string{
			deploy.PropRunOnServer: "false", deploy.PropScriptSource: "Inline",
			deploy.PropScriptSyntax: q.Syntax, deploy.PropScriptBody: q.Body,
			deploy.PropTimeoutMinutes: strconv.Itoa(q.TimeoutMinutes), deploy.PropIsolation: q.Isolation,
		},
	}
	maps.Copy(action.Properties, q.Settings)
	return c.queueOn(ctx, p, q, deploy.Task{Kind: deploy.ScriptTask, Description: q.Description}, []deploy.Action{action})
}

// queueOn queues a task of one step on chosen machines.
func (c *Catalog) queueOn(
	ctx context.Context, p identity.Principal, q ScriptRequest, draft deploy.Task, actions []deploy.Action,
) (task deploy.Task, err error) {
	err = c.change(ctx, p, identity.TaskCreate, func(w store.Writer) (deploy.Event, error) {
		task = draft
		var why reasons
		for i := range actions {
			why.action(&actions[i], nil, nil)
		}
		for _, name := range slices.Sorted(maps.Keys(q.Settings)) {
			if !slices.Contains(deploy.PolicySettings(), name) {
				why.add("a script has no setting %.80q", name)
			}
		}
		machines, err := why.chosen(w, q, task.Kind == deploy.HealthTask)
		if err != nil {
			return deploy.Event{}, err
		}
		if q.Window < 0 {
			why.add("the window is %d machines: want 1 or more, or 0 for %d", q.Window, deploy.DefaultWindow)
		}
		if task.Description == "" {
			task.Description = describe(task.Kind, machines)
		}
		task.Description = why.name("a task", task.Description)
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		if task.Plan, err = planned(w, task.Kind, machines, actions, q.Window); err != nil {
			return deploy.Event{}, err
		}
		return c.putTask(w, p, &task)
	})
	if err == nil {
		c.Queued()
	}
	return task, err
}

// Asking maps tasks that wait for people to answer to what they ask. Errors: Denied.
func (c *Catalog) Asking(ctx context.Context, p identity.Principal) (asking map[deploy.TaskID]string, err error) {
	err = c.view(ctx, p, identity.TaskView, func(r store.Reader) error {
		asking = map[deploy.TaskID]string{}
		pending, err := r.Interruptions(store.InterruptionFilter{IsPending: true})
		for _, i := range pending {
			asking[i.Task] = i.Title
		}
		return err
	})
	return asking, err
}

func (c *Catalog) putTask(w store.Writer, p identity.Principal, task *deploy.Task) (deploy.Event, error) {
	task.Space, task.State, task.QueuedAt, task.QueuedBy = spaceOf(w), deploy.TaskQueued, c.Wall(), p.Name()
	var err error
	if task.ID, err = nextID[deploy.TaskID](w, "ServerTasks"); err != nil {
		return deploy.Event{}, err
	}
	return event("TaskQueued", task.ID, "%s was queued: %s", task.Kind, task.Description), w.PutTask(*task)
}

func describe(kind deploy.TaskKind, machines []deploy.Machine) string {
	where := fmt.Sprintf("%d machines", len(machines))
	if len(machines) == 1 {
		where = machines[0].Name
	}
	if kind == deploy.HealthTask {
		return "Check the health of " + where
	}
	return "Run a script on " + where
}

func planned(r store.Reader, kind deploy.TaskKind, machines []deploy.Machine, actions []deploy.Action, window int) (
	deploy.Plan, error,
) {
	if kind == deploy.HealthTask {
		return healthPlan(r, machines)
	}
	step := deploy.PlannedStep{
		Number: 1, Name: "Run a script", Condition: deploy.OnSuccess, Window: window, Actions: actions,
	}
	if step.Window == 0 {
		step.Window = deploy.DefaultWindow
	}
	for _, m := range machines {
		step.Machines = append(step.Machines, m.ID)
	}
	return deploy.Plan{Steps: []deploy.PlannedStep{step}}, nil
}

// chosen settles the machines of a task, by name.
func (why *reasons) chosen(r store.Reader, q ScriptRequest, allByDefault bool) ([]deploy.Machine, error) {
	all, err := r.Machines(store.MachineFilter{Space: spaceOf(r)})
	if err != nil {
		return nil, err
	}
	environments, err := why.environmentIDs(r, q.Environments)
	if err != nil {
		return nil, err
	}
	named := map[deploy.MachineID]bool{}
	for _, id := range why.machineIDs(all, q.Machines) {
		named[id] = true
	}
	byRule := len(q.Environments) > 0 || len(q.Tags) > 0 || allByDefault && len(q.Machines) == 0
	var picked []deploy.Machine
	var off []string
	for _, m := range all {
		fits := byRule && inAny(m, environments) && hasAny(m, q.Tags)
		switch {
		case named[m.ID] && m.IsDisabled:
			why.add("machine %s is disabled", m.Name)
		case named[m.ID], fits && !m.IsDisabled:
			picked = append(picked, m)
		case fits:
			off = append(off, m.Name)
		}
	}
	if len(picked) > 0 {
		return picked, nil
	}
	rule, err := ruleWords(r, environments, q.Tags)
	switch {
	case err != nil:
		return nil, err
	case len(off) > 0:
		why.add("no enabled machine%s was chosen: %s would be, and is disabled; its page says why", rule,
			strings.Join(off, ", "))
	case rule != "":
		why.add("no machine%s was found: give one the tag or the environment, or name other machines", rule)
	case len(q.Machines) > 0 && why.err() != nil: // what is wrong with each was said
	default:
		why.add("no enabled machine was chosen: name machines, or environments and tags")
	}
	return picked, nil
}

// ruleWords tells by what machines were looked for: " with the tag web in Dev or Test".
func ruleWords(r store.Reader, environments []deploy.EnvironmentID, tags []string) (text string, err error) {
	trimmed := make([]string, len(tags))
	for i, tag := range tags {
		trimmed[i] = strings.TrimSpace(tag)
	}
	switch len(trimmed) {
	case 0:
	case 1:
		text = " with the tag " + trimmed[0]
	default:
		text = " with one of the tags " + strings.Join(trimmed, ", ")
	}
	var names []string
	for _, id := range environments {
		e, err := r.Environment(id)
		if err != nil {
			return "", err
		}
		names = append(names, e.Name)
	}
	if len(names) > 0 {
		text += " in " + strings.Join(names, " or ")
	}
	return text, nil
}

func inAny(m deploy.Machine, environments []deploy.EnvironmentID) bool {
	for _, e := range environments {
		if m.In(e) {
			return true
		}
	}
	return len(environments) == 0
}

func hasAny(m deploy.Machine, tags []string) bool {
	for _, tag := range tags {
		if m.HasTag(strings.TrimSpace(tag)) {
			return true
		}
	}
	return len(tags) == 0
}

// Cancel asks for the end of a task: one that waits ends at once, one that runs is told to stop.
// Asking again changes nothing. Errors: Denied, NotFound, Invalid (it has ended already).
func (c *Catalog) Cancel(ctx context.Context, p identity.Principal, id string) (task deploy.Task, err error) {
	err = c.change(ctx, p, identity.TaskCancel, func(w store.Writer) (deploy.Event, error) {
		if task, err = w.Task(deploy.TaskID(properID("ServerTasks", id))); err != nil {
			return deploy.Event{}, err
		}
		if task.State.IsCompleted() {
			return deploy.Event{}, errkind.Invalid.Errorf("%s has ended already: %s", task.ID, task.State)
		}
		if !task.CancelAsked {
			task.CancelAsked, task.CancelAskers = true, p.Name()
			cancelState(&task, c.Wall())
		}
		return event("TaskCancelAsked", task.ID, "%s asked to cancel: %s", p.Name(), task.Description), w.PutTask(task)
	})
	if err == nil {
		c.Queued()
	}
	return task, err
}

func cancelState(task *deploy.Task, now time.Time) {
	if task.State == deploy.TaskQueued {
		task.State, task.CompletedAt = deploy.TaskCanceled, now
		task.Error = "canceled by " + task.CancelAskers + " before it began"
		return
	}
	task.State = deploy.TaskCancelling
}
