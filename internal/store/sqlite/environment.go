// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

type environmentBody struct {
	Name             string `json:"name"`
	Slug             string `json:"slug,omitempty"`
	Description      string `json:"description,omitempty"`
	UseGuidedFailure bool   `json:"use_guided_failure,omitempty"`
	// NoDynamic is turned round, so that rows without it allow what was always allowed.
	NoDynamic bool        `json:"no_dynamic,omitempty"`
	Kept      deploy.Kept `json:"kept,omitempty"`
}

const selectEnvironment = "SELECT id, space, sort_order, body, sum FROM environment"

func scanEnvironment(row scanner) (e deploy.Environment, err error) {
	var s sealed
	var body environmentBody
	if err := row.Scan(&e.ID, &e.Space, &e.SortOrder, &s.text, &s.sum); err != nil {
		return e, err
	}
	if err := s.open("environment "+string(e.ID), &body); err != nil {
		return e, err
	}
	e.Name, e.Slug, e.Description, e.UseGuidedFailure = body.Name, body.Slug, body.Description, body.UseGuidedFailure
	e.AllowDynamic, e.Kept = !body.NoDynamic, body.Kept
	return e, nil
}

func (r *reader) Environment(id deploy.EnvironmentID) (deploy.Environment, error) {
	return one(r, "environment "+string(id), scanEnvironment, selectEnvironment+" WHERE id = ?", id)
}

func (r *reader) Environments(space deploy.SpaceID) ([]deploy.Environment, error) {
	return list(r, "list environments", scanEnvironment,
		selectEnvironment+" WHERE space = ? ORDER BY sort_order, folded, number, id", space)
}

func (w *writer) PutEnvironment(e deploy.Environment) error {
	err := w.free("an environment named "+e.Name,
		"SELECT id FROM environment WHERE space = ? AND folded = ? AND id <> ?", e.Space, fold(e.Name), e.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(environmentBody{
		Name: e.Name, Slug: e.Slug, Description: e.Description, UseGuidedFailure: e.UseGuidedFailure,
		NoDynamic: !e.AllowDynamic, Kept: e.Kept,
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write environment "+string(e.ID),
		"INSERT INTO environment (id, space, folded, sort_order, number, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (id) DO UPDATE SET space = excluded.space, folded = excluded.folded, "+
			"sort_order = excluded.sort_order, body = excluded.body, sum = excluded.sum",
		e.ID, e.Space, fold(e.Name), e.SortOrder, store.IDNumber(string(e.ID)), body, sum)
	return err
}

func (w *writer) DeleteEnvironment(id deploy.EnvironmentID) error {
	what := "environment " + string(id)
	return w.change("delete "+what, what, "DELETE FROM environment WHERE id = ?", id)
}
