// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

// TestCheck breaks each rule once; what is as it should be breaks none.
func TestCheck(t *testing.T) {
	began, whole := &effects{begun: 1}, &effects{begun: 1, ended: []string{"0"}}
	told := &output{lines: 1, verdicts: 1}
	for name, c := range map[string]struct {
		verdict *contract.Verdict
		did     *effects
		wrote   *output
		said    string
		want    []rule
	}{
		"success":         {verdict(contract.Succeeded), whole, told, "Success", nil},
		"failure":         {&contract.Verdict{Outcome: contract.Failed, Code: 3}, &effects{1, []string{"3"}}, told, "Failed", nil},
		"not started":     {verdict(contract.NotStarted), nil, nil, "Failed", nil},
		"nobody can tell": {verdict(contract.Indeterminate), began, told, "Failed", nil},
		"canceled":        {verdict(contract.Canceled), began, told, "Canceled", nil},
		"canceled before, and began": {
			&contract.Verdict{Outcome: contract.Canceled, Reason: "canceled by ada before it was started"},
			began, told, "Canceled",
			[]rule{startedAllTheSame},
		},
		"two beginnings":            {verdict(contract.Indeterminate), &effects{begun: 2}, told, "Failed", []rule{doubleStart}},
		"success of nothing":        {verdict(contract.Succeeded), nil, told, "Success", []rule{falseSuccess}},
		"success of a half":         {verdict(contract.Succeeded), began, told, "Success", []rule{falseSuccess}},
		"success of a failure":      {verdict(contract.Succeeded), &effects{1, []string{"3"}}, told, "Success", []rule{falseCode}},
		"not started, and began":    {verdict(contract.NotStarted), began, told, "Failed", []rule{startedAllTheSame}},
		"no verdict":                {nil, whole, told, "Pending", []rule{lostVerdict}},
		"two verdicts":              {verdict(contract.Succeeded), whole, &output{1, 2}, "Success", []rule{changedVerdict}},
		"another verdict at first":  {verdict(contract.Succeeded), whole, told, "Failed", []rule{changedVerdict}},
		"output is missing":         {verdict(contract.Succeeded), whole, &output{0, 1}, "Success", []rule{lostOutput}},
		"output came twice, failed": {verdict(contract.Indeterminate), began, &output{2, 1}, "Failed", []rule{lostOutput}},
	} {
		t.Run(name, func(t *testing.T) {
			e := evidence{
				tasks:   []deploy.Task{{ID: "ServerTasks-1", State: deploy.TaskSuccess}},
				tickets: []deploy.Ticket{{ID: "t-1", Task: "ServerTasks-1", Machine: "Machines-1", Attempt: 1, Verdict: c.verdict}},
				names:   map[deploy.MachineID]string{"Machines-1": "m-1"},
				said:    map[string]map[string]string{"ServerTasks-1": {"m-1": c.said}},
				effects: map[contract.TicketID]*effects{}, outputs: map[contract.TicketID]*output{}, wanted: 1,
			}
			if c.did != nil {
				e.effects["t-1"] = c.did
			}
			if c.wrote != nil {
				e.outputs["t-1"] = c.wrote
			}
			var got []rule
			for _, b := range e.check() {
				got = append(got, b.rule)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("rules broken: %q, want %q", got, c.want)
			}
		})
	}
}

// TestCheckBetweenTickets covers what no ticket shows by itself.
func TestCheckBetweenTickets(t *testing.T) {
	e := evidence{
		tasks: []deploy.Task{{ID: "ServerTasks-1", State: deploy.TaskSuccess}, {ID: "ServerTasks-2", State: deploy.TaskExecuting}},
		tickets: []deploy.Ticket{
			{ID: "t-1", Task: "ServerTasks-1", Machine: "Machines-1", Attempt: 1, Verdict: verdict(contract.NotStarted)},
			{ID: "t-2", Task: "ServerTasks-1", Machine: "Machines-1", Attempt: 2, Verdict: verdict(contract.Indeterminate)},
			{ID: "t-3", Task: "ServerTasks-1", Machine: "Machines-1", Attempt: 3, Verdict: verdict(contract.Indeterminate)},
		},
		names:   map[deploy.MachineID]string{"Machines-1": "m-1"},
		effects: map[contract.TicketID]*effects{"t-9": {begun: 1}}, outputs: map[contract.TicketID]*output{}, wanted: 3,
	}
	var got []rule
	for _, b := range e.check() {
		got = append(got, b.rule)
	}
	if want := []rule{doubleStart, strangeTicket, lostVerdict, lostVerdict}; !slices.Equal(got, want) {
		t.Errorf("rules broken: %q, want %q", got, want)
	}
}

func verdict(o contract.Outcome) *contract.Verdict { return &contract.Verdict{Outcome: o} }
