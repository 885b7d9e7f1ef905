// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

type taskBody struct {
	Space        deploy.SpaceID      `json:"space"`
	Description  string              `json:"description,omitempty"`
	Error        string              `json:"error,omitempty"`
	HasWarnings  bool                `json:"has_warnings,omitempty"`
	Deployment   deploy.DeploymentID `json:"deployment,omitempty"`
	QueuedBy     string              `json:"queued_by,omitempty"`
	NotBefore    time.Time           `json:"not_before,omitzero"`
	NotAfter     time.Time           `json:"not_after,omitzero"`
	Decisions    []decisionBody      `json:"decisions,omitempty"`
	StartedAt    time.Time           `json:"started_at,omitzero"`
	CancelAsked  bool                `json:"cancel_asked,omitempty"`
	CancelAskers string              `json:"cancel_askers,omitempty"`
	LeaseOwner   string              `json:"lease_owner,omitempty"`
	Plan         planBody            `json:"plan"`
}

type decisionBody struct {
	Step    int              `json:"step"`
	Machine deploy.MachineID `json:"machine,omitempty"`
	Runs    bool             `json:"runs,omitempty"`
	Fault   string           `json:"fault,omitempty"`
}

const selectTask = "SELECT id, kind, state, project, environment, queued_at, completed_at, lease_epoch, body, sum " +
	"FROM task"

func scanTask(row scanner) (deploy.Task, error) {
	var s sealed
	var body taskBody
	var t deploy.Task
	var queued, completed int64
	err := row.Scan(&t.ID, &t.Kind, &t.State, &t.Project, &t.Environment, &queued, &completed, &t.LeaseEpoch,
		&s.text, &s.sum)
	if err != nil {
		return t, err
	}
	err = s.open("task "+string(t.ID), &body)
	return deploy.Task{
		ID: t.ID, Space: body.Space, Kind: t.Kind, Description: body.Description, State: t.State, Error: body.Error,
		HasWarnings: body.HasWarnings, Project: t.Project, Environment: t.Environment, Deployment: body.Deployment,
		Plan: body.Plan.plan(), QueuedAt: moment(queued), QueuedBy: body.QueuedBy, NotBefore: body.NotBefore,
		NotAfter:  body.NotAfter,
		Decisions: each(body.Decisions, func(d decisionBody) deploy.Decision { return deploy.Decision(d) }),
		StartedAt: body.StartedAt, CompletedAt: moment(completed), CancelAsked: body.CancelAsked,
		CancelAskers: body.CancelAskers, LeaseOwner: body.LeaseOwner, LeaseEpoch: t.LeaseEpoch,
	}, err
}

func (r *reader) Task(id deploy.TaskID) (deploy.Task, error) {
	return one(r, "task "+string(id), scanTask, selectTask+" WHERE id = ?", id)
}

const hasWarnings = "(state IN ('Failed', 'TimedOut') OR coalesce(json_extract(body, '$.has_warnings'), 0) = ?)"

func (r *reader) Tasks(f store.TaskFilter) (tasks []deploy.Task, total int, err error) {
	w := where{}
	if err := errors.Join(anyOf(&w, "id", f.IDs), anyOf(&w, "state", f.States)); err != nil {
		return nil, 0, errkind.Invalid.Errorf("list tasks: %w", err)
	}
	w.add(f.Space != "", spaceOfTasks(f)+" = ?", f.Space)
	w.add(f.Kind != "", "kind = ?", f.Kind)
	w.add(f.HasWarnings, hasWarnings, 1)
	w.add(f.IsClean, "NOT "+hasWarnings, 1)
	w.add(f.IsAsking, "id IN (SELECT task FROM interruption WHERE pending = ?)", 1)
	w.add(f.AsksNothing, "id NOT IN (SELECT task FROM interruption WHERE pending = ?)", 1)
	w.add(f.Node != "", "lower(json_extract(body, '$.lease_owner')) = lower(?)", f.Node)
	w.contains("json_extract(body, '$.description')", f.Contains)
	w.add(f.Project != "", "project = ?", f.Project)
	w.add(f.Environment != "", "environment = ?", f.Environment)
	w.add(f.IsLoose, "project = ?", "")
	if f.Scopes != nil {
		if err := w.addScopes(f.Scopes); err != nil {
			return nil, 0, err
		}
	}
	tasks, err = list(r, "list tasks", scanTask,
		selectTask+w.clause()+" ORDER BY queued_at DESC, number DESC, id DESC LIMIT ? OFFSET ?", w.page(f.Skip, f.Take)...)
	if err != nil {
		return nil, 0, err
	}
	if f.Skip <= 0 && (f.Take <= 0 || len(tasks) < f.Take) {
		return tasks, len(tasks), nil // these are all
	}
	total, err = one(r, "a count", count, "SELECT count(*) FROM task"+w.clause(), w.args...)
	return tasks, total, err
}

