// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import "fairlead/internal/deploy"

type spaceBody struct {
	Name        string `json:"name"`
	Slug        string `json:"slug"`
	Description string `json:"description,omitempty"`
	IsStopped   bool   `json:"stopped,omitempty"`
}

func spaces() named { return named{"space", "space"} }

func (r *reader) Spaces() ([]deploy.Space, error) {
	return list(r, "list spaces", func(row scanner) (deploy.Space, error) {
		var s sealed
		var id deploy.SpaceID
		var body spaceBody
		if err := row.Scan(&id, &s.text, &s.sum); err != nil {
			return deploy.Space{}, err
		}
		err := s.open("space "+string(id), &body)
		return deploy.Space{
			ID: id, Name: body.Name, Slug: body.Slug, Description: body.Description, IsStopped: body.IsStopped,
		}, err
	}, "SELECT id, body, sum FROM space ORDER BY folded")
}

func (w *writer) PutSpace(s deploy.Space) error {
	return spaces().put(w, string(s.ID), s.Name, spaceBody{
		Name: s.Name, Slug: s.Slug, Description: s.Description, IsStopped: s.IsStopped,
	})
}

func (w *writer) DeleteSpace(id deploy.SpaceID) error {
	if err := spaces().delete(w, string(id)); err != nil {
		return err
	}
	machines, err := list(&w.reader, "list the machines of a space", text[deploy.MachineID],
		"SELECT id FROM machine WHERE space = ?", id)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if err := w.DeleteMachine(m); err != nil { // its pin retires
			return err
		}
	}
	w.allCells = true
	for _, statement := range emptySpace() {
		if _, err := w.exec("delete what is in space "+string(id), statement, id); err != nil {
			return err
		}
	}
	return nil
}

// emptySpace deletes what is in a space; rows that hang on a project, a release or a task go with it.
func emptySpace() []string {
	statements := []string{
		"DELETE FROM artifact WHERE task IN (SELECT id FROM task WHERE space = ?)",
		"DELETE FROM output WHERE task IN (SELECT id FROM task WHERE space = ?)",
		"DELETE FROM interruption WHERE task IN (SELECT id FROM task WHERE space = ?)",
	}
	for _, table := range []string{
		"task", "deployment", "project", "project_group", "lifecycle", "environment", "package", "join_token",
		"library_set", "account", "machine_policy",
	} {
		statements = append(statements, "DELETE FROM "+table+" WHERE space = ?")
	}
	return statements
}
