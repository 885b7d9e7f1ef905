// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"fmt"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/check"
	"fairlead/sim/history"
)

// The steps of the deployment that story tells.
const (
	firstStep = iota
	askStep
	turnStep
	tellStep
	chosenStep
	fragileStep
)

// story is a run in which a release is deployed to two machines: the first step sets outputs, people say that it may go
// on, one machine after the other has its turn, a step tells what was set, another runs on web-1 alone, and the last
// fails on web-2 until people say that it shall be tried again.
func story(t *testing.T) history.Run {
	t.Helper()
	r := history.Run{Plan: parse(t, ward), Healed: 20 * time.Minute, Over: 35 * time.Minute}
	for n := range 2 {
		r.End.Machines = append(r.End.Machines, deploy.Machine{ID: machine(n + 1), Name: fmt.Sprintf("web-%d", n+1)})
	}
	script := []deploy.Action{{Kind: deploy.ScriptAction}}
	on := []deploy.MachineID{machine(1), machine(2)}
	r.End.Tasks = []deploy.Task{{
		ID: taskID, Kind: deploy.DeployTask, State: deploy.TaskSuccess, Project: "Projects-1", Environment: "Environments-1",
		Deployment: "Deployments-1", QueuedAt: time.Unix(1, 0), Plan: deploy.Plan{IsGuided: true, Steps: []deploy.PlannedStep{
			{Number: 1, Name: history.FirstStep, Machines: on, Actions: script, Window: 10},
			{Number: 2, Name: "Approve", Actions: []deploy.Action{{Kind: deploy.ManualAction}}},
			{Number: 3, Name: "In turn", Machines: on, Actions: script, Window: 1},
			{Number: 4, Name: history.TellStep, Machines: on, Actions: script, Window: 10},
			{Number: 5, Name: history.ChosenStep, Machines: on, Actions: script, Window: 10, Condition: deploy.OnExpression},
			{Number: 6, Name: "Fragile", Machines: on, Actions: script, Window: 10},
		}},
		Decisions: []deploy.Decision{{Step: chosenStep, Machine: machine(1), Runs: true}, {Step: chosenStep, Machine: machine(2)}},
	}}
	insert(&r, history.Event{At: time.Second, Kind: history.Answered, Text: "deploy op1", Task: taskID, Code: 200})
	for n := 1; n <= 2; n++ {
		from := time.Duration(n) * time.Second
		do(&r, n, firstStep, 1, time.Minute, contract.Succeeded)
		do(&r, n, turnStep, 1, 2*time.Minute+from, contract.Succeeded)
		do(&r, n, tellStep, 1, 3*time.Minute, contract.Succeeded)
		set(&r, n, history.ToneOutput, "blue")
		for m := 1; m <= 2; m++ {
			say(&r, n, firstStep, history.PaintPrefix+"dry on here")
			say(&r, n, tellStep, fmt.Sprintf("%sweb-%d=blue", history.HeardPrefix, m))
		}
	}
	set(&r, 1, history.ChoiceOutput, "yes")
	do(&r, 1, chosenStep, 1, 4*time.Minute, contract.Succeeded)
	do(&r, 1, fragileStep, 1, 5*time.Minute, contract.Succeeded)
	do(&r, 2, fragileStep, 1, 5*time.Minute, contract.Failed)
	do(&r, 2, fragileStep, 2, 7*time.Minute, contract.Succeeded)
	answers(&r, "Interruptions-1", deploy.Slot{Step: askStep}, deploy.ChoiceProceed, 90*time.Second)
	answers(&r, "Interruptions-2", deploy.Slot{Step: fragileStep, Machine: machine(2), Attempt: 1}, deploy.ChoiceRetry, 6*time.Minute)
	insert(&r, history.Event{At: 8 * time.Minute, Kind: history.Seen, Task: taskID, Text: "Success"})
	r.End.Deployments = []deploy.Deployment{{ID: "Deployments-1", Release: "Releases-1"}}
	r.End.Releases = []deploy.Release{{ID: "Releases-1", Packages: []deploy.SelectedPackage{{PackageID: "web", Version: "1"}}}}
	r.End.Packages = []deploy.Package{{ID: "Web", Version: "1"}}
	r.End.Audit = append(r.End.Audit, deploy.Event{Category: "DeploymentQueued", Subject: "Deployments-1"})
	return r
}

