// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/errkind"
	"fairlead/netem"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/report"
	"fairlead/sim/worker"
)

// judge is a Runner that says what is wrong with a plan without running anything.
type judge struct {
	wrong func(plan.Plan) string // the statement that is violated, "" for none

	mu   sync.Mutex
	runs int
}

// Run implements Runner.
func (j *judge) Run(_ context.Context, p plan.Plan, _ worker.Files, _ func(time.Duration)) (worker.Outcome, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.runs++
	o := worker.Outcome{Report: report.Report{Name: p.Name, Virtual: time.Minute, Digest: netem.Digest{Shape: p.Hash()}}}
	if id := j.wrong(p); id != "" {
		o.Report.Violations = []check.Violation{{ID: id, What: "as asked"}}
	}
	return o, nil
}

func has(p plan.Plan, kind string) bool {
	return slices.ContainsFunc(p.Faults, func(f plan.Fault) bool { return f.Kind == kind })
}

func does(p plan.Plan, do string) bool {
	return slices.ContainsFunc(p.Ops, func(o plan.Op) bool { return o.Do == do })
}

// crowded is a plan with a good deal of everything, and the two things that matter.
func crowded(t *testing.T, extra func(*plan.Plan)) plan.Plan {
	t.Helper()
	for number := range 2000 {
		p, err := Draw(Profiles()[0], 3, number)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Faults) < 5 || len(p.Ops) < 5 || len(p.Boxes) < 2 || len(p.Servers) < 2 || p.Machines() < 5 {
			continue
		}
		extra(&p)
		whole, err := plan.Parse(p.Format())
		if err != nil {
			t.Fatal(err)
		}
		return whole
	}
	t.Fatal("no draw is crowded enough")
	return plan.Plan{}
}

// TestShrinkFindsTheMinimum of a violation that needs one fault and one op: nothing else is left, with
// one runner and with three.
func TestShrinkFindsTheMinimum(t *testing.T) {
	p := crowded(t, func(p *plan.Plan) {
		p.Faults = append(p.Faults, plan.Fault{Kind: "agent.crash", On: p.Agents[0].Name, At: p.Safety / 2, Point: "script.intent", Nth: 2})
		p.Ops = append(p.Ops, plan.Op{Do: plan.DoDeploy, At: p.Safety / 3, KB: 1024})
	})
	wrong := func(p plan.Plan) string {
		switch {
		case has(p, "agent.crash") && does(p, plan.DoDeploy):
			return "S14"
		case len(p.Faults)%2 == 1:
			return "L6" // another violation leads nowhere
		}
		return ""
	}
	var found []plan.Plan
	for _, n := range []int{1, 3} {
		var runners []Runner
		for range n {
			runners = append(runners, &judge{wrong: wrong})
		}
		f, runs, err := Shrinker{Runners: runners, Runs: 5000}.Shrink(t.Context(), p)
		if err != nil || f.Violated[0].ID != "S14" {
			t.Fatalf("%+v, %v", f, err)
		}
		q := f.Plan
		if len(q.Faults) != 1 || len(q.Ops) != 1 || q.Machines() != 1 || len(q.Servers) != 1 || len(q.Nets) != 1 ||
			len(q.Boxes)+len(q.Edges)+len(q.Programs) > 0 || q.Seed > 0 {
			t.Errorf("%d runs left\n%s", runs, q.Format())
		}
		if q.Faults[0].At != 0 || q.Faults[0].Point != "" || q.Ops[0].At != 0 || q.Safety > plan.Duration(time.Minute) {
			t.Errorf("times are left\n%s", q.Format())
		}
		found = append(found, q)
	}
	if d := cmp.Diff(found[0], found[1]); d != "" {
		t.Errorf("with three runners it found another plan (-one +three):\n%s", d)
	}
}

