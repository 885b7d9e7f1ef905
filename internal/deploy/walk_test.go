// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

func drawPlan(t *rapid.T) deploy.Plan {
	plan := deploy.Plan{}
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		step := deploy.PlannedStep{
			Number: i + 1, Name: fmt.Sprint("s", i), Window: rapid.IntRange(1, 3).Draw(t, "window"),
			Condition: rapid.SampledFrom([]deploy.Condition{deploy.OnSuccess, deploy.OnFailure, deploy.Always}).Draw(t, "condition"),
		}
		for m := range rapid.IntRange(1, 4).Draw(t, "machines") {
			step.Machines = append(step.Machines, deploy.MachineID(fmt.Sprint("Machines-", m)))
		}
		for range rapid.IntRange(1, 3).Draw(t, "actions") {
			step.Actions = append(step.Actions, deploy.Action{})
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan
}

// TestWalkCarriesAnyPlanToItsEnd lets tickets end in any order and any way, with a cancel at any
// moment, and checks the rules of Walk on the way.
func TestWalkCarriesAnyPlanToItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := drawPlan(t)
		var tickets []deploy.Ticket
		opened := map[deploy.Slot]bool{}
		canceled := false
		for range 1000 {
			p := deploy.Walk(plan, deploy.Record{Tickets: tickets, Canceled: canceled})
			if canceled && len(p.Open) > 0 {
				t.Fatalf("opens %v after the cancel", p.Open)
			}
			for _, slot := range p.Open {
				if opened[slot] {
					t.Fatalf("opens %v twice", slot)
				}
				opened[slot] = true
				tickets = append(tickets, deploy.Ticket{Step: slot.Step, Action: slot.Action, Machine: slot.Machine, Attempt: slot.Attempt})
			}
			checkWalk(t, plan, tickets)
			if p.Done {
				checkEnd(t, p, tickets, canceled)
				return
			}
			endOne(t, tickets)
			canceled = canceled || rapid.IntRange(0, 9).Draw(t, "cancel") == 0
		}
		t.Fatal("the plan never ended")
	})
}

func endOne(t *rapid.T, tickets []deploy.Ticket) {
	var open []int
	for i := range tickets {
		if tickets[i].Verdict == nil {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		t.Fatal("nothing runs, nothing was opened, and the plan is not done")
	}
	outcome := rapid.SampledFrom([]contract.Outcome{
		contract.Succeeded, contract.Succeeded, contract.Succeeded, contract.Failed, contract.Indeterminate, contract.Canceled,
		contract.NotStarted,
	}).Draw(t, "outcome")
	tickets[rapid.SampledFrom(open).Draw(t, "ticket")].Verdict = &contract.Verdict{Outcome: outcome}
}

func checkWalk(t *rapid.T, plan deploy.Plan, tickets []deploy.Ticket) {
	running := map[int]map[deploy.MachineID]int{}
	for _, ticket := range tickets {
		if ticket.Verdict == nil {
			if running[ticket.Step] == nil {
				running[ticket.Step] = map[deploy.MachineID]int{}
			}
			running[ticket.Step][ticket.Machine]++
		}
	}
	if len(running) > 1 {
		t.Fatalf("%d steps run at once", len(running))
	}
	for step, machines := range running {
		if len(machines) > plan.Steps[step].Window {
			t.Fatalf("%d machines at once in a window of %d", len(machines), plan.Steps[step].Window)
		}
		for m, n := range machines {
			if n > 1 {
				t.Fatalf("%d actions at once on %s", n, m)
			}
		}
	}
}

func checkEnd(t *rapid.T, p deploy.Progress, tickets []deploy.Ticket, canceled bool) {
	bad := slices.ContainsFunc(tickets, func(k deploy.Ticket) bool {
		isRepeated := slices.ContainsFunc(tickets, func(other deploy.Ticket) bool {
			return other.Step == k.Step && other.Action == k.Action && other.Machine == k.Machine && other.Attempt > k.Attempt
		})
		return k.Verdict.Outcome != contract.Succeeded && !isRepeated
	})
	if slices.ContainsFunc(tickets, func(k deploy.Ticket) bool { return k.Attempt > deploy.MaxAttempts }) {
		t.Fatal("more attempts than there may be")
	}
	switch p.State {
	case deploy.TaskSuccess:
		if bad {
			t.Fatal("success in spite of a ticket that did not succeed")
		}
	case deploy.TaskFailed:
		if !bad {
			t.Fatalf("failed (%s) though every ticket succeeded", p.Reason)
		}
	case deploy.TaskCanceled:
		if !canceled {
			t.Fatal("canceled though nobody asked")
		}
	default:
		t.Fatalf("ended as %q", p.State)
	}
}
