// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/server/engine"
	"fairlead/sim/history"
)

func verdicts() Statement {
	return Statement{
		ID: "S5", Says: "each ticket has one verdict, success and failure are what the script ended with, not started " +
			"means that nothing ran, and a task says what its tickets say",
		Judge: judgeVerdicts,
	}
}

func judgeVerdicts(r history.Run) (bad []Violation) {
	x := newIndex(r)
	ran := map[contract.TicketID][]execution{}
	for _, one := range executions(r) {
		ran[one.ticket] = append(ran[one.ticket], one)
	}
	seen := map[contract.TicketID]bool{}
	for _, t := range r.End.Tickets {
		if seen[t.ID] {
			bad = append(bad, Violation{At: r.Over, What: fmt.Sprintf("ticket %s is kept twice", t.ID)})
		}
		seen[t.ID] = true
		if what := x.contradiction(t, ran[t.ID]); what != "" {
			bad = append(bad, Violation{At: r.Over, Who: x.machines[t.Machine], What: what})
		}
	}
	for _, task := range r.End.Tasks {
		if what := x.rounding(task); what != "" {
			bad = append(bad, Violation{At: r.Over, What: what})
		}
	}
	return bad
}

// contradiction says where a ticket's verdict and its script disagree; "" when they agree.
func (x *index) contradiction(t deploy.Ticket, ran []execution) string {
	if t.Verdict == nil || !x.isScript(t) {
		return ""
	}
	v := *t.Verdict
	say := func(text string) string {
		return fmt.Sprintf("ticket %s of %s has the verdict %s(%d) %q, and %s",
			t.ID, t.Task, v.Outcome, v.Code, v.Reason, text)
	}
	if len(ran) == 0 {
		if v.Outcome == contract.Succeeded || v.Outcome == contract.Failed || v.Outcome == contract.TimedOut {
			return say("its script never started")
		}
		return ""
	}
	last := ran[len(ran)-1]
	if what := x.untimely(t, last); what != "" {
		return say(what)
	}
	if x.rebooted(last) {
		if what := x.unlikeReboot(t, last); what != "" {
			return say(what)
		}
		return ""
	}
	switch {
	case v.Outcome == contract.NotStarted:
		return say(fmt.Sprintf("its script started at %s", last.from))
	case v.Outcome == contract.Canceled && strings.Contains(v.Reason, beforeWords):
		return "" // S8 judges it
	case v.Outcome == contract.Succeeded && !last.finished:
		return say("its script never ended")
	case v.Outcome == contract.Succeeded && !last.succeeded():
		return say(fmt.Sprintf("its script ended with code %d %s", last.code, last.signal))
	case v.Outcome == contract.Failed && last.succeeded():
		return say("its script succeeded")
	case v.Outcome == contract.Failed && last.finished && last.signal == "" && last.code != v.Code:
		return say(fmt.Sprintf("its script ended with code %d", last.code))
	}
	return ""
}

// policy is what the action of a ticket says of limits and restarts.
func (x *index) policy(t deploy.Ticket) deploy.Policy {
	a, _ := x.action(t)
	p, _ := deploy.NewPolicy(a)
	return p
}

// lateEnd is how long after its limit a script may have ended that was told to: the grace, and the time
// that words take on the machine.
func lateEnd() time.Duration { return engine.DefaultLimits().Grace + time.Second }

// untimely says where a script's time limit and its verdict disagree; "" when they agree.
func (x *index) untimely(t deploy.Ticket, one execution) string {
	limit, took := x.policy(t).TimeLimit, one.to-one.from
	switch {
	case t.Verdict.Outcome == contract.TimedOut && limit == 0:
		return "it has no time limit"
	case t.Verdict.Outcome == contract.TimedOut && one.finished && took < limit:
		return fmt.Sprintf("its script ended after %s, within its limit of %s", took, limit)
	case t.Verdict.Outcome == contract.Succeeded && limit > 0 && one.finished && took > limit+lateEnd():
		return fmt.Sprintf("its script ended after %s, and its limit was %s", took, limit)
	}
	return ""
}

