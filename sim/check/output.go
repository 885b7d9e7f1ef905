// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func output() Statement {
	return Statement{
		ID: "S7", Says: "what the server's log shows of a script is a prefix of what it said, without gap or repeat, " +
			"and all of it once the verdict is an exit",
		Judge: judgeOutput,
	}
}

// shown is what a ticket's script said, and what of it the task's log shows.
type shown struct {
	ticket    deploy.Ticket
	who       string
	said, log []string
	excused   bool // the log says that something was lost
}

func judgeOutput(r history.Run) (bad []Violation) {
	x := newIndex(r)
	for _, s := range x.outputs() {
		what := s.fault()
		if _, complete := x.completedAt(s.ticket.Task); what == "" && complete && s.whole() && len(s.log) < len(s.said) {
			what = fmt.Sprintf("its verdict is %s, and its log ends after line %d of %d",
				s.ticket.Verdict.Outcome, len(s.log), len(s.said))
		}
		if what != "" {
			what = fmt.Sprintf("ticket %s of %s: %s", s.ticket.ID, s.ticket.Task, what)
			bad = append(bad, Violation{At: r.Over, Who: s.who, What: what})
		}
	}
	return bad
}

// outputs compares the words of each ticket with its task's log, in the order of the tickets.
func (x *index) outputs() (all []shown) {
	said := map[contract.TicketID][]string{}
	who := map[contract.TicketID]string{}
	for _, e := range x.run.Of(history.Said) {
		said[e.Ticket] = append(said[e.Ticket], e.Text)
		who[e.Ticket] = e.Who
	}
	logs := map[deploy.TaskID][]logLine{}
	for _, id := range slices.Sorted(maps.Keys(x.run.End.Logs)) {
		logs[id] = parseLog(x.run.End.Logs[id])
	}
	for _, t := range x.run.End.Tickets {
		lines, have := logs[t.Task]
		if !have || len(said[t.ID]) == 0 {
			continue
		}
		s := shown{ticket: t, who: who[t.ID], said: said[t.ID]}
		own := map[string]bool{}
		for _, line := range s.said {
			own[line] = true
		}
		for _, l := range lines {
			if l.node != x.node(t) {
				continue
			}
			if own[l.text] {
				s.log = append(s.log, l.text)
			}
			s.excused = s.excused || tellsLoss(l.text)
		}
		all = append(all, s)
	}
	return all
}

// tellsLoss reports whether a line says, as the contract allows, that output was not kept.
func tellsLoss(text string) bool {
	return strings.Contains(text, "output is lost") || strings.Contains(text, "not kept") ||
		strings.Contains(text, "reached its size limit")
}

// fault says where the log is no prefix; "" when it is one.
func (s shown) fault() string {
	if s.excused {
		return ""
	}
	for i, line := range s.log {
		switch {
		case i < len(s.said) && line == s.said[i]:
		case slices.Contains(s.log[:i], line):
			return fmt.Sprintf("line %d of its log repeats %q", i+1, line)
		case i < len(s.said):
			return fmt.Sprintf("line %d of its log is %q, and the script said %q there", i+1, line, s.said[i])
		}
	}
	return ""
}

// whole reports whether the verdict promises all of the output.
func (s shown) whole() bool {
	v := s.ticket.Verdict
	return !s.excused && v != nil && v.Outcome != contract.Indeterminate && v.Outcome != contract.NotStarted
}
