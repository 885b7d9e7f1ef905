// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

type deploymentBody struct {
	Channel   deploy.ChannelID `json:"channel,omitempty"`
	Taking    int              `json:"taking,omitempty"`
	Name      string           `json:"name,omitempty"`
	Comments  string           `json:"comments,omitempty"`
	CreatedBy string           `json:"created_by,omitempty"`
	Creator   deploy.UserID    `json:"creator,omitempty"`
	Plan      planBody         `json:"plan"`
	Answers   []answerBody     `json:"answers,omitempty"`
	Options   optionsBody      `json:"options,omitzero"`
}

type optionsBody struct {
	Only           []deploy.MachineID   `json:"only,omitempty"`
	Except         []deploy.MachineID   `json:"except,omitempty"`
	SkipSteps      []string             `json:"skip_steps,omitempty"`
	SkipActions    []string             `json:"skip_actions,omitempty"`
	Guided         deploy.GuidedFailure `json:"guided,omitempty"`
	ForcesPackages bool                 `json:"forces_packages,omitempty"`
	NotBefore      time.Time            `json:"not_before,omitzero"`
	NotAfter       time.Time            `json:"not_after,omitzero"`
}

func bodyOfOptions(o deploy.DeployOptions) optionsBody {
	o.NotBefore, o.NotAfter = clean(o.NotBefore), clean(o.NotAfter)
	return optionsBody(o)
}

// IsZero lets options that nobody asked for out of the text.
func (b optionsBody) IsZero() bool {
	return len(b.Only)+len(b.Except)+len(b.SkipSteps)+len(b.SkipActions) == 0 && b.Guided == "" && !b.ForcesPackages &&
		b.NotBefore.IsZero() && b.NotAfter.IsZero()
}

type answerBody struct {
	Variable string `json:"variable"`
	Value    string `json:"value,omitempty"`
	Sealed   string `json:"sealed,omitempty"`
}

type planBody struct {
	Steps    []plannedStepBody `json:"steps,omitempty"`
	IsGuided bool              `json:"is_guided,omitempty"`
	Notes    []string          `json:"notes,omitempty"`
}

type plannedStepBody struct {
	Number       int                `json:"number"`
	Name         string             `json:"name"`
	Condition    deploy.Condition   `json:"condition,omitempty"`
	Window       int                `json:"window,omitempty"`
	WithPrevious bool               `json:"with_previous,omitempty"`
	Expression   string             `json:"expression,omitempty"`
	Machines     []deploy.MachineID `json:"machines,omitempty"`
	Actions      []actionBody       `json:"actions,omitempty"`
	Skip         string             `json:"skip,omitempty"`
}

// options gives back empty lists as nil.
func (b optionsBody) options() deploy.DeployOptions {
	o := deploy.DeployOptions(b)
	o.Only, o.Except = filled(o.Only), filled(o.Except)
	o.SkipSteps, o.SkipActions = filled(o.SkipSteps), filled(o.SkipActions)
	return o
}

