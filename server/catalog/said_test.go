// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

// TestSaid: the last word on a machine's part in a step counts, and a plain success needs none.
func TestSaid(t *testing.T) {
	ticket := func(action, attempt int, o contract.Outcome) deploy.Ticket {
		return deploy.Ticket{
			Action: action, Attempt: attempt, Machine: "Machines-1", Verdict: &contract.Verdict{Outcome: o, Reason: clauses[o]},
		}
	}
	late := ticket(0, 1, contract.Indeterminate)
	late.Late = &contract.Verdict{Outcome: contract.Succeeded}
	for name, c := range map[string]struct {
		tickets []deploy.Ticket
		want    string
	}{
		"nothing yet":       {[]deploy.Ticket{{Machine: "Machines-1", Attempt: 1}}, ""},
		"success":           {[]deploy.Ticket{ticket(0, 1, contract.Succeeded)}, ""},
		"begun again":       {[]deploy.Ticket{ticket(0, 1, contract.NotStarted), ticket(0, 2, contract.Succeeded)}, ""},
		"the second action": {[]deploy.Ticket{ticket(0, 1, contract.Succeeded), ticket(1, 1, contract.Failed)}, "Failed: exit code 3."},
		"another step":      {[]deploy.Ticket{{Step: 1, Machine: "Machines-1", Verdict: late.Verdict}}, ""},
		"late": {
			[]deploy.Ticket{late}, "Nobody can tell whether it ran to its end: the machine is lost. The machine said later: Succeeded.",
		},
	} {
		if got := (catalog.TaskDetail{Tickets: c.tickets}).Said(0, "Machines-1"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

var clauses = map[contract.Outcome]string{
	contract.Failed: "exit code 3", contract.NotStarted: "no space", contract.Indeterminate: "the machine is lost",
}
