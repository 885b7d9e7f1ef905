// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// index answers what several statements ask of one run.
type index struct {
	run      history.Run
	machines map[deploy.MachineID]string
	tickets  map[contract.TicketID]deploy.Ticket
	tasks    map[deploy.TaskID]deploy.Task
	asked    map[deploy.TaskID]time.Duration // when people asked for a task, as far as they were answered
	ended    map[deploy.TaskID]time.Duration // when people first saw a task's end
	removed  map[string]time.Duration        // machines, and when people heard that they are gone
	leaving  map[string]bool                 // machines whose removal was asked for, whatever the answer
}

func newIndex(r history.Run) *index {
	x := &index{
		run: r, machines: map[deploy.MachineID]string{}, tickets: map[contract.TicketID]deploy.Ticket{},
		tasks: map[deploy.TaskID]deploy.Task{}, asked: map[deploy.TaskID]time.Duration{}, removed: map[string]time.Duration{},
		ended: map[deploy.TaskID]time.Duration{}, leaving: map[string]bool{},
	}
	for _, m := range r.End.Machines {
		x.machines[m.ID] = m.Name
	}
	for _, t := range r.End.Tickets {
		x.tickets[t.ID] = t
	}
	for _, t := range r.End.Tasks {
		x.tasks[t.ID] = t
	}
	x.hear()
	return x
}

// hear goes through what people asked, were answered and saw.
func (x *index) hear() {
	asked := map[string]time.Duration{}
	for _, e := range x.run.Of(history.Asked, history.Answered, history.Seen) {
		name, isRemoval := strings.CutPrefix(e.Text, "remove ")
		_, before := x.ended[e.Task]
		switch at, known := asked[e.Text]; {
		case e.Kind == history.Asked:
			asked[e.Text] = e.At
			x.leaving[name] = x.leaving[name] || isRemoval
		case e.Kind == history.Seen:
			if !before && deploy.TaskState(e.Text).IsCompleted() {
				x.ended[e.Task] = e.At
			}
		case isRemoval && accepted(e):
			x.removed[name] = e.At
		case e.Task != "" && known && e.Text != cancelWord:
			if _, before := x.asked[e.Task]; !before {
				x.asked[e.Task] = at
			}
		}
	}
}

// accepted reports whether an answer says that it was done.
func accepted(e history.Event) bool { return e.Code >= 200 && e.Code < 300 }

// cancelWord is how people's wish for the end of a task stands in the history.
const cancelWord = "cancel"

// agents lists the machines with an agent, in the order of the plan.
func (x *index) agents() (names []string) {
	for _, group := range x.run.Plan.Agents {
		for i := range group.Count {
			names = append(names, fmt.Sprintf("%s-%d", group.Name, i+1))
		}
	}
	return names
}

// group returns the group that an agent belongs to.
func (x *index) group(name string) plan.Agents {
	for _, group := range x.run.Plan.Agents {
		for i := range group.Count {
			if name == fmt.Sprintf("%s-%d", group.Name, i+1) {
				return group
			}
		}
	}
	return plan.Agents{}
}

func (x *index) isServer(name string) bool {
	return slices.ContainsFunc(x.run.Plan.Servers, func(s plan.Server) bool { return s.Name == name })
}

// action returns what a ticket stands for; ok is false when the plan of its task does not hold it.
func (x *index) action(t deploy.Ticket) (a deploy.Action, ok bool) {
	steps := x.tasks[t.Task].Plan.Steps
	if t.Step >= len(steps) || t.Action >= len(steps[t.Step].Actions) {
		return a, false
	}
	return steps[t.Step].Actions[t.Action], true
}

// isScript reports whether a ticket starts one script and nothing else.
func (x *index) isScript(t deploy.Ticket) bool {
	a, ok := x.action(t)
	return ok && a.Kind == deploy.ScriptAction
}

// node is where the lines of a ticket stand in its task's log: "1/Machines-3".
func (x *index) node(t deploy.Ticket) string {
	number := t.Step + 1
	if steps := x.tasks[t.Task].Plan.Steps; t.Step < len(steps) {
		number = steps[t.Step].Number
	}
	return fmt.Sprintf("%d/%s", number, t.Machine)
}

// completedAt is when people saw the end of a task first; ok is false when they never did.
func (x *index) completedAt(id deploy.TaskID) (at time.Duration, ok bool) {
	at, ok = x.ended[id]
	return at, ok
}

// id is what the server calls a machine in the end; "" for one that it does not know.
func (x *index) id(name string) deploy.MachineID {
	for _, m := range x.run.End.Machines {
		if m.Name == name {
			return m.ID
		}
	}
	return ""
}

// gone reports whether a machine was removed: people heard so, or they asked for it, the answer got
// lost, and the server does not know the machine any more.
func (x *index) gone(name string) bool {
	_, heard := x.removed[name]
	return heard || x.leaving[name] && x.id(name) == ""
}

// rewound reports whether a machine was taken back in time since a moment.
func (x *index) rewound(name string, since time.Duration) bool {
	return slices.ContainsFunc(x.run.Of(history.Crashed), func(e history.Event) bool {
		return e.Who == name && e.Text == rollbackWord && e.At >= since
	})
}

// copied reports whether a machine's disk was copied to another one.
func (x *index) copied(name string) bool {
	return slices.ContainsFunc(x.run.Of(history.FaultOn), func(e history.Event) bool {
		return e.Who == name && e.Text == plan.Clone
	})
}

// suspect reports whether the server has reason to hold a machine off: it was taken back in time, or
// its key may answer from two places.
func (x *index) suspect(name string) bool { return x.rewound(name, 0) || x.copied(name) }

// apart reports whether a machine is none of the fleet in the end: it was removed, or the server has put
// it into quarantine, and had reason to.
func (x *index) apart(name string) bool {
	return x.gone(name) || x.suspect(name) && x.quarantine(name) != ""
}

// quarantine is why the server holds a machine off; "" when it does not.
func (x *index) quarantine(name string) string {
	for _, m := range x.run.End.Machines {
		if m.Name == name {
			return m.Quarantine
		}
	}
	return ""
}

// lastOf is when something of these kinds happened last for somebody; 0 for never.
func (x *index) lastOf(who string, kinds ...history.Kind) (at time.Duration) {
	for _, e := range x.run.Of(kinds...) {
		if e.Who == who {
			at = e.At
		}
	}
	return at
}