func machine(n int) deploy.MachineID { return deploy.MachineID(fmt.Sprintf("Machines-%d", n)) }

// ticketOf names the ticket of an attempt at a step on web-n.
func ticketOf(n, step, attempt int) contract.TicketID {
	return contract.TicketID(fmt.Sprintf("t-%d-%d-%d", n, step, attempt))
}

// do adds a script of a step on web-n, which takes half a second.
func do(r *history.Run, n, step, attempt int, at time.Duration, outcome contract.Outcome) {
	id := ticketOf(n, step, attempt)
	r.End.Tickets = append(r.End.Tickets, deploy.Ticket{
		ID: id, Task: taskID, Step: step, Machine: machine(n), Attempt: attempt, Verdict: &contract.Verdict{Outcome: outcome},
	})
	e := history.Event{At: at, Kind: history.Started, Who: fmt.Sprintf("web-%d", n), Task: taskID, Ticket: id, Text: "none"}
	end := e
	end.At, end.Kind, end.Text = at+500*time.Millisecond, history.Finished, ""
	insert(r, e, end)
}

func set(r *history.Run, n int, name, value string) {
	insert(r, history.Event{
		At: time.Minute, Kind: history.Set, Who: fmt.Sprintf("web-%d", n), Ticket: ticketOf(n, firstStep, 1), Text: name, Cause: value,
	})
}

func say(r *history.Run, n, step int, text string) {
	insert(r, history.Event{
		At: 3 * time.Minute, Kind: history.Said, Who: fmt.Sprintf("web-%d", n), Ticket: ticketOf(n, step, 1), Text: text,
	})
}

// answers adds a question, the answer that people gave, and the event that tells of it.
func answers(r *history.Run, id deploy.InterruptionID, at deploy.Slot, choice deploy.Choice, when time.Duration) {
	r.End.Interruptions = append(r.End.Interruptions, deploy.Interruption{
		ID: id, Task: taskID, Slot: at, Choice: choice, AnsweredBy: "admin",
	})
	text := history.AnswerPrefix + string(id) + " " + string(choice)
	insert(r, history.Event{At: when, Kind: history.Asked, Task: taskID, Text: text},
		history.Event{At: when, Kind: history.Answered, Task: taskID, Text: text, Code: 200})
	r.End.Audit = append(r.End.Audit, deploy.Event{Category: "InterruptionSubmitted", Message: string(id) + ": Approve admin answered."})
}

// paints has the last step on web-1 say what it sees of the variable.
func paints(value string) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) { say(r, 1, fragileStep, history.PaintPrefix+value+" on web-1") }
}

// told is a change of the story instead of the calm run.
func told(changes ...func(*testing.T, *history.Run)) func(*testing.T, *history.Run) {
	return both(append([]func(*testing.T, *history.Run){func(t *testing.T, r *history.Run) { *r = story(t) }}, changes...)...)
}

// starts is the start of an attempt on web-n.
func starts(n, step, attempt int) func(history.Event) bool {
	return func(e history.Event) bool { return e.Kind == history.Started && e.Ticket == ticketOf(n, step, attempt) }
}

// sooner lets a script of web-n start at another time.
func sooner(n, step int, at time.Duration) func(*testing.T, *history.Run) {
	return func(t *testing.T, r *history.Run) {
		alter(t, r, starts(n, step, 1), func(e *history.Event) { e.At = at })
		insert(r)
	}
}

// ruled changes a ticket.
func ruled(n, step, attempt int, change func(*deploy.Ticket)) func(*testing.T, *history.Run) {
	return func(t *testing.T, r *history.Run) {
		for i := range r.End.Tickets {
			if r.End.Tickets[i].ID == ticketOf(n, step, attempt) {
				change(&r.End.Tickets[i])
				return
			}
		}
		t.Fatal("there is no such ticket")
	}
}

// plans changes a step of the plan.
func plans(step int, change func(*deploy.PlannedStep)) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) { change(&r.End.Tasks[0].Plan.Steps[step]) }
}

// loses forgets what a run ended with.
func loses(change func(*history.End)) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) { change(&r.End) }
}

// unanswered takes an answer away, as if nobody had given it.
func unanswered(id string) func(*testing.T, *history.Run) {
	return func(_ *testing.T, r *history.Run) {
		drop(r, func(e history.Event) bool {
			return e.Text == history.AnswerPrefix+id+" Proceed" || e.Text == history.AnswerPrefix+id+" Retry"
		})
	}
}

