// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

// TestCheckSeesEachBreach: a run that breaks a promise is told from one that does not.
func TestCheckSeesEachBreach(t *testing.T) {
	ticket := func(outcome contract.Outcome) deploy.Ticket {
		return deploy.Ticket{ID: "t-1", Task: "ServerTasks-1", Verdict: &contract.Verdict{Outcome: outcome}}
	}
	for name, test := range map[string]struct {
		ticket deploy.Ticket
		state  deploy.TaskState
		did    effects
		acked  string
		says   string // "" when nothing is wrong
	}{
		"fine":                  {ticket(contract.Succeeded), deploy.TaskSuccess, effects{1, 1}, "ServerTasks-1", ""},
		"in doubt":              {ticket(contract.Indeterminate), deploy.TaskFailed, effects{1, 0}, "ServerTasks-1", ""},
		"lost":                  {ticket(contract.Succeeded), deploy.TaskSuccess, effects{1, 1}, "ServerTasks-2", "is lost"},
		"twice":                 {ticket(contract.Failed), deploy.TaskFailed, effects{2, 2}, "ServerTasks-1", "started 2 times"},
		"false success":         {ticket(contract.Succeeded), deploy.TaskSuccess, effects{1, 0}, "ServerTasks-1", "succeeded, and"},
		"not started, and ran":  {ticket(contract.NotStarted), deploy.TaskFailed, effects{1, 1}, "ServerTasks-1", "and its script ran"},
		"task rounds doubt up":  {ticket(contract.Indeterminate), deploy.TaskSuccess, effects{1, 1}, "ServerTasks-1", "is a success"},
		"verdict never came in": {deploy.Ticket{ID: "t-1", Task: "ServerTasks-1"}, deploy.TaskFailed, effects{}, "ServerTasks-1", "no verdict"},
	} {
		t.Run(name, func(t *testing.T) {
			e := evidence{
				acked: []string{test.acked}, tickets: []deploy.Ticket{test.ticket},
				tasks:   map[string]deploy.Task{"ServerTasks-1": {ID: "ServerTasks-1", State: test.state}},
				effects: map[contract.TicketID]effects{"t-1": test.did},
			}
			got := strings.Join(e.check(), "; ")
			if test.says == "" && got != "" || !strings.Contains(got, test.says) {
				t.Errorf("found %q, want %q", got, test.says)
			}
		})
	}
}
