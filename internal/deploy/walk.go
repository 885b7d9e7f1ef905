// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead/internal/contract"
)

// Record is what has happened to a plan.
type Record struct {
	Tickets       []Ticket
	Interruptions []Interruption
	Decisions     []Decision
	Canceled      bool // its cancel was asked for
}

// Progress is where a plan stands, worked out from its record alone.
type Progress struct {
	Steps []StepProgress
	// Open are the tickets to make next.
	Open []Slot
	// Ask are the interruptions to make next. A manual step's slot has attempt 0 and no machine.
	Ask []Slot
	// Decide are the conditions to work out next: of a step on a machine, "" for a manual step.
	Decide []Slot
	// Failure is the reason of the first failure so far; "" while there is none.
	Failure string
	// Done is set when nothing runs and nothing is to be opened; State and Reason are the task's.
	Done   bool
	State  TaskState
	Reason string
	// Cause is the ticket behind the failure that Failure and Reason tell of; nil when no ticket is.
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

// Left counts the machines that the step goes on with.
func (p StepProgress) Left() int { return len(p.Machines) - count(p.Machines, ActivitySkipped) }

// Walk says where a plan stands and what is next. Rules: steps one after the other, or together with
// the one before where they say so; in a step at
// most Window machines at once, each doing the step's actions in order; after a failure on one
// machine the others that began go on, no further one begins, and later steps run only by their
// condition; once canceled, nothing is opened. What did not start, or may be repeated, is begun again
// up to MaxAttempts; a machine that was lost and may be is left out from there on. Of any other failure
// a guided plan asks people, and does what they say. A script that was canceled though its task was not (its
// machine shuts down) has failed.
func Walk(plan Plan, r Record) Progress {
	w := newWalk(plan, r)
	progress := Progress{}
	for i, step := range plan.Steps {
		if !step.WithPrevious {
			w.group()
		}
		progress.Steps = append(progress.Steps, w.step(i, step))
	}
	w.group()
	progress.Open, progress.Ask, progress.Decide, progress.Failure = w.open, w.ask, w.decide, w.reason
	progress.Done = !w.running
	if progress.Done {
		progress.State, progress.Reason = w.end()
	}
	progress.Cause = w.cause
	return progress
}

type walk struct {
	canceled  bool
	isGuided  bool
	tickets   map[Slot]Ticket // latest attempt, under Attempt 0
	asked     map[Slot]Interruption
	decisions map[Slot]Decision
	open      []Slot
	ask       []Slot
	decide    []Slot
	blocked   bool               // a step of an earlier group has not ended: later ones wait
	running   bool               // some step has begun and not ended
	failed    bool               // a step of an earlier group failed
	failing   bool               // a step failed
	prevents  bool               // the cancel kept something from running
	reason    string             // of the first failure
	cause     *Ticket            // behind it
	blamed    map[int]*Ticket    // the first ticket that failed in each step, by its index
	lost      map[MachineID]bool // machines that the rest of the plan goes on without
	losing    []MachineID        // those that this group has lost
}

func newWalk(plan Plan, r Record) *walk {
	w := &walk{
		canceled: r.Canceled, isGuided: plan.IsGuided, tickets: map[Slot]Ticket{}, lost: map[MachineID]bool{},
		asked: map[Slot]Interruption{}, decisions: map[Slot]Decision{},
		blamed: map[int]*Ticket{},
	}
	for _, t := range r.Tickets {
		w.keep(t)
	}
	for _, i := range r.Interruptions {
		w.asked[i.Slot] = i
	}
	for _, d := range r.Decisions {
		w.decisions[Slot{Step: d.Step, Machine: d.Machine}] = d
	}
	return w
}

// group begins the steps that start together: they go by what the steps before them came to.
func (w *walk) group() {
	w.blocked, w.failed = w.running, w.failing
	for _, m := range w.losing {
		w.lost[m] = true
	}
	w.losing = nil
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
	case w.failing:
		return TaskFailed, w.reason
	}
	return TaskSuccess, ""
}

func (w *walk) step(i int, step PlannedStep) StepProgress {
	p := StepProgress{Activity: ActivityPending, Machines: slices.Repeat([]Activity{ActivityPending}, len(step.Machines))}
	if w.blocked {
		return p
	}
	if p.Reason = w.skips(step); p.Reason != "" {
		return p.skipped()
	}
	if w.undecided(i, step) {
		p.Activity, w.running = ActivityRunning, true
		for m, id := range step.Machines {
			if w.lost[id] {
				p.Machines[m] = ActivitySkipped
			}
		}
		return p
	}
	if step.IsManual() {
		w.manual(i, step, &p)
		return p
	}
	for m := range step.Machines {
		p.Machines[m] = w.machine(i, step, step.Machines[m])
		p.Reason = cmp.Or(p.Reason, w.faultOf(i, step, step.Machines[m]))
	}
	if w.isDecidedAgainst(i, step) {
		p.Reason = "has a condition that holds on none of its machines"
		return p.skipped()
	}
	w.begin(i, step, p.Machines)
	w.close(step, &p)
	return p
}

func (p StepProgress) skipped() StepProgress {
	p.Activity = ActivitySkipped
	p.Machines = slices.Repeat([]Activity{ActivitySkipped}, len(p.Machines))
	return p
}

func (w *walk) skips(step PlannedStep) string {
	usual := step.Condition != OnFailure && step.Condition != Always && step.Condition != OnExpression
	switch {
	case step.Skip != "":
		return step.Skip
	case step.Condition == OnFailure && !w.failed:
		return "runs only after a failure"
	case usual && w.failed && w.canceled:
		return "does not run after a cancel"
	case usual && w.failed:
		return "does not run after a failure"
	}
	return ""
}

