// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// selectLoose is without the conditions on the space and the ids. A ticket whose machine is gone holds nothing: nobody
// is left who could be told to forget it.
const selectLoose = "SELECT t.id, t.kind, t.completed_at, " +
	"t.id IN (SELECT k.task FROM ticket k INDEXED BY ticket_state WHERE k.state IN ('open', 'finished') " +
	"AND EXISTS (SELECT 1 FROM machine m WHERE m.id = k.machine)) " +
	"OR t.id IN (SELECT i.task FROM interruption i WHERE i.pending = 1) FROM task t "

const whereLoose = "t.state IN ('Success', 'Failed', 'Canceled', 'TimedOut') " +
	"AND NOT EXISTS (SELECT 1 FROM deployment d WHERE d.task = t.id)"

func scanLoose(row scanner) (t deploy.LooseTask, err error) {
	var ended int64
	err = row.Scan(&t.ID, &t.Kind, &ended, &t.IsHeld)
	t.EndedAt = moment(ended)
	return t, err
}

func (r *reader) LooseTasks(space deploy.SpaceID, ids ...deploy.TaskID) ([]deploy.LooseTask, error) {
	if len(ids) == 0 {
		return list(r, "list tasks that have ended", scanLoose,
			selectLoose+"INDEXED BY task_ended WHERE t.space = ? AND "+whereLoose+
				" ORDER BY t.completed_at, t.number, t.id", space)
	}
	text, err := jsonList(ids)
	if err != nil {
		return nil, errkind.Invalid.Errorf("list tasks that have ended: %w", err)
	}
	return list(r, "look at tasks that have ended", scanLoose,
		selectLoose+"WHERE t.id IN (SELECT value FROM json_each(?)) AND +t.space = ? AND "+whereLoose+
			" ORDER BY t.completed_at, t.number, t.id", text, space)
}

func (r *reader) KnownTasks(ids []deploy.TaskID) ([]deploy.TaskID, error) {
	wanted, err := jsonList(ids)
	if err != nil {
		return nil, errkind.Invalid.Errorf("look for tasks: %w", err)
	}
	return list(r, "look for tasks", text[deploy.TaskID],
		"SELECT id FROM task WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", wanted)
}

func (w *writer) DeleteTask(id deploy.TaskID) (gone store.DeletedTask, err error) {
	what := "task " + string(id)
	at, err := one(&w.reader, what, func(row scanner) (c cell, err error) {
		return c, row.Scan(&c.space, &c.project, &c.environment)
	}, "SELECT space, project, environment FROM task WHERE id = ?", id)
	if err != nil {
		return gone, err
	}
	if at.project != "" {
		w.cells = append(w.cells, at)
	}
	for _, part := range []struct {
		rows  *int64
		query string
	}{
		{&gone.Artifacts, "DELETE FROM artifact WHERE task = ?"},
		{&gone.Outputs, "DELETE FROM output WHERE task = ?"},
		{&gone.Interruptions, "DELETE FROM interruption WHERE task = ?"},
		{&gone.Tickets, "DELETE FROM ticket WHERE task = ?"},
	} {
		result, err := w.exec("delete what hangs on "+what, part.query, id)
		if err != nil {
			return store.DeletedTask{}, err
		}
		if *part.rows, err = result.RowsAffected(); err != nil {
			return store.DeletedTask{}, fault("delete what hangs on "+what, err)
		}
	}
	return gone, w.change("delete "+what, what, "DELETE FROM task WHERE id = ?", id)
}
