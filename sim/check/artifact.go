// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"

	"fairlead/internal/contract"
	"fairlead/sim/history"
)

func artifacts() Statement {
	return Statement{
		ID: "S15", Says: "each file that a script handed over lies on the server, whole and once, when the script's end is " +
			"known",
		Judge: judgeArtifacts,
	}
}

// judgeArtifacts asks for the files of tickets whose verdict is that of the process which waited for the script; with
// any other nobody knows what was handed over.
func judgeArtifacts(r history.Run) (bad []Violation) {
	known := map[contract.TicketID]bool{}
	for _, t := range r.End.Tickets {
		for _, v := range []*contract.Verdict{t.Verdict, t.Late} {
			if v != nil && (v.Outcome == contract.Succeeded || v.Outcome == contract.Failed) {
				known[t.ID] = true
			}
		}
	}
	lies := map[history.Artifact]int{}
	for _, a := range r.End.Artifacts {
		lies[a]++
	}
	for _, e := range r.Of(history.Gave) {
		a := history.Artifact{Ticket: e.Ticket, Name: e.Text, Size: e.N, SHA256: e.Cause}
		if n := lies[a]; n != 1 && (known[e.Ticket] || n > 1) {
			bad = append(bad, Violation{
				At: e.At, Who: e.Who,
				What: fmt.Sprintf("%s of ticket %s lies on the server %d times, want once", a.Name, a.Ticket, n),
			})
		}
		delete(lies, a)
	}
	for _, a := range r.End.Artifacts {
		if lies[a] > 0 {
			bad = append(bad, Violation{
				At:   r.Over,
				What: fmt.Sprintf("%s of ticket %s, %d bytes, is not what a script handed over", a.Name, a.Ticket, a.Size),
			})
		}
	}
	return bad
}
