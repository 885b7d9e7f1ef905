// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// fine is a run in which nothing went wrong.
func fine() evidence {
	e := evidence{acked: []string{"T-1"}, tasks: []task{{ID: "T-1", State: "Success"}}, logs: map[string]string{}}
	for n := range stepCount {
		for _, word := range []string{"begin", "end"} {
			for _, machine := range machineNames() {
				e.effects += fmt.Sprintf("T-1 %d %s %s\n", n+1, machine, word)
			}
		}
		for _, machine := range machineNames() {
			e.logs["T-1"] += fmt.Sprintf("12:00 mark T-1 %d %s\n", n+1, machine)
		}
	}
	return e
}

// TestEachRuleIsChecked: what breaks a rule is found under its name, and nothing else is.
func TestEachRuleIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*evidence)
		want  string
	}{
		"nothing":     {func(*evidence) {}, ""},
		"lost":        {func(e *evidence) { e.acked = append(e.acked, "T-2") }, ruleTaken},
		"none":        {func(e *evidence) { *e = evidence{} }, ruleTaken},
		"failed":      {func(e *evidence) { e.tasks[0].State = "Failed" }, ruleSucceeds},
		"twice":       {func(e *evidence) { e.effects += "T-1 4 m-2 begin\nT-1 4 m-2 end\n" }, ruleOnce},
		"unknown":     {func(e *evidence) { e.effects += "T-9 4 m-2 begin\n" }, ruleOnce},
		"skipped":     {func(e *evidence) { e.effects = strings.ReplaceAll(e.effects, "T-1 2 m-1 end\n", "") }, ruleAll},
		"early":       {func(e *evidence) { e.effects = "T-1 2 m-1 begin\n" + e.effects }, ruleOrder},
		"line lost":   {func(e *evidence) { e.logs["T-1"] = e.logs["T-1"][30:] }, ruleOutput},
		"line double": {func(e *evidence) { e.logs["T-1"] += "x mark T-1 1 m-1\n" }, ruleOutput},
	} {
		t.Run(name, func(t *testing.T) {
			e := fine()
			c.spoil(&e)
			found := map[string]bool{}
			for _, b := range e.check() {
				found[b.rule] = true
			}
			if c.want == "" && len(found) > 0 || c.want != "" && !found[c.want] {
				t.Errorf("found %v, want %q", found, c.want)
			}
		})
	}
	if got := slowStarts([]time.Duration{time.Second, 11 * time.Second}); len(got) != 1 || got[0].rule != ruleSoon {
		t.Errorf("slow starts: %v", got)
	}
}
