// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// evidence is everything that is known at the end.
type evidence struct {
	acked   []string // deployments that the server said it had taken
	tasks   []task
	logs    map[string]string // by task
	effects string            // what the scripts wrote
}

// The rules.
const (
	ruleTaken    = "no deployment that was taken is lost"
	ruleSucceeds = "every deployment succeeds"
	ruleOnce     = "no step runs twice"
	ruleAll      = "no step is skipped"
	ruleOrder    = "steps run one after the other"
	ruleOutput   = "each line of output is in the log once"
	ruleSoon     = "the next server goes on within 10 s"
)

func rules() []string {
	return []string{ruleTaken, ruleSucceeds, ruleOnce, ruleAll, ruleOrder, ruleOutput, ruleSoon}
}

// breach is a rule that was broken, and where.
type breach struct{ rule, where, detail string }

// effect is one line of the scripts' file.
type effect struct {
	step    int
	machine string
	isEnd   bool
}

// check judges. It reads nothing but its receiver.
func (e evidence) check() (list []breach) {
	byTask, unknown := e.split()
	if unknown != "" {
		list = append(list, breach{ruleOnce, "effects", unknown})
	}
	for _, id := range e.acked {
		if !slices.ContainsFunc(e.tasks, func(t task) bool { return t.ID == id }) {
			list = append(list, breach{ruleTaken, id, "the server does not know it"})
		}
	}
	if len(e.acked) == 0 {
		list = append(list, breach{ruleTaken, "all", "none was taken: the run proves nothing"})
	}
	for _, t := range e.tasks {
		if t.State != "Success" {
			list = append(list, breach{ruleSucceeds, t.ID, t.State + " " + t.ErrorMessage})
		}
		list = append(list, checkEffects(t.ID, byTask[t.ID])...)
		list = append(list, checkOutput(t.ID, e.logs[t.ID])...)
	}
	return list
}

// split sorts the effects by task. Unknown says what belongs to none.
func (e evidence) split() (byTask map[string][]effect, unknown string) {
	byTask = map[string][]effect{}
	known := map[string]bool{}
	for _, t := range e.tasks {
		known[t.ID] = true
	}
	for line := range strings.Lines(e.effects) {
		var id, word string
		var one effect
		n, _ := fmt.Sscanf(line, "%s %d %s %s", &id, &one.step, &one.machine, &word)
		one.isEnd = word == "end"
		if n != 4 || !known[id] {
			unknown = fmt.Sprintf("%q belongs to no deployment", line)
			continue
		}
		byTask[id] = append(byTask[id], one)
	}
	return byTask, unknown
}

func checkEffects(id string, effects []effect) (list []breach) {
	count := map[effect]int{}
	open, last := 0, 0
	for _, one := range effects {
		count[one]++
		if one.step < last || one.step > last && open > 0 {
			list = append(list, breach{ruleOrder, id, fmt.Sprintf("step %d on %s while step %d had not ended",
				one.step, one.machine, last)})
		}
		last = max(last, one.step)
		open++
		if one.isEnd {
			open -= 2
		}
	}
	for n := range stepCount {
		for _, machine := range machineNames() {
			for _, isEnd := range []bool{false, true} {
				got := count[effect{n + 1, machine, isEnd}]
				where := fmt.Sprintf("step %d on %s: %d times", n+1, machine, got)
				switch {
				case got == 0:
					list = append(list, breach{ruleAll, id, where})
				case got > 1:
					list = append(list, breach{ruleOnce, id, where})
				}
			}
		}
	}
	return list
}

func checkOutput(id, log string) (list []breach) {
	for n := range stepCount {
		for _, machine := range machineNames() {
			mark := fmt.Sprintf("mark %s %d %s\n", id, n+1, machine)
			if got := strings.Count(log, mark); got != 1 {
				list = append(list, breach{ruleOutput, id, fmt.Sprintf("%q is there %d times", mark, got)})
			}
		}
	}
	return list
}

// slowStarts judges how soon servers went on.
func slowStarts(took []time.Duration) (list []breach) {
	for i, d := range took {
		if d > goesOnLimit {
			list = append(list, breach{ruleSoon, fmt.Sprintf("start %d", i+1), d.Round(time.Millisecond).String()})
		}
	}
	return list
}
