// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fairlead/internal/deploy"
)

type librarySetBody struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Variables   variableSetBody `json:"variables"`
	Kept        deploy.Kept     `json:"kept,omitempty"`
}

const selectLibrarySet = "SELECT id, space, body, sum FROM library_set"

func scanLibrarySet(row scanner) (l deploy.LibrarySet, err error) {
	var s sealed
	var body librarySetBody
	if err := row.Scan(&l.ID, &l.Space, &s.text, &s.sum); err != nil {
		return l, err
	}
	err = s.open("library set "+string(l.ID), &body)
	set := body.Variables.variables(deploy.OwnerID(l.ID))
	l.Name, l.Description, l.Kept = body.Name, body.Description, body.Kept
	l.Version, l.Variables = set.Version, set.Variables
	return l, err
}

func (r *reader) LibrarySet(id deploy.LibrarySetID) (deploy.LibrarySet, error) {
	return one(r, "library set "+string(id), scanLibrarySet, selectLibrarySet+" WHERE id = ?", id)
}

func (r *reader) LibrarySets(space deploy.SpaceID) ([]deploy.LibrarySet, error) {
	return list(r, "list library sets", scanLibrarySet, selectLibrarySet+" WHERE space = ? ORDER BY folded", space)
}

func (w *writer) PutLibrarySet(l deploy.LibrarySet) error {
	err := w.free("a library set named "+l.Name,
		"SELECT id FROM library_set WHERE space = ? AND folded = ? AND id <> ?", l.Space, fold(l.Name), l.ID)
	if err != nil {
		return err
	}
	body, sum, err := seal(librarySetBody{
		Name: l.Name, Description: l.Description, Variables: bodyOfVariables(l.Set()), Kept: l.Kept,
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write library set "+string(l.ID),
		"INSERT INTO library_set (id, space, folded, body, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "+
			"SET space = excluded.space, folded = excluded.folded, body = excluded.body, sum = excluded.sum",
		l.ID, l.Space, fold(l.Name), body, sum)
	return err
}

func (w *writer) DeleteLibrarySet(id deploy.LibrarySetID) error {
	what := "library set " + string(id)
	return w.change("delete "+what, what, "DELETE FROM library_set WHERE id = ?", id)
}
