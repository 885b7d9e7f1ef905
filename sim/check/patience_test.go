// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

// away is a script on web-1 that was asked for at 1 minute and may give the machine up after ten: its session ended after
// 2 minutes, its verdict was seen at seen, or never for 0.
func away(seen time.Duration, ruling deploy.Ruling, more ...history.Event) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		r.Events, r.Over = nil, time.Hour
		r.End.Tasks[0].Plan.Steps[0].Actions = []deploy.Action{{Kind: deploy.ScriptAction, Properties: map[string]string{
			deploy.PropWhenLost: string(deploy.LostFails), deploy.PropLostMinutes: "10",
		}}}
		r.End.Tickets = []deploy.Ticket{{ID: ticketID(1), Task: taskID, Machine: machine(1), Attempt: 1, StateID: "s", Ruling: ruling}}
		r.End.Machines = []deploy.Machine{{ID: machine(1), Name: "web-1"}}
		if ruling == deploy.RulingLost {
			r.End.Tickets[0].Verdict = &contract.Verdict{Outcome: contract.Indeterminate}
		}
		insert(r, history.Event{At: time.Second, Kind: history.Entered, Who: "srv-1", Peer: machine(1)},
			history.Event{At: time.Minute, Kind: history.Asked, Text: "script op1"},
			history.Event{At: time.Minute, Kind: history.Answered, Text: "script op1", Task: taskID, Code: 200})
		if seen > 0 {
			insert(r, history.Event{At: seen, Kind: history.Seen, Task: taskID, Text: "Failed"})
		}
		insert(r, more...)
	}
}

func patienceTales() []tale {
	const m = time.Minute
	left := history.Event{At: 2 * m, Kind: history.Left, Who: "srv-1", Peer: machine(1)}
	crashed := history.Event{At: 2 * m, Kind: history.Crashed, Who: "srv-1", Text: "server"}
	return []tale{
		{"S22", "given up in time", away(12*m+time.Second, deploy.RulingLost, left), ""},
		{"S22", "given up after a server that died and was started anew", away(13*m, deploy.RulingLost, crashed), ""},
		{"S22", "given up too soon", away(11*m, deploy.RulingLost, left), "did so after 9m0s without it"},
		{"S22", "given up though it was there", away(13*m, deploy.RulingLost), "did so after 0s without it"},
		{"S22", "given up too late", away(18*m, deploy.RulingLost, left), "had not done so after 16m0s"},
		{"S22", "never given up", away(0, "", left), "had not done so after 58m0s"},
		{"S22", "it was back", away(0, "", left, history.Event{At: 11 * m, Kind: history.Entered, Who: "srv-1", Peer: machine(1)}), ""},
		{
			"S22", "it was back, too late", away(0, "", left, history.Event{At: 20 * m, Kind: history.Entered, Who: "srv-1", Peer: machine(1)}),
			"had not done so after 18m0s",
		},
		{"S22", "another server held it", away(11*m, "", left,
			history.Event{At: 90 * time.Second, Kind: history.Entered, Who: "srv-2", Peer: machine(1)}), ""},
	}
}

func TestPatience(t *testing.T) {
	for _, c := range patienceTales() {
		t.Run(c.id+" "+c.name, c.tell)
	}
}
