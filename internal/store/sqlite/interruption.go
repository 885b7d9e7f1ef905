// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

type slotBody struct {
	Step    int              `json:"step"`
	Action  int              `json:"action"`
	Machine deploy.MachineID `json:"machine,omitempty"`
	Attempt int              `json:"attempt,omitempty"`
}

type interruptionBody struct {
	Space           deploy.SpaceID          `json:"space"`
	Kind            deploy.InterruptionKind `json:"kind"`
	Slot            slotBody                `json:"slot"`
	Title           string                  `json:"title,omitempty"`
	Instructions    string                  `json:"instructions,omitempty"`
	Teams           []string                `json:"teams,omitempty"`
	CreatedAt       time.Time               `json:"created_at,omitzero"`
	ExpiresAt       time.Time               `json:"expires_at,omitzero"`
	Responsible     deploy.UserID           `json:"responsible,omitempty"`
	ResponsibleName string                  `json:"responsible_name,omitempty"`
	Choice          deploy.Choice           `json:"choice,omitempty"`
	Notes           string                  `json:"notes,omitempty"`
	AnsweredBy      string                  `json:"answered_by,omitempty"`
	AnsweredAt      time.Time               `json:"answered_at,omitzero"`
}

const selectInterruption = "SELECT id, task, body, sum FROM interruption"

func scanInterruption(row scanner) (i deploy.Interruption, err error) {
	var s sealed
	var b interruptionBody
	if err := row.Scan(&i.ID, &i.Task, &s.text, &s.sum); err != nil {
		return i, err
	}
	err = s.open("interruption "+string(i.ID), &b)
	return deploy.Interruption{
		ID: i.ID, Space: b.Space, Task: i.Task, Kind: b.Kind, Slot: deploy.Slot(b.Slot), Title: b.Title,
		Instructions: b.Instructions, Teams: b.Teams, CreatedAt: b.CreatedAt, ExpiresAt: b.ExpiresAt,
		Responsible: b.Responsible, ResponsibleName: b.ResponsibleName, Choice: b.Choice, Notes: b.Notes,
		AnsweredBy: b.AnsweredBy, AnsweredAt: b.AnsweredAt,
	}, err
}

func (r *reader) Interruption(id deploy.InterruptionID) (deploy.Interruption, error) {
	return one(r, "interruption "+string(id), scanInterruption, selectInterruption+" WHERE id = ?", id)
}

func (r *reader) Interruptions(f store.InterruptionFilter) ([]deploy.Interruption, error) {
	w := where{}
	w.add(f.Space != "", "json_extract(body, '$.space') = ?", f.Space)
	w.add(f.Task != "", "task = ?", f.Task)
	clause := w.clause()
	if f.IsPending && f.Task != "" {
		clause += " AND pending = 1"
	} else if f.IsPending {
		clause = " WHERE pending = 1"
	}
	return list(r, "list interruptions", scanInterruption,
		selectInterruption+clause+" ORDER BY number DESC, id DESC", w.args...)
}

func (w *writer) PutInterruption(i deploy.Interruption) error {
	body, sum, err := seal(interruptionBody{
		Space: i.Space, Kind: i.Kind, Slot: slotBody(i.Slot), Title: i.Title, Instructions: i.Instructions, Teams: i.Teams,
		CreatedAt: clean(i.CreatedAt), ExpiresAt: clean(i.ExpiresAt), Responsible: i.Responsible,
		ResponsibleName: i.ResponsibleName, Choice: i.Choice, Notes: i.Notes, AnsweredBy: i.AnsweredBy,
		AnsweredAt: clean(i.AnsweredAt),
	})
	if err != nil {
		return err
	}
	pending := 0
	if i.IsPending() {
		pending = 1
	}
	_, err = w.exec("write interruption "+string(i.ID),
		"INSERT INTO interruption (id, task, pending, number, body, sum) VALUES (?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (id) DO UPDATE SET task = excluded.task, pending = excluded.pending, "+
			"body = excluded.body, sum = excluded.sum",
		i.ID, i.Task, pending, store.IDNumber(string(i.ID)), body, sum)
	return err
}

type outputsBody struct {
	Slot   slotBody          `json:"slot"`
	Values []outputValueBody `json:"values,omitempty"`
}

type outputValueBody struct {
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	Sealed string `json:"sealed,omitempty"`
}

func scanOutputs(row scanner) (o deploy.Outputs, err error) {
	var s sealed
	var b outputsBody
	if err := row.Scan(&o.Ticket, &o.Task, &s.text, &s.sum); err != nil {
		return o, err
	}
	err = s.open("outputs of "+string(o.Ticket), &b)
	return deploy.Outputs{
		Ticket: o.Ticket, Task: o.Task, Slot: deploy.Slot(b.Slot),
		Values: each(b.Values, func(v outputValueBody) deploy.OutputValue { return deploy.OutputValue(v) }),
	}, err
}

func (r *reader) Outputs(task deploy.TaskID, of ...contract.TicketID) ([]deploy.Outputs, error) {
	if len(of) > 0 {
		wanted, err := jsonList(of)
		if err != nil {
			return nil, errkind.Invalid.Errorf("list outputs of %d tickets: %w", len(of), err)
		}
		return list(r, "list outputs of tickets", scanOutputs,
			"SELECT ticket, task, body, sum FROM output WHERE ticket IN (SELECT value FROM json_each(?)) AND +task = ?"+
				" ORDER BY ticket", wanted, task)
	}
	return list(r, "list outputs", scanOutputs,
		"SELECT ticket, task, body, sum FROM output WHERE task = ? ORDER BY ticket", task)
}

func (w *writer) PutOutputs(o deploy.Outputs) error {
	body, sum, err := seal(outputsBody{
		Slot:   slotBody(o.Slot),
		Values: each(o.Values, func(v deploy.OutputValue) outputValueBody { return outputValueBody(v) }),
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write outputs of "+string(o.Ticket),
		"INSERT INTO output (ticket, task, body, sum) VALUES (?, ?, ?, ?) ON CONFLICT (ticket) DO UPDATE SET "+
			"task = excluded.task, body = excluded.body, sum = excluded.sum", o.Ticket, o.Task, body, sum)
	return err
}