// undecided asks for the decisions that a step needs and has not got.
func (w *walk) undecided(i int, step PlannedStep) bool {
	if step.Condition != OnExpression || w.canceled {
		return false
	}
	machines := step.Machines
	if step.IsManual() {
		machines = []MachineID{""}
	}
	before := len(w.decide)
	for _, m := range machines {
		slot := Slot{Step: i, Machine: m}
		if _, known := w.decisions[slot]; !known && !w.lost[m] {
			w.decide = append(w.decide, slot)
		}
	}
	return len(w.decide) > before
}

// leavesOut reports whether the step's condition does not hold on the machine.
func (w *walk) leavesOut(i int, step PlannedStep, machine MachineID) bool {
	made, known := w.decisions[Slot{Step: i, Machine: machine}]
	return step.Condition == OnExpression && known && !made.Runs && made.Fault == ""
}

// faultOf says why nobody knows whether the step's condition holds on the machine; "" when somebody does.
func (w *walk) faultOf(i int, step PlannedStep, machine MachineID) string {
	fault := w.decisions[Slot{Step: i, Machine: machine}].Fault
	if step.Condition != OnExpression || fault == "" {
		return ""
	}
	return "has a condition that cannot be worked out: " + fault
}

// isDecidedAgainst reports whether the condition is why the step does nothing. A machine that was lost in this very
// step is another reason.
func (w *walk) isDecidedAgainst(i int, step PlannedStep) bool {
	left := func(m MachineID) bool { return w.leavesOut(i, step, m) }
	runs := func(m MachineID) bool { return !w.lost[m] && !left(m) }
	return slices.ContainsFunc(step.Machines, left) && !slices.ContainsFunc(step.Machines, runs)
}

// manual tells how far a step has come that asks people.
func (w *walk) manual(i int, step PlannedStep, p *StepProgress) {
	slot := Slot{Step: i}
	asked, known := w.asked[slot]
	switch {
	case w.leavesOut(i, step, ""):
		p.Activity, p.Reason = ActivitySkipped, "has a condition that does not hold"
	case w.faultOf(i, step, "") != "":
		p.Activity, p.Reason = ActivityFailed, w.faultOf(i, step, "")
		w.fail(step, p)
	case known && asked.Choice == ChoiceProceed:
		p.Activity = ActivitySuccess
	case known && asked.Choice == ChoiceAbort:
		p.Activity, p.Reason = ActivityFailed, "was aborted: "+asked.Said()
		w.fail(step, p)
	case w.canceled || known && !asked.IsPending():
		p.Activity, w.prevents = ActivityCanceled, w.canceled
		w.fail(step, p)
	default:
		if !known {
			w.ask = append(w.ask, slot)
		}
		p.Activity, p.Reason, w.running = ActivityRunning, "waits for an answer", true
	}
}

// machine tells how far one machine has come, and opens its next action when one has succeeded.
func (w *walk) machine(i int, step PlannedStep, machine MachineID) Activity {
	if w.lost[machine] || w.leavesOut(i, step, machine) {
		return ActivitySkipped
	}
	if w.faultOf(i, step, machine) != "" {
		return ActivityFailed
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
			continue
		}
		if activity := w.ended(step.Actions[a], ticket); activity != ActivitySuccess {
			return activity
		}
	}
	return ActivitySuccess
}

// ended tells what comes of a ticket that did not succeed; success means that the machine goes on.
func (w *walk) ended(action Action, ticket Ticket) Activity {
	slot := Slot{ticket.Step, ticket.Action, ticket.Machine, ticket.Attempt}
	asked, known := w.asked[slot]
	switch {
	case known && asked.Choice == ChoiceIgnore: // before all else: its next action may have begun
		return ActivitySuccess
	case ticket.Verdict.Outcome == contract.Canceled && w.canceled:
		w.prevents = true
		return ActivityCanceled
	case mayRepeat(action, ticket):
		return w.again(slot)
	case ticket.Ruling == RulingLost && goesOn(action):
		return w.lose(ticket.Machine)
	case known && asked.Choice == ChoiceRetry:
		return w.again(slot)
	case known && asked.Choice == ChoiceExclude:
		return w.lose(ticket.Machine)
	case !w.isGuided || w.canceled || known && !asked.IsPending():
		w.prevents = w.prevents || w.canceled && known && asked.IsPending()
		return w.blame(ticket)
	case !known:
		w.ask = append(w.ask, slot)
	}
	return ActivityRunning
}

func (w *walk) again(slot Slot) Activity {
	if w.canceled {
		w.prevents = true
		return ActivityCanceled
	}
	slot.Attempt++
	w.open = append(w.open, slot)
	return ActivityRunning
}

func (w *walk) lose(machine MachineID) Activity {
	w.losing = append(w.losing, machine)
	return ActivitySkipped
}

func goesOn(a Action) bool {
	policy, _ := NewPolicy(a)
	return policy.WhenLost == LostGoOn
}

func (w *walk) blame(t Ticket) Activity {
	if w.blamed[t.Step] == nil {
		w.blamed[t.Step] = &t
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
	if !w.failing {
		w.cause = w.blamed[step.Number-1]
		bad := count(p.Machines, ActivityFailed) + count(p.Machines, ActivityCanceled)
		w.reason = fmt.Sprintf("step %d (%s) failed on %d of %d machines", step.Number, step.Name, bad, len(step.Machines))
		switch {
		case bad == 0:
			w.reason = fmt.Sprintf("step %d (%s) %s", step.Number, step.Name, p.Reason)
		case p.Reason != "":
			w.reason += "; it " + p.Reason
		}
	}
	w.failing = true
}