func outcomeIs(o contract.Outcome) func(*deploy.Ticket) {
	return func(t *deploy.Ticket) { t.Verdict = &contract.Verdict{Outcome: o} }
}

func deploymentTales() []tale {
	lost := func(t *deploy.Ticket) { t.Ruling = deploy.RulingLost }
	whole := func(step *deploy.PlannedStep) { step.Window = 2 }
	retries := func(n string) func(*deploy.PlannedStep) {
		return func(step *deploy.PlannedStep) {
			step.Actions = []deploy.Action{{Kind: deploy.ScriptAction, Properties: map[string]string{deploy.PropRetries: n}}}
		}
	}
	heard := func(e history.Event) bool {
		return e.Kind == history.Said && e.Who == "web-2" && e.Text == history.HeardPrefix+"web-1=blue"
	}
	hears := func(text string) func(*testing.T, *history.Run) {
		return func(t *testing.T, r *history.Run) { alter(t, r, heard, func(e *history.Event) { e.Text = text }) }
	}
	older := func(_ *testing.T, r *history.Run) {
		old := r.End.Tasks[0]
		old.ID, old.Deployment, old.QueuedAt = "ServerTasks-0", "Deployments-0", time.Unix(0, 0)
		r.End.Tasks = append([]deploy.Task{old}, r.End.Tasks...)
		insert(r, history.Event{At: time.Second, Kind: history.Seen, Task: old.ID, Text: "Success"})
	}
	return []tale{
		{"S16", "one after the other", told(), ""},
		{"S16", "two at once", told(sooner(2, turnStep, 2*time.Minute+1200*time.Millisecond)), `step "In turn" of ServerTasks-1 runs on 2`},
		{"S16", "two at once in a window of two", told(plans(turnStep, whole), sooner(2, turnStep, 2*time.Minute+1200*time.Millisecond)), ""},
		{"S16", "beside one that was given up", told(ruled(1, turnStep, 1, lost), sooner(2, turnStep, 2*time.Minute+1200*time.Millisecond)), ""},

		{"S17", "approved", told(), ""},
		{"S17", "a start before the answer", told(sooner(1, turnStep, 80*time.Second)), `nobody had said that "Approve" may go on`},
		{"S17", "nobody answered", told(unanswered("Interruptions-1")), `"In turn" of ServerTasks-1 starts`},
		{"S17", "the answer was no", told(loses(func(e *history.End) {
			e.Interruptions[0].Choice = deploy.ChoiceAbort
		})), "nobody had said"},
		{"S17", "a manual step that is left out", told(
			unanswered("Interruptions-1"), plans(askStep, func(s *deploy.PlannedStep) { s.Skip = "is disabled" })), ""},
		{"S17", "a step together with the question", told(sooner(1, turnStep, 80*time.Second), sooner(2, turnStep, 82*time.Second),
			plans(turnStep, func(s *deploy.PlannedStep) { s.WithPrevious = true })), ""},

		{"S18", "again as people say", told(), ""},
		{
			"S18", "again although nobody said so", told(unanswered("Interruptions-2")),
			"t-2-5-2 is attempt 2 of a step of ServerTasks-1, and attempt 1 ended with failed",
		},
		{"S18", "again as its settings say", told(unanswered("Interruptions-2"), plans(fragileStep, retries("1"))), ""},
		{"S18", "again where nothing ran", told(unanswered("Interruptions-2"),
			ruled(2, fragileStep, 1, outcomeIs(contract.NotStarted))), ""},
		{"S18", "again after a success", told(unanswered("Interruptions-2"), plans(fragileStep, retries("1")),
			ruled(2, fragileStep, 1, outcomeIs(contract.Succeeded))), "attempt 1 ended with succeeded"},
		{"S18", "again where nobody can tell", told(unanswered("Interruptions-2"), plans(fragileStep, retries("1")),
			ruled(2, fragileStep, 1, outcomeIs(contract.Indeterminate))), "attempt 1 ended with indeterminate"},
		{"S18", "a second without a first", told(
			ruled(2, fragileStep, 1, func(t *deploy.Ticket) { t.Step = turnStep })), "attempt 1 is not there"},

		{"S19", "as was set", told(), ""},
		{"S19", "not what was set", told(hears(history.HeardPrefix + "web-1=red")), `sees "red" as the output of web-1, which set "blue"`},
		{"S19", "nothing was seen", told(
			hears(history.HeardPrefix + "web-1=#{Octopus.Action[Before].Output[web-1].Tone}")), `which set "blue"`},
		{"S19", "of a script that nobody knows the end of", told(
			hears(history.HeardPrefix+"web-1=red"), ruled(1, firstStep, 1, outcomeIs(contract.Indeterminate))), ""},
		{"S19", "decided otherwise", told(loses(func(e *history.End) {
			e.Tasks[0].Decisions[1].Runs = true
		})), "decided true on a step with a condition"},
		{"S19", "decided twice", told(loses(func(e *history.End) {
			e.Tasks[0].Decisions = append(e.Tasks[0].Decisions, e.Tasks[0].Decisions[0])
		})), "decided twice"},
		{"S19", "runs where it should not", told(func(_ *testing.T, r *history.Run) {
			do(r, 2, chosenStep, 1, 4*time.Minute, contract.Succeeded)
		}), "although its step's condition does not hold"},

		{"S20", "all is there", told(), ""},
		{"S20", "one from before is gone", told(older), ""},
		{"S20", "the deployment is gone", told(loses(func(e *history.End) { e.Deployments = nil })), "and Deployments-1 is gone"},
		{"S20", "the release is gone", told(loses(func(e *history.End) { e.Releases = nil })), "and Releases-1 is gone"},
		{"S20", "the package is gone", told(loses(func(e *history.End) { e.Packages = nil })), "and web 1 is gone"},

		{"S21", "all is told", told(), ""},
		{"S21", "a deployment is not told", told(loses(func(e *history.End) {
			e.Audit = e.Audit[:2]
		})), `"deploy op1" was accepted, and stands 0 times`},
		{"S21", "an answer is told twice", told(loses(func(e *history.End) { e.Audit = append(e.Audit, e.Audit[0]) })), "stands 2 times"},
		{"S21", "an answer is not told", told(loses(func(e *history.End) { e.Audit = e.Audit[1:] })), "stands 0 times"},
		{"S21", "an answer that nobody gave", told(loses(func(e *history.End) {
			e.Audit = append(e.Audit, deploy.Event{Category: "InterruptionSubmitted", Message: "Interruptions-9: Approve"})
		})), "answer to Interruptions-9, and nobody gave one"},

		{"S23", "all see the same", told(paints("dry")), ""},
		{"S23", "a later step sees what was taken afresh", told(paints("wet")), `sees the variable as "wet", and an earlier one saw "dry"`},
		{"S23", "another task sees something else", told(paints("wet"), loses(func(e *history.End) {
			for i, t := range e.Tickets {
				if t.Step == fragileStep {
					e.Tickets[i].Task = "ServerTasks-2"
				}
			}
		})), ""},
	}
}

