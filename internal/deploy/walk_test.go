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
	plan := deploy.Plan{IsGuided: rapid.Bool().Draw(t, "guided")}
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		step := deploy.PlannedStep{
			Number: i + 1, Name: fmt.Sprint("s", i), Window: rapid.IntRange(1, 3).Draw(t, "window"),
			Condition: rapid.SampledFrom([]deploy.Condition{
				deploy.OnSuccess, deploy.OnFailure, deploy.Always, deploy.OnExpression,
			}).Draw(t, "condition"),
		}
		for m := range rapid.IntRange(1, 4).Draw(t, "machines") {
			step.Machines = append(step.Machines, deploy.MachineID(fmt.Sprint("Machines-", m)))
		}
		for range rapid.IntRange(1, 3).Draw(t, "actions") {
			step.Actions = append(step.Actions, deploy.Action{})
		}
		step.WithPrevious = i > 0 && rapid.Bool().Draw(t, "with previous")
		if rapid.IntRange(0, 3).Draw(t, "manual") == 0 {
			step.Machines, step.Actions = nil, []deploy.Action{{Kind: deploy.ManualAction}}
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan
}

// course is what happens to a plan in a test.
type course struct {
	plan      deploy.Plan
	record    deploy.Record
	opened    map[deploy.Slot]bool
	questions map[deploy.Slot]bool
	decisions map[deploy.Slot]bool
}

// TestWalkCarriesAnyPlanToItsEnd lets tickets end in any order and any way, people answer and conditions
// hold as they like, with a cancel at any moment, and checks the rules of Walk on the way.
func TestWalkCarriesAnyPlanToItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := course{
			plan: drawPlan(t), opened: map[deploy.Slot]bool{}, questions: map[deploy.Slot]bool{}, decisions: map[deploy.Slot]bool{},
		}
		for range 1000 {
			p := deploy.Walk(c.plan, c.record)
			if c.record.Canceled && len(p.Open)+len(p.Ask)+len(p.Decide) > 0 {
				t.Fatalf("opens %v, asks %v, decides %v after the cancel", p.Open, p.Ask, p.Decide)
			}
			c.follow(t, p)
			c.check(t)
			if p.Done {
				c.checkEnd(t, p)
				return
			}
			if len(p.Decide) == 0 {
				c.happen(t)
			}
			c.record.Canceled = c.record.Canceled || rapid.IntRange(0, 9).Draw(t, "cancel") == 0
		}
		t.Fatal("the plan never ended")
	})
}

// follow does what Walk says.
func (c *course) follow(t *rapid.T, p deploy.Progress) {
	once := func(what string, known map[deploy.Slot]bool, slots []deploy.Slot) {
		for _, slot := range slots {
			if known[slot] {
				t.Fatalf("%s %v twice", what, slot)
			}
			known[slot] = true
		}
	}
	once("opens", c.opened, p.Open)
	once("asks", c.questions, p.Ask)
	once("decides", c.decisions, p.Decide)
	for _, slot := range p.Open {
		c.record.Tickets = append(c.record.Tickets,
			deploy.Ticket{Step: slot.Step, Action: slot.Action, Machine: slot.Machine, Attempt: slot.Attempt})
	}
	for _, slot := range p.Ask {
		kind := deploy.FailureInterruption
		if c.plan.Steps[slot.Step].IsManual() {
			kind = deploy.ManualInterruption
		}
		c.record.Interruptions = append(c.record.Interruptions, deploy.Interruption{Slot: slot, Kind: kind})
	}
	for _, slot := range p.Decide {
		c.record.Decisions = append(c.record.Decisions,
			deploy.Decision{Step: slot.Step, Machine: slot.Machine, Runs: rapid.Bool().Draw(t, "runs")})
	}
}