func filled[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

func bodyOfPlan(p deploy.Plan) planBody {
	return planBody{IsGuided: p.IsGuided, Notes: p.Notes, Steps: each(p.Steps, func(s deploy.PlannedStep) plannedStepBody {
		return plannedStepBody{
			Number: s.Number, Name: s.Name, Condition: s.Condition, Window: s.Window, Machines: s.Machines,
			WithPrevious: s.WithPrevious, Expression: s.Expression, Actions: actionsBody(s.Actions), Skip: s.Skip,
		}
	})}
}

func (b planBody) plan() deploy.Plan {
	steps := each(b.Steps, func(s plannedStepBody) deploy.PlannedStep {
		return deploy.PlannedStep{
			Number: s.Number, Name: s.Name, Condition: s.Condition, Window: s.Window, Machines: s.Machines,
			WithPrevious: s.WithPrevious, Expression: s.Expression, Actions: actions(s.Actions), Skip: s.Skip,
		}
	})
	return deploy.Plan{IsGuided: b.IsGuided, Notes: b.Notes, Steps: steps}
}

const selectDeployment = "SELECT id, space, project, release, environment, task, created_at, body, sum " +
	"FROM deployment d"

func scanDeployment(row scanner) (deploy.Deployment, error) {
	var s sealed
	var body deploymentBody
	var d deploy.Deployment
	var created int64
	err := row.Scan(&d.ID, &d.Space, &d.Project, &d.Release, &d.Environment, &d.Task, &created, &s.text, &s.sum)
	if err != nil {
		return d, err
	}
	err = s.open("deployment "+string(d.ID), &body)
	return deploy.Deployment{
		ID: d.ID, Space: d.Space, Project: d.Project, Release: d.Release, Environment: d.Environment,
		Channel: body.Channel, Taking: body.Taking, Task: d.Task, Name: body.Name, Comments: body.Comments,
		CreatedAt: moment(created), CreatedBy: body.CreatedBy, CreatedByID: body.Creator,
		Plan:    body.Plan.plan(),
		Answers: each(body.Answers, func(a answerBody) deploy.Answer { return deploy.Answer(a) }),
		Options: body.Options.options(),
	}, err
}

func (r *reader) Deployment(id deploy.DeploymentID) (deploy.Deployment, error) {
	return one(r, "deployment "+string(id), scanDeployment, selectDeployment+" WHERE id = ?", id)
}

// deploymentsWhere are the conditions of a filter on the table d.
func deploymentsWhere(f store.DeploymentFilter) (w where, err error) {
	w.add(f.Space != "", "d.space = ?", f.Space)
	w.add(f.Project != "", "d.project = ?", f.Project)
	w.add(f.Release != "", "d.release = ?", f.Release)
	w.add(f.Environment != "", "d.environment = ?", f.Environment)
	err = errors.Join(
		anyOf(&w, "d.id", f.IDs), anyOf(&w, "d.project", f.Projects), anyOf(&w, "d.environment", f.Places),
		anyOf(&w, "json_extract(d.body, '$.channel')", f.Channels), w.inStates(f.States),
	)
	w.contains("json_extract(d.body, '$.name')", f.Contains)
	if err != nil {
		return w, errkind.Invalid.Errorf("list deployments: %w", err)
	}
	return w, nil
}

// inStates asks for the state of the task; one that is gone is in none.
func (w *where) inStates(states []deploy.TaskState) error {
	if len(states) == 0 {
		return nil
	}
	text, err := jsonList(states)
	w.add(true, "d.task IN (SELECT id FROM task WHERE state IN (SELECT value FROM json_each(?)))", text)
	return err
}

// anyOf wants a column to have one of some values; none means any.
func anyOf[T ~string](w *where, column string, values []T) error {
	text, err := jsonList(values)
	if len(values) == 1 { // which an index can look up and order by
		w.add(true, column+" = ?", values[0])
		return err
	}
	w.add(len(values) > 0, column+" IN (SELECT value FROM json_each(?))", text)
	return err
}

const newestDeployments = " ORDER BY d.created_at DESC, d.number DESC, d.id DESC LIMIT ? OFFSET ?"

func (r *reader) Deployments(f store.DeploymentFilter) ([]deploy.Deployment, error) {
	w, err := deploymentsWhere(f)
	if err != nil {
		return nil, err
	}
	return list(r, "list deployments", scanDeployment, selectDeployment+w.clause()+newestDeployments,
		w.page(f.Skip, f.Take)...)
}

func (r *reader) CountDeployments(f store.DeploymentFilter) (int, error) {
	w, err := deploymentsWhere(f)
	if err != nil {
		return 0, err
	}
	return one(r, "a count", count, "SELECT count(*) FROM deployment d"+w.clause(), w.args...)
}

func (r *reader) DeploymentCells(f store.DeploymentFilter) ([]store.DashboardCell, error) {
	w, err := deploymentsWhere(f)
	if err != nil {
		return nil, err
	}
	return list(r, "list deployments and their tasks", scanCell,
		selectCell+"FROM deployment d "+joinCell+w.clause()+newestDeployments, w.page(f.Skip, f.Take)...)
}

func (w *writer) PutDeployment(d deploy.Deployment) error {
	body, sum, err := seal(deploymentBody{
		Channel: d.Channel, Taking: d.Taking, Name: d.Name, Comments: d.Comments,
		CreatedBy: d.CreatedBy, Creator: d.CreatedByID, Plan: bodyOfPlan(d.Plan),
		Answers: each(d.Answers, func(a deploy.Answer) answerBody { return answerBody(a) }),
		Options: bodyOfOptions(d.Options),
	})
	if err != nil {
		return err
	}
	w.cells = append(w.cells, cell{d.Space, d.Project, d.Environment})
	_, err = w.exec("write deployment "+string(d.ID),
		"INSERT INTO deployment (id, space, project, release, environment, task, created_at, number, body, sum) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET space = excluded.space, "+
			"project = excluded.project, release = excluded.release, environment = excluded.environment, "+
			"task = excluded.task, created_at = excluded.created_at, body = excluded.body, sum = excluded.sum",
		d.ID, d.Space, d.Project, d.Release, d.Environment, d.Task, stamp(d.CreatedAt),
		store.IDNumber(string(d.ID)), body, sum)
	return err
}

// A deployment whose task is gone counts as done at the time it was made, in no state.
const selectCell = "SELECT d.project, d.environment, d.id, d.release, r.version, d.task, coalesce(t.state, ''), " +
	"CASE WHEN coalesce(t.completed_at, 0) <> 0 THEN t.completed_at ELSE coalesce(t.queued_at, d.created_at) END "

const joinCell = "JOIN release r INDEXED BY release_number ON r.id = d.release " +
	"LEFT JOIN task t INDEXED BY task_stand ON t.id = d.task"

const newestInCell = " ORDER BY n.project DESC, n.environment DESC, n.created_at DESC, n.number DESC, n.id DESC LIMIT 1"

// selectDashboard goes from the newest deployment of a cell to that of the cell before it, by one look at the index
// each; how many deployments a cell has does not matter.
const selectDashboard = "WITH RECURSIVE cell (id, project, environment, release, task, created_at) AS (" +
	"SELECT d.id, d.project, d.environment, d.release, d.task, d.created_at " +
	"FROM deployment d INDEXED BY deployment_stand WHERE d.id = (" +
	"SELECT n.id FROM deployment n INDEXED BY deployment_cell WHERE n.space = ?1" + newestInCell + ") " +
	"UNION ALL SELECT d.id, d.project, d.environment, d.release, d.task, d.created_at " +
	"FROM cell JOIN deployment d INDEXED BY deployment_stand ON d.id = coalesce(" +
	"(SELECT n.id FROM deployment n INDEXED BY deployment_cell WHERE n.space = ?1 " +
	"AND n.project = cell.project AND n.environment < cell.environment" + newestInCell + "), " +
	"(SELECT n.id FROM deployment n INDEXED BY deployment_cell WHERE n.space = ?1 " +
	"AND n.project < cell.project" + newestInCell + "))) " + selectCell + "FROM cell d " + joinCell

func scanCell(row scanner) (c store.DashboardCell, err error) {
	var at int64
	err = row.Scan(&c.Project, &c.Environment, &c.Deployment, &c.Release, &c.Version, &c.Task, &c.State, &at)
	c.At = moment(at)
	return c, err
}
