// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/netem"
	"fairlead/sim/check"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

const ward = `
name = "ward"
safety = "20m"
settle = "15m"

[[net]]
name = "internet"
[[net]]
name = "ward"
prefix = "192.168.7.0/24"
[[edge]]
from = "ward"
to = "internet"
boxes = ["nat-ward"]
[[box]]
name = "nat-ward"
kind = "nat"
public = "203.0.113.7"
idle = "240s"
[[server]]
name = "srv-1"
[[agents]]
name = "web"
count = 3
on = "ward"
[[op]]
at = "1m"
do = "script"
`

// parse reads a plan that a test holds.
func parse(t *testing.T, text string) plan.Plan {
	t.Helper()
	p, err := plan.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// calm is a run in which one script runs on three machines and nothing goes wrong: tickets t-1 to
// t-3 of ServerTasks-1 say two lines each.
func calm(t *testing.T) history.Run {
	t.Helper()
	r := history.Run{Plan: parse(t, ward), Healed: 20 * time.Minute, Over: 35 * time.Minute}
	task := deploy.Task{ID: taskID, Kind: deploy.ScriptTask, State: deploy.TaskSuccess, Plan: deploy.Plan{
		Steps: []deploy.PlannedStep{{Number: 1, Actions: []deploy.Action{{Kind: deploy.ScriptAction}}}},
	}}
	add := func(at time.Duration, e history.Event) { e.At = at; r.Events = append(r.Events, e) }
	add(0, history.Event{Kind: history.Launched, Who: "srv-1", Text: "server", N: 1})
	var log strings.Builder
	say := func(node, category, text string) {
		fmt.Fprintf(&log, "2026-11-23T09:01:00Z  %-9s %-16s %s\n", category, node, text)
	}
	say("1", "Info", "Step 1: Run on 3 machines")
	for n := range 3 {
		name, id := fmt.Sprintf("web-%d", n+1), deploy.MachineID(fmt.Sprintf("Machines-%d", n+1))
		add(time.Second, history.Event{Kind: history.LineUp, Who: name})
		add(time.Second, history.Event{Kind: history.Entered, Who: "srv-1", Peer: id})
		r.End.Machines = append(r.End.Machines, deploy.Machine{ID: id, Name: name})
		r.End.Online = append(r.End.Online, name)
		task.Plan.Steps[0].Machines = append(task.Plan.Steps[0].Machines, id)
		r.End.Tickets = append(r.End.Tickets, deploy.Ticket{
			ID: ticketID(n + 1), Task: taskID, Machine: id, Attempt: 1, State: deploy.TicketForgotten,
			Verdict: &contract.Verdict{Outcome: contract.Succeeded},
		})
		for line := range 2 {
			say("1/"+string(id), "Info", mark(n+1, line+1))
		}
		say("1/"+string(id), "Verbose", "Succeeded.")
	}
	r.End.Tasks = []deploy.Task{task}
	r.End.Logs = map[deploy.TaskID]string{taskID: log.String()}
	r.End.Agents = map[string]history.Agent{"web-1": {Connected: true}, "web-2": {Connected: true}, "web-3": {Connected: true}}
	add(time.Minute, history.Event{Kind: history.Asked, Who: "desk", Text: "script op1"})
	add(time.Minute, history.Event{Kind: history.Answered, Who: "desk", Text: "script op1", Task: taskID, Code: 200})
	add(61*time.Second, history.Event{Kind: history.Seen, Who: "desk", Task: taskID, Text: "Executing"})
	for n := range 3 {
		execute(&r, n+1, 62*time.Second+time.Duration(n)*time.Millisecond, 2*time.Second)
	}
	add(70*time.Second, history.Event{Kind: history.Seen, Who: "desk", Task: taskID, Text: "Success"})
	return r
}

const taskID deploy.TaskID = "ServerTasks-1"

func ticketID(n int) contract.TicketID { return contract.TicketID(fmt.Sprintf("t-%d", n)) }

func mark(machine, line int) string { return fmt.Sprintf("op1-web-%d-%d", machine, line) }

// execute adds the life of the script of ticket t-n on machine web-n.
func execute(r *history.Run, n int, from, lasts time.Duration) {
	e := history.Event{Who: fmt.Sprintf("web-%d", n), Ticket: ticketID(n), Task: taskID, N: 1000 + n}
	put := func(at time.Duration, kind history.Kind, text string) {
		e.At, e.Kind, e.Text = at, kind, text
		insert(r, e)
	}
	put(from, history.Started, "full")
	put(from+lasts/4, history.Said, mark(n, 1))
	put(from+lasts/2, history.Said, mark(n, 2))
	put(from+lasts, history.Finished, "")
}

// insert adds events in the order of their times.
func insert(r *history.Run, events ...history.Event) {
	r.Events = append(r.Events, events...)
	slices.SortStableFunc(r.Events, func(a, b history.Event) int { return int(a.At - b.At) })
}

// drop takes events away.
func drop(r *history.Run, gone func(history.Event) bool) {
	r.Events = slices.DeleteFunc(r.Events, gone)
}

// alter changes the one event that fits.
func alter(t *testing.T, r *history.Run, fits func(history.Event) bool, change func(*history.Event)) {
	t.Helper()
	i := slices.IndexFunc(r.Events, fits)
	if i < 0 {
		t.Fatal("no event fits")
	}
	change(&r.Events[i])
}

// judge asks one statement.
func judge(t *testing.T, id string, r history.Run) []check.Violation {
	t.Helper()
	for _, s := range check.All() {
		if s.ID == id {
			return check.Judge(r, []check.Statement{s})
		}
	}
	t.Fatalf("there is no statement %s", id)
	return nil
}

// The statements that tests other than tales ask; the security catalogue has cases of the same names.
const (
	outputID     = "S7"
	contentID    = "S10"
	comingBackID = "L1"
	completionID = "L2"
	detectionID  = "L3"
)

// tale is a change of the calm run and what a statement says to it; "" when it holds.
type tale struct {
	id, name string
	change   func(*testing.T, *history.Run)
	want     string
}

func (c tale) tell(t *testing.T) {
	r := calm(t)
	c.change(t, &r)
	bad := judge(t, c.id, r)
	switch {
	case c.want == "" && len(bad) > 0:
		t.Errorf("got %v, want it to hold", bad)
	case c.want != "" && (len(bad) == 0 || !strings.Contains(bad[0].String(), c.want)):
		t.Errorf("got %v, want %q", bad, c.want)
	}
}

func TestCalmRunHolds(t *testing.T) {
	if bad := check.Judge(calm(t), check.All()); len(bad) > 0 {
		t.Errorf("got %v", bad)
	}
}

// TestStatementsAreTold sees to it that each statement is judged by a tale in which it does not hold,
// and by one in which something happens and it holds.
func TestStatementsAreTold(t *testing.T) {
	held, failed := map[string]bool{}, map[string]bool{}
	for _, c := range slices.Concat(safetyTales(), livenessTales(), deploymentTales(), patienceTales()) {
		held[c.id] = held[c.id] || c.want == ""
		failed[c.id] = failed[c.id] || c.want != ""
	}
	for _, s := range check.All() {
		if !held[s.ID] || !failed[s.ID] || s.Says == "" {
			t.Errorf("%s %q: a tale that holds %v, one that does not %v", s.ID, s.Says, held[s.ID], failed[s.ID])
		}
	}
}

func TestViolationsComeByTime(t *testing.T) {
	r := calm(t)
	r.End.Leaks = netem.Leaks{Conns: 1}
	execute(&r, 1, 5*time.Minute, time.Second)
	bad := check.Judge(r, check.All())
	if len(bad) < 2 || !strings.Contains(bad[0].What, "started again") || bad[len(bad)-1].At != r.Over {
		t.Errorf("got %v", bad)
	}
	if again := check.Judge(r, check.All()); !slices.Equal(bad, again) {
		t.Errorf("judged again: %v", again)
	}
}
