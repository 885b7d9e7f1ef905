// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
)

// rule is one promise of the contract.
type rule string

// The rules, in the order of the report.
const (
	doubleStart       rule = "started twice"
	falseSuccess      rule = "success without its effect"
	falseCode         rule = "exit code that was none"
	startedAllTheSame rule = "not started, with effect"
	lostVerdict       rule = "verdict lost"
	changedVerdict    rule = "verdict changed or given twice"
	lostOutput        rule = "output lost or repeated"
	strangeTicket     rule = "ticket that nobody asked for"
)

func rules() []rule {
	return []rule{
		doubleStart, falseSuccess, falseCode, startedAllTheSame, lostVerdict, changedVerdict, lostOutput, strangeTicket,
	}
}

// canceledBefore stands in the reason of a cancel that came before the start, at the agent or the server.
const canceledBefore = " before it was s"

// breach is one broken promise.
type breach struct {
	rule   rule
	ticket contract.TicketID
	detail string
}

// tally counts the verdicts.
type tally struct {
	tasks, tickets int
	outcomes       map[contract.Outcome]int
	reasons        map[string]int // of the indeterminate
}

func (e *evidence) tally() tally {
	t := tally{
		tasks: len(e.tasks), tickets: len(e.tickets), outcomes: map[contract.Outcome]int{}, reasons: map[string]int{},
	}
	for _, ticket := range e.tickets {
		if ticket.Verdict == nil {
			continue
		}
		t.outcomes[ticket.Verdict.Outcome]++
		if ticket.Verdict.Outcome == contract.Indeterminate || ticket.Verdict.Outcome == contract.NotStarted {
			t.reasons[string(ticket.Verdict.Outcome)+": "+ticket.Verdict.Reason]++
		}
	}
	return t
}

// check holds the evidence against the contract.
func (e *evidence) check() (found []breach) {
	add := func(r rule, ticket contract.TicketID, format string, args ...any) {
		found = append(found, breach{r, ticket, fmt.Sprintf(format, args...)})
	}
	known := map[contract.TicketID]bool{}
	started := map[string]int{}
	for _, t := range e.tickets {
		known[t.ID] = true
		e.checkTicket(t, add)
		if t.Verdict == nil || t.Verdict.Outcome != contract.NotStarted {
			started[fmt.Sprintf("%s on %s", t.Task, e.names[t.Machine])]++
		}
	}
	for place, n := range started {
		if n > 1 {
			add(doubleStart, "", "%s: %d tickets, and only a proved NotStarted allows a second", place, n)
		}
	}
	for id := range e.effects {
		if !known[id] {
			add(strangeTicket, id, "it ran, and the server has no such ticket")
		}
	}
	for _, task := range e.tasks {
		if !task.State.IsCompleted() {
			add(lostVerdict, "", "%s is %s", task.ID, task.State)
		}
	}
	if len(e.tasks) < e.wanted {
		add(lostVerdict, "", "%d jobs were seen to end, the server knows %d tasks", e.wanted, len(e.tasks))
	}
	return append(found, e.changed()...)
}

func (e *evidence) checkTicket(t deploy.Ticket, add func(rule, contract.TicketID, string, ...any)) {
	did, wrote := e.effects[t.ID], e.outputs[t.ID]
	if did == nil {
		did = &effects{}
	}
	if wrote == nil {
		wrote = &output{}
	}
	if did.begun > 1 || len(did.ended) > 1 {
		add(doubleStart, t.ID, "it began %d times and ended %d times", did.begun, len(did.ended))
	}
	if t.Verdict == nil {
		add(lostVerdict, t.ID, "ticket of %s is %s without a verdict", t.Task, t.State)
		return
	}
	switch v := t.Verdict; v.Outcome {
	case contract.Succeeded, contract.Failed:
		if did.begun != 1 || len(did.ended) != 1 {
			add(falseSuccess, t.ID, "%s (%s), but it began %d times and ended %d times",
				v.Outcome, v.Reason, did.begun, len(did.ended))
		} else if did.ended[0] != strconv.Itoa(v.Code) {
			add(falseCode, t.ID, "%s with %d, but it ended with %s", v.Outcome, v.Code, did.ended[0])
		}
		if wrote.lines != 1 {
			add(lostOutput, t.ID, "%s, and its line is %d times in the log", v.Outcome, wrote.lines)
		}
	case contract.NotStarted:
		if did.begun > 0 {
			add(startedAllTheSame, t.ID, "not started (%s), but it began", v.Reason)
		}
	case contract.Canceled:
		if did.begun > 0 && strings.Contains(v.Reason, canceledBefore) {
			add(startedAllTheSame, t.ID, "canceled (%s), but it began", v.Reason)
		}
	case contract.TimedOut, contract.Indeterminate:
	}
	if wrote.lines > 1 {
		add(lostOutput, t.ID, "its line is %d times in the log", wrote.lines)
	}
	if wrote.verdicts > 1 {
		add(changedVerdict, t.ID, "its log has %d verdicts", wrote.verdicts)
	}
}

// changed compares what the server said of each ended task at first with what it keeps.
func (e *evidence) changed() (found []breach) {
	last := map[string]map[string]deploy.Ticket{} // by task and machine's name: of the last attempt
	for _, t := range e.tickets {
		of := last[string(t.Task)]
		if of == nil {
			of = map[string]deploy.Ticket{}
			last[string(t.Task)] = of
		}
		if name := e.names[t.Machine]; of[name].Attempt <= t.Attempt {
			of[name] = t
		}
	}
	for task, machines := range e.said {
		for name, status := range machines {
			t, sent := last[task][name]
			if !sent {
				continue // canceled before its ticket was made
			}
			if kept := statusOf(t.Verdict); kept != status && !gaveUp(t.Verdict, status) {
				text := fmt.Sprintf("%s on %s was %s, and is %s", task, name, status, kept)
				found = append(found, breach{changedVerdict, t.ID, text})
			}
		}
	}
	return found
}

// gaveUp reports whether a start that came to nothing was not repeated because the task was canceled.
func gaveUp(v *contract.Verdict, status string) bool {
	return v != nil && v.Outcome == contract.NotStarted && status == "Canceled"
}

// statusOf is how the REST surface shows a verdict.
func statusOf(v *contract.Verdict) string {
	switch {
	case v == nil:
		return "Pending"
	case v.Outcome == contract.Succeeded:
		return "Success"
	case v.Outcome == contract.Canceled:
		return "Canceled"
	}
	return "Failed"
}