// TestShrinkKeepsWhatMatters: whatever the violation hangs on, the result is violated in the same way,
// passes its check, and is not larger.
func TestShrinkKeepsWhatMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		kinds := rapid.SliceOfNDistinct(rapid.SampledFrom(plan.KindNames()), 1, 2, rapid.ID).Draw(t, "kinds")
		agents := rapid.IntRange(1, 3).Draw(t, "agents")
		j := &judge{wrong: func(p plan.Plan) string {
			for _, kind := range kinds {
				if has(p, kind) && p.Machines() >= agents {
					return "L7"
				}
			}
			return ""
		}}
		f, _, err := Shrinker{Runners: []Runner{j}, Runs: 400}.Shrink(context.Background(), p)
		if j.wrong(p) == "" {
			if errkind.Of(err) != errkind.NotFound {
				t.Fatalf("a plan that is right: %v, want NotFound", err)
			}
			return
		}
		if err != nil || j.wrong(f.Plan) != "L7" || f.Plan.Check() != nil {
			t.Fatalf("%v: %+v\n%s", err, f.Violated, f.Plan.Format())
		}
		if len(f.Plan.Faults) > len(p.Faults) || f.Plan.Machines() > p.Machines() || len(f.Plan.Boxes) > len(p.Boxes) {
			t.Errorf("it grew\n%s", f.Plan.Format())
		}
	})
}

// TestShrinkHangsOnNoNumberOfRunners, where a violation comes and goes as plans change: the plan that is
// found and the runs that are counted are the same.
func TestShrinkHangsOnNoNumberOfRunners(t *testing.T) {
	wrong := func(p plan.Plan) string {
		if p.Hash()[0]%3 == 0 {
			return ""
		}
		return "S14"
	}
	for number := range 12 {
		p := crowded(t, func(p *plan.Plan) { p.Seed += uint64(number) })
		if wrong(p) == "" {
			continue
		}
		limit := 40 + 7*number
		one, runs, err := Shrinker{Runners: []Runner{&judge{wrong: wrong}}, Runs: limit}.Shrink(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for n := 2; n < 6; n++ {
			var runners []Runner
			for range n {
				runners = append(runners, &judge{wrong: wrong})
			}
			many, again, err := Shrinker{Runners: runners, Runs: limit}.Shrink(t.Context(), p)
			if d := cmp.Diff(one.Plan, many.Plan); err != nil || d != "" || runs != again {
				t.Errorf("plan %d: %d runs with one runner, %d with %d, %v (-one +more):\n%s", number, runs, again, n, err, d)
			}
		}
	}
}

// TestShrinkCountsEveryRun: a plan whose two runs differ takes two for each try.
func TestShrinkCountsEveryRun(t *testing.T) {
	w := &waverer{judge: judge{wrong: func(plan.Plan) string { return "" }}}
	f, runs, err := Shrinker{Runners: []Runner{w}, Runs: 30}.Shrink(t.Context(), crowded(t, func(*plan.Plan) {}))
	if err != nil || f.Violated[0].ID != digestID || runs != w.runs || runs > 30 {
		t.Errorf("%d runs counted, %d made, %v: %+v", runs, w.runs, err, f.Violated)
	}
}

// waverer runs no plan twice in the same way.
type waverer struct{ judge }

// Run implements Runner.
func (w *waverer) Run(ctx context.Context, p plan.Plan, files worker.Files, tell func(time.Duration)) (worker.Outcome, error) {
	o, err := w.judge.Run(ctx, p, files, tell)
	o.Report.Digest.Meta = strconv.Itoa(w.runs)
	return o, err
}

func TestShrinkKeepsToItsLimits(t *testing.T) {
	j := &judge{wrong: func(plan.Plan) string { return "S12" }}
	_, runs, err := Shrinker{Runners: []Runner{j}, Runs: 7}.Shrink(t.Context(), crowded(t, func(*plan.Plan) {}))
	if err != nil || runs > 7 || j.runs > 7 {
		t.Errorf("%d runs counted, %d made, %v; want at most 7", runs, j.runs, err)
	}
}
