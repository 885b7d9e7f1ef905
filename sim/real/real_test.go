// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package real_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/internal/demo"
	"fairlead/netem/netns"
	"fairlead/sim/history"
	"fairlead/sim/plan"
	"fairlead/sim/real"
)

// together is how many plans run for real at once. They wait most of the time; more would make a
// machine with two processors late.
const together = 3

// homes is where homes lie: memory, where there is some.
func homes() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

func programs(t *testing.T) demo.Programs {
	t.Helper()
	root, err := demo.FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	p, err := demo.FindPrograms(t.Context(), root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// chosen are our plans, or those that FAIRLEAD_REAL_ONLY is part of the name of.
func chosen(t *testing.T) (plans []plan.Plan) {
	t.Helper()
	all, err := real.Plans()
	if err != nil {
		t.Fatal(err)
	}
	only := os.Getenv("FAIRLEAD_REAL_ONLY")
	for _, p := range all {
		if strings.Contains(p.Name, only) {
			plans = append(plans, p)
		}
	}
	if len(plans) == 0 {
		t.Fatalf("no plan has %q in its name", only)
	}
	return plans
}

// FAIRLEAD_REAL_KEEP names a folder that gets the programs' logs, and one history for each plan and world.
func TestKernelAgreesWithTheSimulator(t *testing.T) {
	if why := netns.Missing(); why != "" {
		t.Skip("the kernel and the simulator are not compared: " + why)
	}
	plans := chosen(t)
	o := real.Options{Programs: programs(t), Dir: homes(), Keep: os.Getenv("FAIRLEAD_REAL_KEEP")}
	simulated := make([]other, len(plans))
	for i, p := range plans { // before the others, so that they are not disturbed
		simulated[i] = simulate(t, p, o.Keep)
	}
	comparisons := make([]real.Comparison, len(plans))
	places := make(chan struct{}, together)
	var group sync.WaitGroup
	for i, p := range plans {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			began := time.Now()
			h, err := real.Run(t.Context(), p, o)
			if err != nil {
				t.Errorf("run %q for real: %v", p.Name, err)
			}
			keep(t, o.Keep, p, "real", h)
			outcome := real.OutcomeOf(h)
			comparisons[i] = real.Comparison{
				Plan: p.Name, Took: time.Since(began), With: simulated[i].world, Rows: real.Compare(outcome, simulated[i].outcome),
			}
			if rows := real.Compare(outcome, known(t, p)); !real.Agree(rows) { // both could be wrong
				t.Errorf("%q came out in a way that nobody would expect: %+v", p.Name, rows)
			}
		})
	}
	group.Wait()
	if err := real.Write(os.Stdout, comparisons); err != nil {
		t.Error(err)
	}
	for _, c := range comparisons {
		if !real.Agree(c.Rows) {
			t.Errorf("%s: the kernel and the simulator differ", c.Plan)
		}
	}
}

// known are the outcomes that reason tells: a line is dead after 60 s without a word, of which the
// path's death takes a part; whoever hears of an end is back within the first waits of the back-off.
func known(t *testing.T, p plan.Plan) real.Outcome {
	t.Helper()
	both := map[string]int{"op1 web-1": 1, "op1 web-2": 1}
	success := map[string]string{"op1": "Success"}
	outcome, some := map[uint64]real.Outcome{
		1: {Online: 2, Verdicts: success, Starts: both, Noticed: 50 * s, Back: 51 * s, Decided: 37 * s},
		2: {Online: 2, Verdicts: success, Starts: both, Noticed: 56 * s, Back: 57 * s, Decided: 61 * s},
		3: {Online: 2, Verdicts: success, Starts: both, Noticed: s / 10, Back: 5 * s, Decided: 13 * s},
		4: {Online: 1, Verdicts: success, Starts: map[string]int{"op1 web-1": 1}, Noticed: s / 2, Back: s, Decided: 18 * s},
		5: {
			Online: 2, Verdicts: map[string]string{"op1": "Success", "op2": "Failed"},
			Starts: map[string]int{"op1 web-1": 1, "op1 web-2": 1, "op2 web-1": 1}, Decided: 3 * s,
		},
	}[p.Seed]
	if !some {
		t.Errorf("nothing is known of plan %q, seed %d", p.Name, p.Seed)
	}
	return outcome
}

// keep writes a history down for whoever looks for the reason of a difference.
func keep(t *testing.T, dir string, p plan.Plan, world string, h history.Run) {
	t.Helper()
	if dir == "" {
		return
	}
	var out strings.Builder
	for _, e := range h.Events {
		fmt.Fprintf(&out, "%8.3f %-13s %-8s %s %s %s %s\n", e.At.Seconds(), e.Kind, e.Who, e.Task, e.Ticket, e.Text, e.Cause)
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(dir+"/"+p.Hash()+"."+world+".txt", []byte(out.String()), 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}
