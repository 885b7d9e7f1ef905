// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

func action(settings ...string) deploy.Action {
	a := deploy.Action{Name: "a", Properties: map[string]string{}}
	for i := 0; i < len(settings); i += 2 {
		a.Properties[settings[i]] = settings[i+1]
	}
	return a
}

func TestPolicy(t *testing.T) {
	unset := deploy.Policy{RestartLimit: 15 * time.Minute, WhenLost: deploy.LostWaits, LostAfter: 10 * time.Minute, RetryWait: -1}
	got, wrong := deploy.NewPolicy(action())
	if diff := cmp.Diff(unset, got); diff != "" || len(wrong) != 0 {
		t.Errorf("without settings: %s (-want +got):\n%s", wrong, diff)
	}
	got, wrong = deploy.NewPolicy(action(
		deploy.PropTimeoutMinutes, "2", deploy.PropRestarts, "True", deploy.PropRestartMinutes, "30", deploy.PropIdempotent, "true",
		deploy.PropWhenLost, "goon", deploy.PropLostMinutes, "5", deploy.PropRetrySeconds, "0"))
	want := deploy.Policy{
		TimeLimit: 2 * time.Minute, Restarts: true, RestartLimit: 30 * time.Minute, IsIdempotent: true,
		WhenLost: deploy.LostGoOn, LostAfter: 5 * time.Minute,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(wrong) != 0 {
		t.Errorf("with settings: %s (-want +got):\n%s", wrong, diff)
	}
	got, wrong = deploy.NewPolicy(action(
		deploy.PropTimeoutMinutes, "-1", deploy.PropRestarts, "yes", deploy.PropRestartMinutes, "0", deploy.PropIdempotent, "1",
		deploy.PropWhenLost, "Panic", deploy.PropLostMinutes, "10081", deploy.PropRetrySeconds, "3601"))
	if diff := cmp.Diff(unset, got); diff != "" {
		t.Errorf("with wrong settings (-want +got):\n%s", diff)
	}
	all := strings.Join(wrong, "\n")
	for _, word := range []string{
		`ExecutionTimeout.Minutes is "-1" minutes: want 0 to 10080`, `RestartsMachine is "yes": want True or False`,
		`RestartLimit.Minutes is "0" minutes: want 1`, `Idempotent is "1"`, `WhenLost is "Panic": want Wait, Fail or GoOn`,
		`LostAfter.Minutes is "10081"`, `MinimumBackoff is "3601" seconds: want 0 to 3600`, "RestartLimit.Minutes is set without",
	} {
		if !strings.Contains(all, word) {
			t.Errorf("nothing says %q:\n%s", word, all)
		}
	}
}

// TestWalkGoesOnWithoutALostMachine, in this step and in those that follow.
func TestWalkGoesOnWithoutALostMachine(t *testing.T) {
	step := func(n int) deploy.PlannedStep {
		return deploy.PlannedStep{
			Number: n, Name: fmt.Sprint("s", n), Window: 5, Machines: []deploy.MachineID{"A", "B"},
			Actions: []deploy.Action{action(deploy.PropWhenLost, "GoOn")},
		}
	}
	plan := deploy.Plan{Steps: []deploy.PlannedStep{step(1), step(2)}}
	ticket := func(step int, m deploy.MachineID, r deploy.Ruling) deploy.Ticket {
		v := contract.Verdict{Outcome: contract.Succeeded}
		if r != deploy.RulingNone {
			v.Outcome = contract.Indeterminate
		}
		return deploy.Ticket{Step: step, Machine: m, Attempt: 1, Verdict: &v, Ruling: r}
	}
	tickets := []deploy.Ticket{ticket(0, "A", deploy.RulingLost), ticket(0, "B", deploy.RulingNone)}
	p := deploy.Walk(plan, deploy.Record{Tickets: tickets})
	want := []deploy.Slot{{Step: 1, Machine: "B", Attempt: 1}}
	if diff := cmp.Diff(want, p.Open); diff != "" || p.Done || p.Steps[0].Activity != deploy.ActivitySuccess {
		t.Errorf("after the first step: %+v\n%s", p, diff)
	}
	p = deploy.Walk(plan, deploy.Record{Tickets: append(tickets, ticket(1, "B", deploy.RulingNone))})
	if !p.Done || p.State != deploy.TaskSuccess || p.Steps[1].Machines[0] != deploy.ActivitySkipped {
		t.Errorf("at the end: %+v", p)
	}
	p = deploy.Walk(plan, deploy.Record{Tickets: []deploy.Ticket{ticket(0, "A", deploy.RulingLost), ticket(0, "B", deploy.RulingLost)}})
	if !p.Done || p.State != deploy.TaskFailed || p.Reason != "step 1 (s1) lost all its machines" {
		t.Errorf("with all machines lost: %+v", p)
	}
	plan.Steps[0].Actions[0] = action(deploy.PropWhenLost, "Fail")
	p = deploy.Walk(plan, deploy.Record{Tickets: tickets})
	if !p.Done || p.State != deploy.TaskFailed || p.Cause == nil || p.Cause.Machine != "A" {
		t.Errorf("where a lost machine fails: %+v", p)
	}
}

// TestWalkBeginsAgain what may be repeated, unless somebody canceled.
func TestWalkBeginsAgain(t *testing.T) {
	plan := deploy.Plan{Steps: []deploy.PlannedStep{{
		Number: 1, Name: "s", Window: 1, Machines: []deploy.MachineID{"A"}, Actions: []deploy.Action{action()},
	}}}
	ticket := deploy.Ticket{Machine: "A", Attempt: 1, Verdict: &contract.Verdict{Outcome: contract.NotStarted}}
	p := deploy.Walk(plan, deploy.Record{Tickets: []deploy.Ticket{ticket}})
	if diff := cmp.Diff([]deploy.Slot{{Machine: "A", Attempt: 2}}, p.Open); diff != "" || p.Done {
		t.Errorf("%+v\n%s", p, diff)
	}
	if p := deploy.Walk(plan, deploy.Record{Tickets: []deploy.Ticket{ticket}, Canceled: true}); !p.Done || p.State != deploy.TaskCanceled {
		t.Errorf("canceled: %+v", p)
	}
	for _, ruling := range []deploy.Ruling{deploy.RulingFinal, deploy.RulingLost} {
		ticket.Ruling = ruling
		if p := deploy.Walk(plan, deploy.Record{Tickets: []deploy.Ticket{ticket}}); !p.Done || p.State != deploy.TaskFailed {
			t.Errorf("ruling %s: %+v", ruling, p)
		}
	}
}

func TestSentences(t *testing.T) {
	for want, v := range map[string]contract.Verdict{
		"Succeeded.": {Outcome: contract.Succeeded},
		"The script succeeded, but its log was cut.": {Outcome: contract.Succeeded, Reason: "its log was cut"},
		"Failed: exit code 3.":                       {Outcome: contract.Failed, Code: 3},
		"Failed: ended by signal: killed.":           {Outcome: contract.Failed, Code: -1, Reason: "ended by signal: killed"},
		"Canceled: canceled by erika.":               {Outcome: contract.Canceled, Reason: "canceled by erika"},
		"Timed out: it ran longer than 2m0s.":        {Outcome: contract.TimedOut, Reason: "it ran longer than 2m0s"},
		"Not started; nothing ran on the machine: no space.": {
			Outcome: contract.NotStarted, Reason: "no space",
		},
		"Nobody can tell whether it ran to its end: the shim died.": {
			Outcome: contract.Indeterminate, Reason: "the shim died",
		},
	} {
		if got := deploy.Sentence(v); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	late := deploy.Ticket{
		Attempt: 2, Verdict: &contract.Verdict{Outcome: contract.Indeterminate}, Late: &contract.Verdict{Outcome: contract.Succeeded},
	}
	want := "Attempt 2: Nobody can tell whether it ran to its end. The machine said later: Succeeded."
	if got := deploy.SentenceOf(late); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
