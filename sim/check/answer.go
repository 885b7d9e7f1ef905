// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func answers() Statement {
	return Statement{
		ID: "S9", Says: "a request reaches only the agent that it names, an answer only its request, and our own " +
			"programs never break the line's protocol",
		Judge: judgeAnswers,
	}
}

func judgeAnswers(r history.Run) (bad []Violation) {
	x := newIndex(r)
	home := map[string]string{} // of each line that one ticket alone said: task and node
	for _, e := range r.Of(history.Started, history.Said, history.LineDown, history.Left) {
		t, known := x.tickets[e.Ticket]
		name := x.machines[t.Machine]
		switch {
		case (e.Kind == history.LineDown || e.Kind == history.Left) && strings.Contains(e.Text, faultWords):
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: "the protocol of the line was broken: " + e.Text})
		case e.Kind == history.Started && known && name != "" && name != e.Who:
			what := fmt.Sprintf("ticket %s started here and is for %s", e.Ticket, name)
			bad = append(bad, Violation{At: e.At, Who: e.Who, What: what})
		case e.Kind == history.Said && known:
			here := string(t.Task) + " " + x.node(t)
			if other, said := home[e.Text]; said && other != here {
				here = ""
			}
			home[e.Text] = here
		}
	}
	return append(bad, x.strays(home)...)
}

// faultWords begin the text of an error about a peer that broke the protocol.
const faultWords = "line: fault "

// strays finds lines in the logs of tasks whose scripts did not say them.
func (x *index) strays(home map[string]string) (bad []Violation) {
	for _, id := range slices.Sorted(maps.Keys(x.run.End.Logs)) {
		for _, l := range parseLog(x.run.End.Logs[id]) {
			at := home[l.text]
			if at != "" && at != string(id)+" "+l.node {
				what := fmt.Sprintf("the log of %s shows %q at %s, and it was said for %s", id, l.text, l.node, at)
				bad = append(bad, Violation{At: x.run.Over, Who: x.nameAt(l.node), What: what})
			}
		}
	}
	return bad
}

// nameAt is the machine of a place in a log.
func (x *index) nameAt(node string) string {
	_, id, _ := strings.Cut(node, "/")
	return x.machines[deploy.MachineID(id)]
}
