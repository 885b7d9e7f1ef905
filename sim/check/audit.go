// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func audit() Statement {
	return Statement{
		ID: "S21", Says: "each deployment and each answer that people were told of stands once in the audit trail, and no " +
			"answer that nobody gave",
		Judge: judgeAudit,
	}
}

// The categories of events that are looked at.
const (
	queuedEvent    = "DeploymentQueued"
	submittedEvent = "InterruptionSubmitted"
	releaseDeleted = "ReleaseDeleted"
)

func judgeAudit(r history.Run) (bad []Violation) {
	x := newIndex(r)
	kept := map[string]int{}
	for _, e := range r.End.Audit {
		switch e.Category {
		case queuedEvent:
			kept[e.Subject]++
		case submittedEvent:
			id, _, _ := strings.Cut(e.Message, ":")
			kept[id]++
		}
	}
	asked := map[string]bool{}
	for _, e := range r.Of(history.Asked, history.Answered) {
		id, isAnswer := subject(x, e)
		asked[id] = asked[id] || isAnswer && e.Kind == history.Asked
		if e.Kind == history.Answered && accepted(e) && id != "" && kept[id] != 1 {
			what := fmt.Sprintf("%q was accepted, and stands %d times in the audit trail: want once", e.Text, kept[id])
			bad = append(bad, Violation{At: e.At, What: what})
		}
	}
	for _, e := range r.End.Audit {
		if id, _, _ := strings.Cut(e.Message, ":"); e.Category == submittedEvent && !asked[id] {
			what := fmt.Sprintf("the audit trail tells of an answer to %s, and nobody gave one", id)
			bad = append(bad, Violation{At: r.Over, What: what})
		}
	}
	return bad
}

// subject is what the audit trail must tell of; "" for nothing.
func subject(x *index, e history.Event) (id string, isAnswer bool) {
	if words, is := strings.CutPrefix(e.Text, history.AnswerPrefix); is {
		id, _, _ = strings.Cut(words, " ")
		return id, true
	}
	if task := x.tasks[e.Task]; task.Kind == deploy.DeployTask && e.Text != cancelWord {
		return string(task.Deployment), false
	}
	return "", false
}
