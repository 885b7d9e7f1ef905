// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"cmp"
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

type deploymentBody struct {
	Channel   deploy.ChannelID `json:"channel,omitempty"`
	Name      string           `json:"name,omitempty"`
	Comments  string           `json:"comments,omitempty"`
	CreatedBy string           `json:"created_by,omitempty"`
	Plan      planBody         `json:"plan"`
	Answers   []answerBody     `json:"answers,omitempty"`
}

type answerBody struct {
	Variable string `json:"variable"`
	Value    string `json:"value,omitempty"`
	Sealed   string `json:"sealed,omitempty"`
}

type planBody struct {
	Steps []plannedStepBody `json:"steps,omitempty"`
}

type plannedStepBody struct {
	Number    int                `json:"number"`
	Name      string             `json:"name"`
	Condition deploy.Condition   `json:"condition,omitempty"`
	Window    int                `json:"window,omitempty"`
	Machines  []deploy.MachineID `json:"machines,omitempty"`
	Actions   []actionBody       `json:"actions,omitempty"`
	Skip      string             `json:"skip,omitempty"`
}

func bodyOfPlan(p deploy.Plan) planBody {
	return planBody{each(p.Steps, func(s deploy.PlannedStep) plannedStepBody {
		return plannedStepBody{
			Number: s.Number, Name: s.Name, Condition: s.Condition, Window: s.Window, Machines: s.Machines,
			Actions: actionsBody(s.Actions), Skip: s.Skip,
		}
	})}
}

func (b planBody) plan() deploy.Plan {
	return deploy.Plan{Steps: each(b.Steps, func(s plannedStepBody) deploy.PlannedStep {
		return deploy.PlannedStep{
			Number: s.Number, Name: s.Name, Condition: s.Condition, Window: s.Window, Machines: s.Machines,
			Actions: actions(s.Actions), Skip: s.Skip,
		}
	})}
}

const selectDeployment = "SELECT id, space, project, release, environment, task, created_at, body, sum FROM deployment"

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
		Channel: body.Channel, Task: d.Task, Name: body.Name, Comments: body.Comments, CreatedAt: moment(created),
		CreatedBy: body.CreatedBy, Plan: body.Plan.plan(),
		Answers: each(body.Answers, func(a answerBody) deploy.Answer { return deploy.Answer(a) }),
	}, err
}

func (r *reader) Deployment(id deploy.DeploymentID) (deploy.Deployment, error) {
	return one(r, "deployment "+string(id), scanDeployment, selectDeployment+" WHERE id = ?", id)
}

func (r *reader) Deployments(f store.DeploymentFilter) ([]deploy.Deployment, error) {
	w := where{}
	w.add(f.Space != "", "space = ?", f.Space)
	w.add(f.Project != "", "project = ?", f.Project)
	w.add(f.Release != "", "release = ?", f.Release)
	w.add(f.Environment != "", "environment = ?", f.Environment)
	return list(r, "list deployments", scanDeployment,
		selectDeployment+w.clause()+" ORDER BY created_at DESC, number DESC, id DESC LIMIT ? OFFSET ?",
		w.page(f.Skip, f.Take)...)
}

func (w *writer) PutDeployment(d deploy.Deployment) error {
	body, sum, err := seal(deploymentBody{
		Channel: d.Channel, Name: d.Name, Comments: d.Comments, CreatedBy: d.CreatedBy, Plan: bodyOfPlan(d.Plan),
		Answers: each(d.Answers, func(a deploy.Answer) answerBody { return answerBody(a) }),
	})
	if err != nil {
		return err
	}
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
const selectDashboard = "SELECT d.project, d.environment, d.id, d.release, r.version, d.task, coalesce(t.state, ''), " +
	"CASE WHEN coalesce(t.completed_at, 0) <> 0 THEN t.completed_at ELSE coalesce(t.queued_at, d.created_at) END " +
	"FROM (SELECT DISTINCT project, environment FROM deployment WHERE space = ?1) cell " +
	"JOIN deployment d ON d.id = (SELECT n.id FROM deployment n " +
	"WHERE n.space = ?1 AND n.project = cell.project AND n.environment = cell.environment " +
	"ORDER BY n.created_at DESC, n.number DESC, n.id DESC LIMIT 1) " +
	"JOIN release r ON r.id = d.release LEFT JOIN task t ON t.id = d.task ORDER BY d.project, d.environment, d.id"

func (r *reader) LastDeployments(space deploy.SpaceID) ([]store.DashboardCell, error) {
	cells, err := list(r, "list the last deployments", func(row scanner) (c store.DashboardCell, err error) {
		var at int64
		err = row.Scan(&c.Project, &c.Environment, &c.Deployment, &c.Release, &c.Version, &c.Task, &c.State, &at)
		c.At = moment(at)
		return c, err
	}, selectDashboard, space)
	slices.SortStableFunc(cells, func(a, b store.DashboardCell) int {
		return cmp.Or(store.CompareIDs(a.Project, b.Project), store.CompareIDs(a.Environment, b.Environment))
	})
	return cells, err
}
