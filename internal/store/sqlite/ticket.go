// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

type ticketBody struct {
	StateID   string        `json:"state_id,omitempty"`
	EndedAt   time.Time     `json:"ended_at,omitzero"`
	Verdict   *verdictBody  `json:"verdict,omitempty"`
	Ruling    deploy.Ruling `json:"ruling,omitempty"`
	Late      *verdictBody  `json:"late,omitempty"`
	AwaySince time.Time     `json:"away_since,omitzero"`
}

type verdictBody struct {
	Outcome   contract.Outcome     `json:"outcome"`
	Code      int                  `json:"code"`
	Reason    string               `json:"reason,omitempty"`
	LogEnd    int64                `json:"log_end"`
	LogSHA256 string               `json:"log_sha256,omitempty"`
	Result    *contract.ResultInfo `json:"result,omitempty"`
}

const selectTicket = "SELECT id, task, step, action, machine, attempt, state, created_at, body, sum FROM ticket"

func scanTicket(row scanner) (deploy.Ticket, error) {
	var s sealed
	var body ticketBody
	var t deploy.Ticket
	var created int64
	err := row.Scan(&t.ID, &t.Task, &t.Step, &t.Action, &t.Machine, &t.Attempt, &t.State, &created, &s.text, &s.sum)
	if err != nil {
		return t, err
	}
	err = s.open("ticket "+string(t.ID), &body)
	return deploy.Ticket{
		ID: t.ID, Task: t.Task, Step: t.Step, Action: t.Action, Machine: t.Machine, Attempt: t.Attempt, State: t.State,
		StateID: body.StateID, CreatedAt: moment(created), EndedAt: body.EndedAt, Verdict: (*contract.Verdict)(body.Verdict),
		Ruling: body.Ruling, Late: (*contract.Verdict)(body.Late), AwaySince: body.AwaySince,
	}, err
}

func (r *reader) Ticket(id contract.TicketID) (deploy.Ticket, error) {
	return one(r, "ticket "+string(id), scanTicket, selectTicket+" WHERE id = ?", id)
}

func (r *reader) Tickets(task deploy.TaskID) ([]deploy.Ticket, error) {
	return list(r, "list tickets", scanTicket,
		selectTicket+" WHERE task = ? ORDER BY step, action, number, machine, attempt", task)
}

func (r *reader) OpenTickets(machine deploy.MachineID) ([]deploy.Ticket, error) {
	return list(r, "list open tickets", scanTicket,
		selectTicket+" WHERE machine = ? AND state <> 'forgotten' ORDER BY created_at, id", machine)
}

func (w *writer) PutTicket(t deploy.Ticket) error {
	taken, err := list(&w.reader, "look for the ticket", text[string],
		"SELECT id FROM ticket WHERE task = ? AND step = ? AND action = ? AND machine = ? AND attempt = ? AND id <> ?",
		t.Task, t.Step, t.Action, t.Machine, t.Attempt, t.ID)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return errkind.Conflict.Errorf("ticket %s is attempt %d of step %d, action %d of task %s on machine %s already",
			taken[0], t.Attempt, t.Step, t.Action, t.Task, t.Machine)
	}
	body, sum, err := seal(ticketBody{
		StateID: t.StateID, EndedAt: clean(t.EndedAt), Verdict: (*verdictBody)(t.Verdict),
		Ruling: t.Ruling, Late: (*verdictBody)(t.Late), AwaySince: clean(t.AwaySince),
	})
	if err != nil {
		return err
	}
	_, err = w.exec("write ticket "+string(t.ID),
		"INSERT INTO ticket (id, task, step, action, machine, attempt, state, created_at, number, body, sum) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET task = excluded.task, "+
			"step = excluded.step, action = excluded.action, machine = excluded.machine, attempt = excluded.attempt, "+
			"state = excluded.state, created_at = excluded.created_at, number = excluded.number, "+
			"body = excluded.body, sum = excluded.sum",
		t.ID, t.Task, t.Step, t.Action, t.Machine, t.Attempt, t.State, stamp(t.CreatedAt),
		store.IDNumber(string(t.Machine)), body, sum)
	return err
}
