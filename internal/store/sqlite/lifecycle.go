// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fairlead/internal/deploy"
)

type lifecycleBody struct {
	Name        string         `json:"name"`
	Slug        string         `json:"slug,omitempty"`
	Description string         `json:"description,omitempty"`
	Phases      []phaseBody    `json:"phases,omitempty"`
	Releases    *retentionBody `json:"releases,omitempty"`
	OnMachine   *retentionBody `json:"on_machine,omitempty"`
	// KeepOnMachine is how rows were written that knew a number of versions only. It is read, not written.
	KeepOnMachine int `json:"keep_on_machine,omitempty"`
}

type phaseBody struct {
	ID           string                 `json:"id"`
	Name         string                 `json:"name"`
	Environments []deploy.EnvironmentID `json:"environments,omitempty"`
	Automatic    []deploy.EnvironmentID `json:"automatic,omitempty"`
	Minimum      int                    `json:"minimum,omitempty"`
	IsOptional   bool                   `json:"is_optional,omitempty"`
	IsPriority   bool                   `json:"is_priority,omitempty"`
	Releases     *retentionBody         `json:"releases,omitempty"`
	OnMachine    *retentionBody         `json:"on_machine,omitempty"`
}

type retentionBody struct {
	Strategy deploy.RetentionStrategy `json:"strategy,omitempty"`
	Quantity int                      `json:"quantity,omitempty"`
	Unit     deploy.RetentionUnit     `json:"unit,omitempty"`
}

func bodyOfRetention(r deploy.Retention) *retentionBody {
	if r == (deploy.Retention{}) {
		return nil
	}
	body := retentionBody(r)
	return &body
}

func (b *retentionBody) retention() deploy.Retention {
	if b == nil {
		return deploy.Retention{}
	}
	return deploy.Retention(*b)
}

func (b lifecycleBody) fill(l *deploy.Lifecycle) {
	l.Name, l.Slug, l.Description = b.Name, b.Slug, b.Description
	l.Releases, l.OnMachine = b.Releases.retention(), b.OnMachine.retention()
	if b.OnMachine == nil && b.KeepOnMachine > 0 {
		l.OnMachine = deploy.Retention{Strategy: deploy.KeepCount, Quantity: b.KeepOnMachine, Unit: deploy.KeepItems}
	}
	l.Phases = each(b.Phases, func(p phaseBody) deploy.Phase {
		return deploy.Phase{
			ID: p.ID, Name: p.Name, Environments: p.Environments, Automatic: p.Automatic, Minimum: p.Minimum,
			IsOptional: p.IsOptional, IsPriority: p.IsPriority,
			Releases: p.Releases.retention(), OnMachine: p.OnMachine.retention(),
		}
	})
}

func (r *reader) Lifecycles(space deploy.SpaceID) ([]deploy.Lifecycle, error) {
	return list(r, "list lifecycles", func(row scanner) (l deploy.Lifecycle, err error) {
		var s sealed
		var body lifecycleBody
		if err := row.Scan(&l.ID, &l.Space, &s.text, &s.sum); err != nil {
			return l, err
		}
		err = s.open("lifecycle "+string(l.ID), &body)
		body.fill(&l)
		return l, err
	}, "SELECT id, space, body, sum FROM lifecycle WHERE space = ? ORDER BY folded", space)
}

func (w *writer) PutLifecycle(l deploy.Lifecycle) error {
	err := w.free("a lifecycle named "+l.Name,
		"SELECT id FROM lifecycle WHERE space = ? AND folded = ? AND id <> ?", l.Space, fold(l.Name), l.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(lifecycleBody{
		Name: l.Name, Slug: l.Slug, Description: l.Description,
		Releases: bodyOfRetention(l.Releases), OnMachine: bodyOfRetention(l.OnMachine),
		Phases: each(l.Phases, func(p deploy.Phase) phaseBody {
			return phaseBody{
				ID: p.ID, Name: p.Name, Environments: p.Environments, Automatic: p.Automatic, Minimum: p.Minimum,
				IsOptional: p.IsOptional, IsPriority: p.IsPriority,
				Releases: bodyOfRetention(p.Releases), OnMachine: bodyOfRetention(p.OnMachine),
			}
		}),
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write lifecycle "+string(l.ID),
		"INSERT INTO lifecycle (id, space, folded, body, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "+
			"SET space = excluded.space, folded = excluded.folded, body = excluded.body, sum = excluded.sum",
		l.ID, l.Space, fold(l.Name), body, sum)
	return err
}

func (w *writer) DeleteLifecycle(id deploy.LifecycleID) error {
	what := "lifecycle " + string(id)
	return w.change("delete "+what, what, "DELETE FROM lifecycle WHERE id = ?", id)
}
