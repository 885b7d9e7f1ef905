// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

// Bounds on how long a machine is waited for beside what its step allows.
const (
	// patienceShort is how much shorter an absence may look from here: a silent death is noticed late.
	patienceShort = 10 * time.Second
	// patienceLong is how much longer it may be: a server that is back gives the machine two minutes to call, and
	// people look at tasks from time to time.
	patienceLong = 5 * time.Minute
)

func patience() Statement {
	return Statement{
		ID: "S22", Says: "a machine that a script may give up is given up after as long as that, not before, however " +
			"often the server starts anew",
		Judge: judgePatience,
	}
}

// judgePatience looks at tasks of one script, whose end is that of its ticket. One that was never sent waits as long as
// for any machine.
func judgePatience(r history.Run) (bad []Violation) {
	x := newIndex(r)
	for _, t := range r.End.Tickets {
		allowed, task, name := x.policy(t), x.tasks[t.Task], x.machines[t.Machine]
		if t.StateID == "" || allowed.WhenLost != deploy.LostFails || task.Kind != deploy.ScriptTask || task.CancelAsked ||
			x.gone(name) || x.suspect(name) {
			continue
		}
		end, ended := x.completedAt(t.Task)
		if !ended {
			end = r.Over
		}
		say := func(what string, away time.Duration) {
			text := fmt.Sprintf("script %s may give the machine up after %s: it %s after %s without it",
				t.ID, allowed.LostAfter, what, away.Round(time.Second))
			bad = append(bad, Violation{At: end, Who: name, What: text})
		}
		longest, last := x.absences(t.Machine, x.asked[t.Task], end)
		if t.Ruling == deploy.RulingLost && last < allowed.LostAfter-patienceShort {
			say("did so", last)
		}
		if longest > allowed.LostAfter+patienceLong {
			say("had not done so", longest)
		}
	}
	return bad
}

// absences are for how long no server held a session with a machine, between two moments: at most, and at the second
// one.
func (x *index) absences(id deploy.MachineID, from, to time.Duration) (longest, last time.Duration) {
	held := map[string]int{} // sessions by server
	since := from
	for _, e := range x.run.Of(history.Entered, history.Left, history.Crashed, history.Ended) {
		had := len(held) > 0
		switch {
		case e.At > to:
			continue
		case e.Kind == history.Crashed || e.Kind == history.Ended:
			delete(held, e.Who) // what a dead server held ended without a word
		case e.Peer != id:
			continue
		case e.Kind == history.Entered:
			held[e.Who]++
		default:
			if held[e.Who]--; held[e.Who] <= 0 {
				delete(held, e.Who)
			}
		}
		switch has := len(held) > 0; {
		case had && !has:
			since = max(from, e.At)
		case has && !had:
			longest = max(longest, e.At-since)
		}
	}
	if len(held) == 0 {
		last = to - since
	}
	return max(longest, last), last
}