// spaceOfTasks is the column of the space, hidden from the planner where something else finds fewer tasks: by the
// index of the space it would go through all of them.
func spaceOfTasks(f store.TaskFilter) string {
	if len(f.IDs)+len(f.States) > 0 || f.Kind != "" || f.Project != "" || f.Environment != "" ||
		f.IsAsking || f.IsLoose {
		return "+space"
	}
	return "space"
}

// addScopes asks for a deployment within one of the scopes.
func (w *where) addScopes(scopes []store.TaskScope) error {
	within, args := []string{"0"}, []any{}
	for _, s := range scopes {
		var one where
		one.add(true, "project <> ?", "")
		err := errors.Join(anyOf(&one, "project", s.Projects), anyOf(&one, "environment", s.Environments))
		if err != nil {
			return err
		}
		within, args = append(within, strings.Join(one.conditions, " AND ")), append(args, one.args...)
	}
	w.add(true, "("+strings.Join(within, " OR ")+")", args...)
	return nil
}

func (w *writer) PutTask(t deploy.Task) error {
	body, sum, err := seal(taskBody{
		Space: t.Space, Description: t.Description, Error: t.Error, HasWarnings: t.HasWarnings,
		Deployment: t.Deployment, QueuedBy: t.QueuedBy, NotBefore: clean(t.NotBefore), StartedAt: clean(t.StartedAt),
		NotAfter:    clean(t.NotAfter),
		Decisions:   each(t.Decisions, func(d deploy.Decision) decisionBody { return decisionBody(d) }),
		CancelAsked: t.CancelAsked, CancelAskers: t.CancelAskers, LeaseOwner: t.LeaseOwner, Plan: bodyOfPlan(t.Plan),
	})
	if err != nil {
		return err
	}
	if t.Project != "" {
		w.cells = append(w.cells, cell{t.Space, t.Project, t.Environment})
	}
	_, err = w.exec("write task "+string(t.ID),
		"INSERT INTO task (id, space, kind, state, project, environment, queued_at, completed_at, lease_epoch, "+
			"number, body, sum) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "+
			"space = excluded.space, kind = excluded.kind, "+
			"state = excluded.state, project = excluded.project, environment = excluded.environment, "+
			"queued_at = excluded.queued_at, completed_at = excluded.completed_at, "+
			"lease_epoch = excluded.lease_epoch, body = excluded.body, sum = excluded.sum",
		t.ID, t.Space, t.Kind, t.State, t.Project, t.Environment, stamp(t.QueuedAt), stamp(t.CompletedAt), t.LeaseEpoch,
		store.IDNumber(string(t.ID)), body, sum)
	return err
}

func (w *writer) PutTaskLeased(t deploy.Task) error {
	epoch, err := one(&w.reader, "task "+string(t.ID), func(row scanner) (epoch int64, err error) {
		return epoch, row.Scan(&epoch)
	}, "SELECT lease_epoch FROM task WHERE id = ?", t.ID)
	if err != nil {
		return err
	}
	if epoch != t.LeaseEpoch {
		return errkind.Conflict.Errorf("write task %s: the lease is lost: its epoch is %d, not %d", t.ID, epoch, t.LeaseEpoch)
	}
	return w.PutTask(t)
}
