// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"strings"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

// onTwo is a step on two machines.
func onTwo(condition deploy.Condition) deploy.PlannedStep {
	return deploy.PlannedStep{
		Number: 1, Name: "s", Window: 2, Condition: condition, Machines: []deploy.MachineID{"Machines-1", "Machines-2"},
		Actions: []deploy.Action{{Kind: deploy.ScriptAction}},
	}
}

func endedAs(machine deploy.MachineID, outcome contract.Outcome) deploy.Ticket {
	return deploy.Ticket{Machine: machine, Attempt: 1, Verdict: &contract.Verdict{Outcome: outcome, Reason: "told to end"}}
}

func asked(machine deploy.MachineID, choice deploy.Choice) deploy.Interruption {
	return deploy.Interruption{
		Kind: deploy.FailureInterruption, Slot: deploy.Slot{Machine: machine, Attempt: 1}, Choice: choice,
	}
}

// TestAConditionHidesNoLostMachine: that it does not hold on one machine is not why the step did nothing, when the
// others failed and were excluded.
func TestAConditionHidesNoLostMachine(t *testing.T) {
	p := deploy.Walk(deploy.Plan{IsGuided: true, Steps: []deploy.PlannedStep{onTwo(deploy.OnExpression)}}, deploy.Record{
		Decisions:     []deploy.Decision{{Machine: "Machines-1", Runs: true}, {Machine: "Machines-2"}},
		Tickets:       []deploy.Ticket{endedAs("Machines-1", contract.Failed)},
		Interruptions: []deploy.Interruption{asked("Machines-1", deploy.ChoiceExclude)},
	})
	if !p.Done || p.State != deploy.TaskFailed || !strings.Contains(p.Reason, "lost all its machines") {
		t.Errorf("it ends as %s (%s), want a failure: the one machine it ran on was excluded", p.State, p.Reason)
	}
}

// TestACancelWaitsForWhatAnAnswerLetBegin: Ignore made good that a machine cut a script short, and its next action runs.
func TestACancelWaitsForWhatAnAnswerLetBegin(t *testing.T) {
	step := onTwo(deploy.OnSuccess)
	step.Machines, step.Actions = step.Machines[:1], []deploy.Action{{Name: "a"}, {Name: "b"}}
	p := deploy.Walk(deploy.Plan{IsGuided: true, Steps: []deploy.PlannedStep{step}}, deploy.Record{
		Canceled:      true,
		Tickets:       []deploy.Ticket{endedAs("Machines-1", contract.Canceled), {Action: 1, Machine: "Machines-1", Attempt: 1}},
		Interruptions: []deploy.Interruption{asked("Machines-1", deploy.ChoiceIgnore)},
	})
	if p.Done {
		t.Errorf("it ends as %s (%s) while its second action runs", p.State, p.Reason)
	}
}

// TestTheCauseIsOfTheFirstFailure: a step that lost all its machines has no ticket to show, and not a later step's.
func TestTheCauseIsOfTheFirstFailure(t *testing.T) {
	first, later := onTwo(deploy.OnSuccess), onTwo(deploy.Always)
	first.Machines, first.Number, later.Number = first.Machines[:1], 1, 2
	later.Machines = later.Machines[1:]
	lost := endedAs("Machines-1", contract.Failed)
	first.Actions = []deploy.Action{{Name: "a", Properties: map[string]string{deploy.PropWhenLost: string(deploy.LostGoOn)}}}
	lost.Ruling = deploy.RulingLost
	failed := endedAs("Machines-2", contract.Failed)
	failed.Step = 1
	p := deploy.Walk(deploy.Plan{Steps: []deploy.PlannedStep{first, later}}, deploy.Record{Tickets: []deploy.Ticket{lost, failed}})
	if p.State != deploy.TaskFailed || !strings.Contains(p.Reason, "lost all its machines") || p.Cause != nil {
		t.Errorf("it ends as %s (%s) because of %+v, want step 1 and no ticket", p.State, p.Reason, p.Cause)
	}
}

// TestAScriptThatWasCutShortIsAFailure unless the task was canceled: a machine that shuts down cancels its scripts too.
func TestAScriptThatWasCutShortIsAFailure(t *testing.T) {
	plan := deploy.Plan{Steps: []deploy.PlannedStep{onTwo(deploy.OnSuccess)}}
	record := deploy.Record{Tickets: []deploy.Ticket{
		endedAs("Machines-1", contract.Canceled), endedAs("Machines-2", contract.Succeeded),
	}}
	p := deploy.Walk(plan, record)
	if p.State != deploy.TaskFailed || p.Cause == nil || p.Cause.Machine != "Machines-1" {
		t.Errorf("it ends as %s (%s) because of %+v, want a failure because of Machines-1", p.State, p.Reason, p.Cause)
	}
	plan.IsGuided = true
	if p = deploy.Walk(plan, record); p.Done || len(p.Ask) != 1 || p.Ask[0].Machine != "Machines-1" {
		t.Errorf("a guided plan asks %v, want a question about Machines-1", p.Ask)
	}
	record.Canceled = true
	if p = deploy.Walk(plan, record); p.State != deploy.TaskCanceled {
		t.Errorf("a canceled task ends as %s (%s)", p.State, p.Reason)
	}
}

// TestACancelAnswersTheQuestion what to do about a failure: the task is canceled, as it is at a manual step.
func TestACancelAnswersTheQuestion(t *testing.T) {
	plan := deploy.Plan{IsGuided: true, Steps: []deploy.PlannedStep{onTwo(deploy.OnSuccess)}}
	p := deploy.Walk(plan, deploy.Record{
		Canceled:      true,
		Tickets:       []deploy.Ticket{endedAs("Machines-1", contract.Failed), endedAs("Machines-2", contract.Succeeded)},
		Interruptions: []deploy.Interruption{asked("Machines-1", "")},
	})
	if !p.Done || p.State != deploy.TaskCanceled {
		t.Errorf("it ends as %s (%s), want canceled", p.State, p.Reason)
	}
}
