// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func outcome() Statement {
	return Statement{
		ID: "S19", Says: "a later step sees what an earlier one has set on each machine, and a step with a condition runs " +
			"where it holds and nowhere else",
		Judge: judgeOutcome,
	}
}

// made is an output variable of a task.
type made struct {
	task          deploy.TaskID
	machine, name string
}

// outputsOf lists what first steps set, of tickets that are known to have succeeded; sure tells of which machines of
// which tasks that is all there can be.
func (x *index) outputsOf() (values map[made]string, sure map[made]bool) {
	values, sure = map[made]string{}, map[made]bool{}
	for _, t := range x.run.End.Tickets {
		_, known := x.machines[t.Machine] // what a removed one has set is not asked for by its name
		is := known && x.stepName(t) == history.FirstStep && t.Verdict != nil
		if is && t.Verdict.Outcome == contract.Succeeded && t.Verdict.Reason == "" {
			sure[made{task: t.Task, machine: x.machines[t.Machine]}] = true
		}
	}
	for _, e := range x.run.Of(history.Set) {
		if t := x.tickets[e.Ticket]; sure[made{task: t.Task, machine: e.Who}] {
			values[made{t.Task, e.Who, e.Text}] = e.Cause
		}
	}
	return values, sure
}

// stepName is the name of the step that a ticket belongs to.
func (x *index) stepName(t deploy.Ticket) string {
	if steps := x.tasks[t.Task].Plan.Steps; t.Step < len(steps) {
		return steps[t.Step].Name
	}
	return ""
}

func judgeOutcome(r history.Run) (bad []Violation) {
	x := newIndex(r)
	values, sure := x.outputsOf()
	for _, e := range r.Of(history.Said) {
		t := x.tickets[e.Ticket]
		machine, heard, isHeard := strings.Cut(strings.TrimPrefix(e.Text, history.HeardPrefix), "=")
		if !isHeard || x.stepName(t) != history.TellStep || !sure[made{task: t.Task, machine: machine}] {
			continue
		}
		heard, _, _ = strings.Cut(heard, " ")
		if want := values[made{t.Task, machine, history.ToneOutput}]; heard != want {
			what := fmt.Sprintf("a step of %s sees %q as the output of %s, which set %q", t.Task, heard, machine, want)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
		}
	}
	return append(bad, x.judgeChosen(values, sure)...)
}

// judgeChosen holds what was decided of steps with a condition against what the outputs say, and against what ran.
func (x *index) judgeChosen(values map[made]string, sure map[made]bool) (bad []Violation) {
	runs := map[taskSlot]bool{}
	for _, task := range x.run.End.Tasks {
		for _, d := range task.Decisions {
			at := taskSlot{task.ID, deploy.Slot{Step: d.Step, Machine: d.Machine}}
			name := x.machines[d.Machine]
			if _, twice := runs[at]; twice {
				what := fmt.Sprintf("%s decided twice on a step with a condition", task.ID)
				bad = append(bad, Violation{At: x.run.Over, Who: name, What: what})
			}
			runs[at] = d.Runs
			want := values[made{task.ID, name, history.ChoiceOutput}] == "yes"
			judged := task.Plan.Steps[d.Step].Name == history.ChosenStep && sure[made{task: task.ID, machine: name}]
			if judged && d.Runs != want {
				what := fmt.Sprintf("%s decided %v on a step with a condition, and the outputs say %v", task.ID, d.Runs, want)
				bad = append(bad, Violation{At: x.run.Over, Who: name, What: what})
			}
		}
	}
	for _, e := range x.run.Of(history.Started) {
		t := x.tickets[e.Ticket]
		at := taskSlot{t.Task, deploy.Slot{Step: t.Step, Machine: t.Machine}}
		if x.stepName(t) == history.ChosenStep && !runs[at] {
			what := fmt.Sprintf("a script of %s runs although its step's condition does not hold here", t.Task)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
		}
	}
	return bad
}
