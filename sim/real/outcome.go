// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
	"fairlead/sim/plan"
)

// Outcome is what came of a run, as far as it must be the same on both sides.
type Outcome struct {
	// Online is how many agents are on line at the end.
	Online int
	// Verdicts are the states in which the tasks of scripts ended, by "op1".
	Verdicts map[string]string
	// Starts counts how often each script was started, by "op1 web-1".
	Starts map[string]int
	// LinesLost are the lines that scripts said and the server does not have.
	LinesLost int
	// Noticed is how long it took, at most, until an agent noticed that its line was dead, Back until
	// the last one was on line again; both since the cause, 0 where a plan has none.
	Noticed, Back time.Duration
	// Decided is how long people waited for a verdict, at most.
	Decided time.Duration
}

// OutcomeOf sums up a run.
func OutcomeOf(r history.Run) Outcome {
	o := Outcome{Online: len(r.End.Online), Verdicts: map[string]string{}, Starts: map[string]int{}}
	names := opsByTask(r)
	for task, name := range names {
		verdict, waited := verdictOf(r, task)
		o.Verdicts[name], o.Decided = verdict, max(o.Decided, waited)
	}
	for _, e := range r.Of(history.Started) {
		o.Starts[names[e.Task]+" "+e.Who]++
	}
	o.LinesLost = linesLost(r, names)
	o.Noticed, o.Back = reactions(r)
	return o
}

// verdictOf is the last state that was seen of a task, and how long after it was asked for.
func verdictOf(r history.Run, task deploy.TaskID) (verdict string, waited time.Duration) {
	asked := time.Duration(0)
	verdict = "nobody looked"
	for _, e := range r.Of(history.Answered, history.Seen) {
		switch {
		case e.Task != task:
		case e.Kind == history.Answered && asked == 0:
			asked = e.At
		case e.Kind == history.Seen && e.Text != "":
			verdict, waited = e.Text, e.At-asked
		}
	}
	return verdict, waited
}

// opsByTask tells which op began a task.
func opsByTask(r history.Run) map[deploy.TaskID]string {
	names := map[deploy.TaskID]string{}
	for _, e := range r.Of(history.Answered) {
		if name, is := strings.CutPrefix(e.Text, "script "); is && e.Task != "" {
			names[e.Task] = name
		}
	}
	return names
}

// opName is how a run calls an op of its plan.
func opName(i int) string { return fmt.Sprintf("op%d", i+1) }

// lineOf is a line that no other script says.
func lineOf(op, machine string, n int) string { return fmt.Sprintf("%s-%s-%d", op, machine, n) }

func linesLost(r history.Run, names map[deploy.TaskID]string) (lost int) {
	logged := map[string]bool{}
	for task := range names {
		for word := range strings.FieldsSeq(r.End.Logs[task]) {
			logged[word] = true
		}
	}
	for i, op := range r.Plan.Ops {
		if op.Do != plan.DoScript {
			continue
		}
		for _, machine := range machines(r.Plan, op.On) {
			for n := range op.Lines {
				if !logged[lineOf(opName(i), machine, n+1)] {
					lost++
				}
			}
		}
	}
	return lost
}

// machines are the agents of a name, of a group, or all.
func machines(p plan.Plan, on string) (names []string) {
	if on == "" {
		on = "all"
	}
	for _, a := range p.Agents {
		for i := range a.Count {
			if name := fmt.Sprintf("%s-%d", a.Name, i+1); on == "all" || on == a.Name || on == name {
				names = append(names, name)
			}
		}
	}
	return names
}

// reactions measures from the cause to the last agent's notice, and to the last one's return.
func reactions(r history.Run) (noticed, back time.Duration) {
	cause, some := causeOf(r)
	if !some {
		return 0, 0
	}
	down, up := map[string]time.Duration{}, map[string]time.Duration{}
	for _, e := range r.Of(history.LineDown, history.LineUp) {
		_, fell := down[e.Who]
		_, rose := up[e.Who]
		switch {
		case e.At < cause || e.At > r.Over:
		case e.Kind == history.LineDown && !fell && wasUp(r, e):
			down[e.Who] = e.At - cause
		case e.Kind == history.LineUp && fell && !rose:
			up[e.Who] = e.At - cause
		}
	}
	return latest(down), latest(up)
}

// wasUp reports whether an agent's line was up before it fell.
func wasUp(r history.Run, fall history.Event) (up bool) {
	for _, e := range r.Of(history.LineDown, history.LineUp) {
		if e.Who == fall.Who && e.At < fall.At {
			up = e.Kind == history.LineUp
		}
	}
	return up
}

// latest is 0 for none; what happened in the very instant counts as a nanosecond.
func latest(times map[string]time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return max(1, slices.Max(slices.Collect(maps.Values(times))))
}

// causeOf is when lines began to die: the first fault or change of servers, or else the moment when
// the first box may have forgotten them.
func causeOf(r history.Run) (cause time.Duration, some bool) {
	begin := time.Duration(0)
	for _, e := range r.Of(history.Phase) {
		if e.Text == "safety" {
			begin = e.At
		}
	}
	take := func(at time.Duration) {
		if !some || at < cause {
			cause, some = at, true
		}
	}
	for _, f := range r.Plan.Faults {
		take(begin + f.At.D())
	}
	for _, op := range r.Plan.Ops {
		if op.Do == plan.DoRestart || op.Do == plan.DoFailover {
			take(begin + op.At.D())
		}
	}
	if some {
		return cause, true
	}
	for _, up := range r.Of(history.LineUp) {
		for _, b := range r.Plan.Boxes {
			if b.Idle > 0 {
				take(up.At + b.Idle.D())
			}
		}
	}
	return cause, some
}
