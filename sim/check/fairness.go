// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

func fairness() Statement {
	return Statement{
		ID: "L7", Says: "of the machines that a step asks at once, none that is on line and idle waits while others " +
			"have begun",
		Judge: judgeFairness,
	}
}

// stage is one action of a step on all of its machines.
type stage struct {
	task         deploy.TaskID
	step, action int
}

func judgeFairness(r history.Run) (bad []Violation) {
	x := newIndex(r)
	bound := Bounds(r.Plan)["L7"]
	all, faults := executions(r), outages(r)
	began := map[deploy.MachineID]map[stage]time.Duration{}
	first := map[stage]time.Duration{}
	for _, one := range all {
		t, known := x.tickets[one.ticket]
		if !known {
			continue
		}
		at := stage{t.Task, t.Step, t.Action}
		if began[t.Machine] == nil {
			began[t.Machine] = map[stage]time.Duration{}
		}
		if _, already := began[t.Machine][at]; !already {
			began[t.Machine][at] = one.from
		}
		if _, already := first[at]; !already {
			first[at] = one.from
		}
	}
	for _, t := range r.End.Tickets {
		at, name := stage{t.Task, t.Step, t.Action}, x.machines[t.Machine]
		from, moving := first[at]
		own, started := began[t.Machine][at]
		refused := t.Verdict != nil && !started
		if !moving || refused || !x.atOnce(t) || !quiet(faults, from-bound, from+bound) || from+bound > r.Over ||
			!x.idle(name, all, t, from, from+bound) {
			continue
		}
		if !started || own > from+bound {
			what := fmt.Sprintf("ticket %s of %s has not begun %s after the first of its step, and the machine was idle",
				t.ID, t.Task, bound)
			bad = append(bad, Violation{At: from + bound, Who: name, What: what})
		}
	}
	return bad
}

// atOnce reports whether a ticket is of the first action of a step without a window.
func (x *index) atOnce(t deploy.Ticket) bool {
	steps := x.tasks[t.Task].Plan.Steps
	if t.Step >= len(steps) || t.Action > 0 || t.Attempt > 1 || !x.isScript(t) || x.tasks[t.Task].CancelAsked {
		return false
	}
	window := steps[t.Step].Window
	return window == 0 || window >= len(steps[t.Step].Machines)
}

// idle reports whether a machine was on line all the time, with no script of another ticket.
func (x *index) idle(name string, all []execution, t deploy.Ticket, from, to time.Duration) bool {
	if !x.upAt(name, from) || !slices.Contains(x.agents(), name) {
		return false
	}
	moved := slices.ContainsFunc(x.run.Events, func(e history.Event) bool {
		mine := e.Who == name && (e.Kind == history.LineDown || e.Kind == history.Crashed || e.Kind == history.Ended)
		servers := x.isServer(e.Who) && (e.Kind == history.Crashed || e.Kind == history.Ended || e.Kind == history.Launched)
		return (mine || servers) && from <= e.At && e.At <= to
	})
	busy := slices.ContainsFunc(all, func(one execution) bool {
		return one.who == name && one.ticket != t.ID && one.from <= to && from <= one.to
	})
	return !moved && !busy
}
