// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"slices"

	"fairlead/internal/contract"
)

// Progress is where a plan stands, worked out from its tickets alone.
type Progress struct {
	Steps []StepProgress
	// Open are the tickets to make next.
	Open []Slot
	// Done is set when nothing runs and nothing is to be opened; State and Reason are the task's.
	Done   bool
	State  TaskState
	Reason string
	// Cause is the ticket behind the first failure; nil when no ticket is.
	Cause *Ticket
}

// Slot is the place of a ticket in a plan.
type Slot struct {
	Step, Action int
	Machine      MachineID
	Attempt      int
}

// Activity is how far a step, or one machine in a step, has come. The words are the wire's.
type Activity string

// The activities.
const (
	ActivityPending  Activity = "Pending"
	ActivityRunning  Activity = "Running"
	ActivitySuccess  Activity = "Success"
	ActivityFailed   Activity = "Failed"
	ActivitySkipped  Activity = "Skipped"
	ActivityCanceled Activity = "Canceled"
)

// StepProgress is how far a step has come; Machines run parallel to the planned step's.
type StepProgress struct {
	Activity Activity
	Reason   string // why skipped, or failed without a failure on a machine
	Machines []Activity
}

// Walk says where a plan stands and what is next. Rules: steps one after the other; in a step at
// most Window machines at once, each doing the step's actions in order; after a failure on one
// machine the others that began go on, no further one begins, and later steps run only by their
// condition; once canceled, nothing is opened. What did not start, or may be repeated, is begun again
// up to MaxAttempts; a machine that was lost and may be is left out from there on.
func Walk(plan Plan, tickets []Ticket, canceled bool) Progress {
	w := walk{canceled: canceled, tickets: map[Slot]Ticket{}, lost: map[MachineID]bool{}}
	for _, t := range tickets {
		w.keep(t)
	}
	progress := Progress{}
	for i, step := range plan.Steps {
		progress.Steps = append(progress.Steps, w.step(i, step))
	}
	progress.Open = w.open
	progress.Done = !w.running && len(w.open) == 0
	if progress.Done {
		progress.State, progress.Reason = w.end()
	}
	progress.Cause = w.cause
	return progress
}

type walk struct {
	tickets  map[Slot]Ticket // latest attempt, under Attempt 0
	canceled bool
	open     []Slot
	running  bool   // a step has begun and not ended: later ones wait
	failed   bool   // an earlier step failed
	prevents bool   // the cancel kept something from running
	reason   string // of the first failure
	cause    *Ticket
	lost     map[MachineID]bool // machines that the rest of the plan goes on without
}

func (w *walk) keep(t Ticket) {
	key := Slot{Step: t.Step, Action: t.Action, Machine: t.Machine}
	if held, ok := w.tickets[key]; !ok || t.Attempt > held.Attempt {
		w.tickets[key] = t
	}
}

func (w *walk) end() (TaskState, string) {
	switch {
	case w.canceled && w.prevents:
		return TaskCanceled, "canceled"
	case w.failed:
		return TaskFailed, w.reason
	}
	return TaskSuccess, ""
}

func (w *walk) step(i int, step PlannedStep) StepProgress {
	p := StepProgress{Activity: ActivityPending, Machines: slices.Repeat([]Activity{ActivityPending}, len(step.Machines))}
	if w.running {
		return p
	}
	if p.Reason = w.skips(step); p.Reason != "" {
		p.Activity = ActivitySkipped
		p.Machines = slices.Repeat([]Activity{ActivitySkipped}, len(step.Machines))
		return p
	}
	for m := range step.Machines {
		p.Machines[m] = w.machine(i, step, step.Machines[m])
	}
	w.begin(i, step, p.Machines)
	w.close(step, &p)
	return p
}

func (w *walk) skips(step PlannedStep) string {
	switch {
	case step.Skip != "":
		return step.Skip
	case step.Condition == OnFailure && !w.failed:
		return "runs only after a failure"
	case step.Condition != OnFailure && step.Condition != Always && w.failed && w.canceled:
		return "does not run after a cancel"
	case step.Condition != OnFailure && step.Condition != Always && w.failed:
		return "does not run after a failure"
	}
	return ""
}

