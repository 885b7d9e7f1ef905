// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func approval() Statement {
	return Statement{
		ID: "S17", Says: "what comes after a manual step starts after people have said that it may go on, and nothing that " +
			"wants success starts when they have said no",
		Judge: judgeApproval,
	}
}

// judgeApproval looks at each script that started behind a manual step which was to be asked.
func judgeApproval(r history.Run) (bad []Violation) {
	x := newIndex(r)
	said := answersOf(r)
	for _, e := range r.Of(history.Started) {
		ticket, known := x.tickets[e.Ticket]
		task := x.tasks[ticket.Task]
		if !known || ticket.Step >= len(task.Plan.Steps) || !wantsSuccess(task.Plan.Steps[ticket.Step]) {
			continue
		}
		for i := range task.Plan.GroupStart(ticket.Step) {
			step := task.Plan.Steps[i]
			if !step.IsManual() || step.Skip != "" || !wantsSuccess(step) {
				continue
			}
			at, said := said[taskSlot{task.ID, deploy.Slot{Step: i}}]
			if !said || at > e.At {
				what := fmt.Sprintf("a script of step %q of %s starts, and nobody had said that %q may go on",
					task.Plan.Steps[ticket.Step].Name, task.ID, step.Name)
				bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
			}
		}
	}
	return bad
}

func wantsSuccess(s deploy.PlannedStep) bool {
	return s.Condition == "" || s.Condition == deploy.OnSuccess
}

// taskSlot is where a task asks people.
type taskSlot struct {
	task deploy.TaskID
	slot deploy.Slot
}

// answersOf tells when people first gave the answer that the server holds for theirs, of those that let work begin.
func answersOf(r history.Run) map[taskSlot]time.Duration {
	first := map[taskSlot]time.Duration{}
	for _, q := range r.End.Interruptions {
		if q.Choice != deploy.ChoiceProceed && q.Choice != deploy.ChoiceRetry {
			continue
		}
		for _, e := range r.Of(history.Asked) {
			id, choice, _ := strings.Cut(strings.TrimPrefix(e.Text, history.AnswerPrefix), " ")
			if id == string(q.ID) && choice == string(q.Choice) {
				first[taskSlot{q.Task, q.Slot}] = e.At
				break
			}
		}
	}
	return first
}