// TestPeopleForgive: a deployment succeeds though a script has not, when people say so and not otherwise.
func TestPeopleForgive(t *testing.T) {
	for choice, want := range map[deploy.Choice]int{
		deploy.ChoiceIgnore: 0, deploy.ChoiceExclude: 0, deploy.ChoiceRetry: 1, deploy.ChoiceFail: 1, "": 1,
	} {
		r := story(t)
		before := len(judge(t, "S5", r))
		r.End.Tickets = r.End.Tickets[:len(r.End.Tickets)-1] // the second attempt of t-2-5
		r.End.Interruptions[1].Choice = choice
		if got := len(judge(t, "S5", r)) - before; got != want {
			t.Errorf("%q: %d more violations, want %d: %v", choice, got, want, judge(t, "S5", r))
		}
	}
}

func TestDeployments(t *testing.T) {
	for _, c := range deploymentTales() {
		t.Run(c.id+" "+c.name, c.tell)
	}
}

// TestStoryHolds asks the statements that are about deployments: the story has no lines and no logs for the others.
func TestStoryHolds(t *testing.T) {
	for _, s := range check.All() {
		if bad := check.Judge(story(t), []check.Statement{s}); len(bad) > 0 && s.ID >= "S16" && s.ID <= "S21" {
			t.Errorf("%s: %v", s.ID, bad)
		}
	}
}