// machine tells how far one machine has come, and opens its next action when one has succeeded.
func (w *walk) machine(i int, step PlannedStep, machine MachineID) Activity {
	if w.lost[machine] {
		return ActivitySkipped
	}
	for a := range step.Actions {
		ticket, ok := w.tickets[Slot{Step: i, Action: a, Machine: machine}]
		switch {
		case !ok && a == 0:
			return ActivityPending
		case !ok && w.canceled:
			w.prevents = true
			return ActivityCanceled
		case !ok:
			w.open = append(w.open, Slot{i, a, machine, 1})
			return ActivityRunning
		case ticket.Verdict == nil:
			return ActivityRunning
		case ticket.Verdict.Outcome == contract.Succeeded:
		case ticket.Verdict.Outcome == contract.Canceled:
			w.prevents = w.prevents || w.canceled
			return ActivityCanceled
		case mayRepeat(step.Actions[a], ticket) && w.canceled:
			w.prevents = true
			return ActivityCanceled
		case mayRepeat(step.Actions[a], ticket):
			w.open = append(w.open, Slot{i, a, machine, ticket.Attempt + 1})
			return ActivityRunning
		case ticket.Ruling == RulingLost && goesOn(step.Actions[a]):
			w.lost[machine] = true
			return ActivitySkipped
		default:
			return w.blame(ticket)
		}
	}
	return ActivitySuccess
}

func goesOn(a Action) bool {
	policy, _ := NewPolicy(a)
	return policy.WhenLost == LostGoOn
}

func (w *walk) blame(t Ticket) Activity {
	if w.cause == nil {
		w.cause = &t
	}
	return ActivityFailed
}

// begin opens machines that have not begun, as far as the window allows.
func (w *walk) begin(i int, step PlannedStep, machines []Activity) {
	bad := slices.Contains(machines, ActivityFailed) || slices.Contains(machines, ActivityCanceled)
	for m, activity := range machines {
		if activity != ActivityPending {
			continue
		}
		switch {
		case w.canceled:
			w.prevents = true
			machines[m] = ActivityCanceled
		case bad:
			machines[m] = ActivitySkipped
			if slices.Contains(machines, ActivityRunning) {
				machines[m] = ActivityPending
			}
		case count(machines, ActivityRunning) < step.Window:
			w.open = append(w.open, Slot{i, 0, step.Machines[m], 1})
			machines[m] = ActivityRunning
		}
	}
}

func count(list []Activity, what Activity) (n int) {
	for _, a := range list {
		if a == what {
			n++
		}
	}
	return n
}

// close works out the step's own activity.
func (w *walk) close(step PlannedStep, p *StepProgress) {
	switch {
	case slices.Contains(p.Machines, ActivityRunning), slices.Contains(p.Machines, ActivityPending):
		p.Activity = ActivityRunning
		w.running = true
	case slices.Contains(p.Machines, ActivityFailed):
		p.Activity = ActivityFailed
		w.fail(step, p)
	case slices.Contains(p.Machines, ActivityCanceled):
		p.Activity = ActivityCanceled
		w.fail(step, p)
	case count(p.Machines, ActivitySkipped) == len(p.Machines):
		p.Activity, p.Reason = ActivityFailed, "lost all its machines"
		w.fail(step, p)
	default:
		p.Activity = ActivitySuccess
	}
}

func (w *walk) fail(step PlannedStep, p *StepProgress) {
	if !w.failed {
		bad := count(p.Machines, ActivityFailed) + count(p.Machines, ActivityCanceled)
		w.reason = fmt.Sprintf("step %d (%s) failed on %d of %d machines", step.Number, step.Name, bad, len(step.Machines))
		if bad == 0 {
			w.reason = fmt.Sprintf("step %d (%s) %s", step.Number, step.Name, p.Reason)
		}
	}
	w.failed = true
}