// happen ends one ticket or answers one question.
func (c *course) happen(t *rapid.T) {
	var acts []func()
	for i := range c.record.Tickets {
		if c.record.Tickets[i].Verdict == nil {
			acts = append(acts, func() {
				c.record.Tickets[i].Verdict = &contract.Verdict{Outcome: rapid.SampledFrom([]contract.Outcome{
					contract.Succeeded, contract.Succeeded, contract.Succeeded, contract.Failed, contract.Indeterminate,
					contract.Canceled, contract.NotStarted,
				}).Draw(t, "outcome")}
			})
		}
	}
	for i := range c.record.Interruptions {
		if q := &c.record.Interruptions[i]; q.IsPending() && !c.record.Canceled {
			acts = append(acts, func() { q.Choice = rapid.SampledFrom(q.Choices()).Draw(t, "choice") })
		}
	}
	if len(acts) == 0 {
		t.Fatal("nothing runs, nothing is asked, and the plan is not done")
	}
	acts[rapid.IntRange(0, len(acts)-1).Draw(t, "act")]()
}

func (c *course) check(t *rapid.T) {
	running, groups := map[int]map[deploy.MachineID]int{}, map[int]bool{}
	for _, ticket := range c.record.Tickets {
		if ticket.Verdict == nil {
			if running[ticket.Step] == nil {
				running[ticket.Step] = map[deploy.MachineID]int{}
			}
			running[ticket.Step][ticket.Machine]++
			groups[c.plan.GroupStart(ticket.Step)] = true
		}
		if c.plan.Steps[ticket.Step].Condition == deploy.OnExpression && !slices.ContainsFunc(c.record.Decisions,
			func(d deploy.Decision) bool { return d.Step == ticket.Step && d.Machine == ticket.Machine && d.Runs }) {
			t.Fatalf("step %d runs on %s against its condition", ticket.Step, ticket.Machine)
		}
	}
	if len(groups) > 1 {
		t.Fatalf("steps of %d groups run at once", len(groups))
	}
	for step, machines := range running {
		if len(machines) > c.plan.Steps[step].Window {
			t.Fatalf("%d machines at once in a window of %d", len(machines), c.plan.Steps[step].Window)
		}
		for m, n := range machines {
			if n > 1 {
				t.Fatalf("%d actions at once on %s", n, m)
			}
		}
	}
}

// choice is what people answered about a ticket.
func (c *course) choice(k deploy.Ticket) deploy.Choice {
	slot := deploy.Slot{Step: k.Step, Action: k.Action, Machine: k.Machine, Attempt: k.Attempt}
	for _, q := range c.record.Interruptions {
		if q.Slot == slot {
			return q.Choice
		}
	}
	return ""
}

// isBad reports whether a ticket is a failure that nothing made good.
func (c *course) isBad(k deploy.Ticket) bool {
	isRepeated := slices.ContainsFunc(c.record.Tickets, func(other deploy.Ticket) bool {
		return other.Step == k.Step && other.Action == k.Action && other.Machine == k.Machine && other.Attempt > k.Attempt
	})
	forgiven := c.choice(k) == deploy.ChoiceIgnore || c.choice(k) == deploy.ChoiceExclude
	return k.Verdict.Outcome != contract.Succeeded && !isRepeated && !forgiven
}

func (c *course) checkEnd(t *rapid.T, p deploy.Progress) {
	for _, k := range c.record.Tickets {
		if k.Verdict == nil {
			t.Fatalf("done while %+v runs", k)
		}
		if k.Attempt > deploy.MaxAttempts && !c.plan.IsGuided {
			t.Fatal("more attempts than there may be")
		}
	}
	answered := func(choice deploy.Choice) bool {
		return slices.ContainsFunc(c.record.Interruptions, func(q deploy.Interruption) bool { return q.Choice == choice })
	}
	if !c.record.Canceled && answered("") {
		t.Fatal("done while a question is pending")
	}
	bad := slices.ContainsFunc(c.record.Tickets, c.isBad) || answered(deploy.ChoiceAbort)
	switch p.State {
	case deploy.TaskSuccess:
		if bad {
			t.Fatal("success in spite of a ticket that did not succeed")
		}
	case deploy.TaskFailed:
		if !bad && !answered(deploy.ChoiceExclude) {
			t.Fatalf("failed (%s) though every ticket succeeded", p.Reason)
		}
	case deploy.TaskCanceled:
		if !c.record.Canceled {
			t.Fatal("canceled though nobody asked")
		}
	default:
		t.Fatalf("ended as %q", p.State)
	}
}
