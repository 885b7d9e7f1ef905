// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/sim/history"
)

func durability() Statement {
	return Statement{
		ID: "S6", Says: "what was acknowledged outlives crashes and power cuts: tasks, machines that joined, and how a " +
			"script ended",
		Judge: judgeDurability,
	}
}

// savedAfter is how long after its script's end a shim has surely saved the exit record.
const savedAfter = time.Second

func judgeDurability(r history.Run) (bad []Violation) {
	x := newIndex(r)
	for _, e := range r.Of(history.Answered) {
		_, kept := x.tasks[e.Task]
		if e.Task != "" && accepted(e) && !kept {
			what := fmt.Sprintf("%s was answered for %q and is not kept", e.Task, e.Text)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
		}
		if e.Text == joinedWord && !x.gone(e.Who) && x.id(e.Who) == "" {
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: "it has joined, and the server does not know it"})
		}
	}
	for _, name := range x.agents() {
		if why := x.quarantine(name); why != "" && !x.suspect(name) {
			what := "nothing took it back in time or copied it, and it is in quarantine: " + why
			bad = append(bad, Violation{At: r.Over, Who: name, What: what})
		}
	}
	for _, one := range executions(r) {
		if what := x.forgottenEnd(one); what != "" {
			bad = append(bad, Violation{At: one.to, Who: one.who, What: what})
		}
	}
	return bad
}

// joinedWord is how a join stands in the history.
const joinedWord = "joined"

// gaveUpWords stand in the server's own verdict on a canceled ticket whose machine it waited for long enough.
const gaveUpWords = "but the machine did not answer for"

// forgottenEnd says that an end which was saved has become a doubt; "" when it has not.
func (x *index) forgottenEnd(one execution) string {
	t, known := x.tickets[one.ticket]
	if !known || t.Verdict == nil || !one.finished || !x.isScript(t) {
		return ""
	}
	disturbed := slices.ContainsFunc(x.run.Of(history.Crashed), func(e history.Event) bool {
		return e.Who == one.who && (e.Text == shimWord || wentDown(e)) &&
			one.from <= e.At && e.At <= one.to+savedAfter
	})
	broken := slices.ContainsFunc(outages(x.run), func(o outage) bool { return o.breaksDisk(one.who) })
	v := t.Verdict
	gaveUp := strings.Contains(v.Reason, gaveUpWords)
	excused := disturbed || x.rewound(one.who, one.from) || broken || gaveUp
	if excused || v.Outcome != contract.Indeterminate && v.Outcome != contract.NotStarted {
		return ""
	}
	return fmt.Sprintf("the script of ticket %s ended with code %d, nothing disturbed its shim, and the verdict is %s: %s",
		t.ID, one.code, v.Outcome, v.Reason)
}
