// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/netem"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/report"
	"fairlead/sim/worker"
)

// far makes this test program the far side of a worker: a plan's story says what becomes of the process.
const far = "FAIRLEAD_TEST_FAR_SIDE"

func TestMain(m *testing.M) {
	if os.Getenv(far) == "" {
		os.Exit(m.Run())
	}
	if err := worker.Serve(os.Stdin, os.Stdout, act); err != nil {
		panic(err)
	}
}

func act(o worker.Order, p plan.Plan, tell func(time.Duration)) report.Report {
	tell(0)
	r := report.Report{
		Name: p.Name, Virtual: time.Hour, AgentHours: 2, Digest: netem.Digest{Shape: p.Hash(), Content: p.Hash()},
		Faults: map[string]int{"nat.flush": 3}, Goals: map[string]int{"failed": 2},
	}
	switch p.Story {
	case "panic":
		panic(fmt.Sprintf("the product broke in %s", p.Name))
	case "hang":
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	case "violate":
		r.Violations = []check.Violation{{ID: "S14", What: "twice in " + p.Name}}
	case "differ":
		r.Digest.Content = fmt.Sprint(os.Getpid(), o.Number)
	}
	return r
}

// story is a plan in which this happens.
func story(t *testing.T, number int, what string) plan.Plan {
	t.Helper()
	p, err := plan.Parse(fmt.Appendf(nil, "name = 'plan %d'\nstory = %q\n[[server]]\nname = 'srv-1'", number, what))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func workers(t *testing.T, n int) (runners []Runner) {
	t.Helper()
	for i := range n {
		w := worker.New(worker.Command{Path: os.Args[0], Env: append(os.Environ(), far+"=1")},
			worker.Limits{Silence: 2 * time.Second}, t.TempDir(), i)
		t.Cleanup(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		runners = append(runners, w)
	}
	return runners
}

// TestCampaignBlamesTheRightPlan for a panic and a hang of one of two processes, and goes on.
func TestCampaignBlamesTheRightPlan(t *testing.T) {
	fates := map[int]string{3: "panic", 7: "hang", 11: "violate", 13: "violate", 16: "differ"}
	const plans = 20
	box := t.TempDir()
	c := Campaign{
		Runners: workers(t, 2), Twice: func(number int) bool { return number%4 == 0 }, BlackBox: box,
		Next: func(number int) (plan.Plan, bool, error) {
			return story(t, number, fates[number]), number < plans, nil
		},
	}
	tally, failures, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	blamed := map[string]string{}
	for _, f := range failures {
		blamed[f.Violated[0].ID] = f.Plan.Name
	}
	if blamed["crash"] != "plan 3" || blamed["hang"] != "plan 7" || blamed["digest"] != "plan 16" ||
		blamed["S14"] != "plan 11" && blamed["S14"] != "plan 13" || len(blamed) != 4 {
		t.Errorf("blamed %v", blamed)
	}
	if tally.Plans != plans || tally.Twice != plans/4 || tally.Runs != plans+plans/4 || tally.Violated != len(fates) {
		t.Errorf("counted %+v", tally)
	}
	if want := 3 * (tally.Runs - 2); tally.Faults["nat.flush"] != want || tally.Goals["failed"] != want/3 {
		t.Errorf("faults %v, goals %v", tally.Faults, tally.Goals)
	}
	if left, _ := os.ReadDir(box); len(left) > 0 {
		t.Errorf("the black box holds %v after the end", left)
	}
}

// TestCampaignShrinksACrash across processes: each try that crashes has one of its own.
func TestCampaignShrinksACrash(t *testing.T) {
	p := story(t, 1, "panic")
	p.Ops = []plan.Op{{Do: plan.DoHealth}, {Do: plan.DoHealth}}
	f, _, err := Shrinker{Runners: workers(t, 2)}.Shrink(t.Context(), p)
	if err != nil || f.Violated[0].What != "panic: the product broke in plan 1" || len(f.Plan.Ops) != 0 {
		t.Errorf("%v: %+v", err, f)
	}
	if !strings.Contains(f.Said, "search.act") {
		t.Errorf("the stack does not show where:\n%s", f.Said)
	}
}

func TestCampaignStops(t *testing.T) {
	for _, c := range []struct {
		name     string
		campaign Campaign
		plans    int
	}{
		{"after the first violation", Campaign{Stop: 1}, 3},
		{"when the budget is spent", Campaign{Budget: time.Nanosecond, Sure: 5}, 5},
		{"when there are no more plans", Campaign{}, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := c.campaign
			run.Runners = []Runner{&judge{wrong: func(p plan.Plan) string {
				return map[bool]string{true: "S12"}[p.Name == "plan 2"]
			}}}
			run.Next = func(number int) (plan.Plan, bool, error) { return story(t, number, ""), number < 9, nil }
			if tally, _, err := run.Run(t.Context()); err != nil || tally.Plans != c.plans {
				t.Errorf("%+v, %v: want %d plans", tally, err, c.plans)
			}
		})
	}
	broken := Campaign{
		Runners: []Runner{&judge{}},
		Next:    func(int) (plan.Plan, bool, error) { return plan.Plan{}, true, errkind.Internal.Errorf("no draw") },
	}
	if _, _, err := broken.Run(t.Context()); errkind.Of(err) != errkind.Internal {
		t.Errorf("a draw that breaks: %v", err)
	}
}

// TestFailuresAreReadBack: the file of a failure is a plan, and tells what was seen.
func TestFailuresAreReadBack(t *testing.T) {
	f := Failure{
		Plan: story(t, 1, "x"), Digest: netem.Digest{Shape: "a", Meta: "b", Content: "c"}, Said: "panic: x\n\tat y\n",
		Violated: []check.Violation{{ID: "S14", At: time.Minute, Who: "web-1", What: "two\nlines"}},
	}
	path, err := f.Save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if want := "S14-" + f.Plan.Hash() + ".toml"; filepath.Base(path) != want {
		t.Errorf("it lies in %s, want %s", path, want)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	back, is := ReadFailure(text, p)
	if !is || back.Plan.Hash() != f.Plan.Hash() || back.Digest != f.Digest || back.Violated[0].ID != "S14" ||
		!strings.Contains(back.Violated[0].What, "web-1: two lines") {
		t.Errorf("read back %+v from\n%s", back, text)
	}
	if _, is := ReadFailure([]byte("name = 'x'\n"), p); is {
		t.Error("a plan without comments is a failure")
	}
}

// lateCrash carries a plan out once, and dies of it from then on.
type lateCrash struct{ runs int }

func (r *lateCrash) Run(_ context.Context, p plan.Plan, _ worker.Files, _ func(time.Duration)) (worker.Outcome, error) {
	if r.runs++; r.runs > 1 {
		return worker.Outcome{Fate: worker.Crashed, Said: "panic: it came late"}, nil
	}
	return worker.Outcome{Report: report.Report{Digest: netem.Digest{Shape: p.Hash()}}}, nil
}

// TestASecondRunThatDiesIsACrash: that it has no digest is not what is wrong with it.
func TestASecondRunThatDiesIsACrash(t *testing.T) {
	p := story(t, 1, "late")
	tally, failures, err := Campaign{
		Runners: []Runner{&lateCrash{}}, Sure: 1, Twice: func(int) bool { return true },
		Next: func(n int) (plan.Plan, bool, error) { return p, n == 0, nil },
	}.Run(t.Context())
	if err != nil || tally.Twice != 1 || len(failures) != 1 {
		t.Fatalf("%v, %v, %v", tally, failures, err)
	}
	if got := failures[0].Violated[0].String(); got != "crash at 0s panic: it came late" {
		t.Errorf("the second run is blamed for %q", got)
	}
}

func TestDiffers(t *testing.T) {
	a := netem.Digest{Shape: "s", Meta: "m", Content: "c", Lines: 1}
	for want, b := range map[string]netem.Digest{
		"": a, "shape": {Shape: "x", Meta: "m", Content: "c"}, "meta": {Shape: "s", Meta: "x", Content: "c"},
		"content": {Shape: "s", Meta: "m", Content: "x"},
	} {
		if got := Differs(a, b); want == "" != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q in it", b, got, want)
		}
	}
}