// shutdown bounds the time from TERM to the end of a machine that a script restarts. Source: package site.
const shutdown = 3 * time.Second

// rebooted reports whether a script ended by restarting its machine.
func (x *index) rebooted(one execution) bool {
	return slices.ContainsFunc(x.run.Of(history.Crashed), func(e history.Event) bool {
		switch {
		case e.Who != one.who || e.At < one.from:
			return false
		case e.Text == rebootWord:
			return e.Ticket == one.ticket
		}
		return wentDown(e) && one.signal == "terminated" && e.At < one.to+shutdown // the power went on the way down
	})
}

// tooLateWords stand in the reason of a restart that was given up.
const tooLateWords = "did not come back within"

// unlikeReboot says where the verdict of a script that restarted its machine is wrong; "" when it is
// right. A step that declared it has done its work when the machine is back; any other was told to end.
func (x *index) unlikeReboot(t deploy.Ticket, one execution) string {
	declared, v := x.policy(t).Restarts, t.Verdict
	want := contract.Canceled
	if declared {
		want = contract.Succeeded
	}
	back := x.lastOf(one.who, history.Launched) > one.to
	doubt := v.Outcome == contract.Indeterminate && (!declared || x.wasCut(one))
	givenUp := declared && strings.Contains(v.Reason, tooLateWords)
	switch {
	case v.Outcome == want && (back || !declared), v.Outcome == contract.Canceled, doubt, givenUp, x.gone(one.who):
		return ""
	case !back && v.Outcome != contract.Succeeded:
		return ""
	case declared:
		return "its script restarted the machine, as the step declared"
	}
	return "its script restarted the machine, which no step declared"
}

// wasCut reports whether something else than its reboot took the script's machine or shim away.
func (x *index) wasCut(one execution) bool {
	return slices.ContainsFunc(x.run.Of(history.Crashed), func(e history.Event) bool {
		return e.Who == one.who && e.At >= one.from && (e.Text == powerWord || e.Text == shimWord || e.Text == rollbackWord)
	})
}

// beforeWords stand in the reason of a cancel that came before the start.
const beforeWords = "before it was"

// forgiven reports whether people said that a deployment goes on in spite of what came of a ticket.
func (x *index) forgiven(t deploy.Ticket) bool {
	return slices.ContainsFunc(x.run.End.Interruptions, func(q deploy.Interruption) bool {
		isSo := q.Choice == deploy.ChoiceIgnore || q.Choice == deploy.ChoiceExclude
		return q.Task == t.Task && q.Slot == slotOf(t, t.Attempt).slot && isSo
	})
}

// rounding says where a task claims more than its tickets; "" when it does not.
func (x *index) rounding(task deploy.Task) string {
	if !task.State.IsCompleted() {
		return ""
	}
	latest := map[deploy.Slot]deploy.Ticket{}
	for _, t := range x.run.End.Tickets {
		slot := deploy.Slot{Step: t.Step, Action: t.Action, Machine: t.Machine}
		if t.Task == task.ID && latest[slot].Attempt <= t.Attempt {
			latest[slot] = t
		}
	}
	for _, t := range x.run.End.Tickets {
		if latest[deploy.Slot{Step: t.Step, Action: t.Action, Machine: t.Machine}].ID != t.ID {
			continue
		}
		switch {
		case t.Verdict == nil:
			return fmt.Sprintf("%s is %s, and its ticket %s has no verdict", task.ID, task.State, t.ID)
		case task.State == deploy.TaskSuccess && t.Verdict.Outcome != contract.Succeeded && !x.forgiven(t):
			return fmt.Sprintf("%s is %s, and its ticket %s is %s", task.ID, task.State, t.ID, t.Verdict.Outcome)
		}
	}
	return ""
}
