// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/report"
	"fairlead/sim/worker"
)

// far makes this test program the far side: a plan's story says what becomes of the process.
const far = "FAIRLEAD_TEST_FAR_SIDE"

// slow makes its start take longer than a run may be silent.
const slow = "FAIRLEAD_TEST_SLOW_START"

func TestMain(m *testing.M) {
	if os.Getenv(far) == "" {
		os.Exit(m.Run())
	}
	if os.Getenv(slow) != "" {
		<-time.NewTimer(2 * time.Second).C
	}
	if err := worker.Serve(os.Stdin, os.Stdout, act); err != nil {
		panic(err)
	}
}

func act(o worker.Order, p plan.Plan, tell func(time.Duration)) report.Report {
	tell(time.Minute)
	switch p.Story {
	case "panic":
		panic(fmt.Sprintf("the product broke with %d", p.Seed))
	case "hang":
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	case "stand still":
		for {
			tell(time.Minute)
		}
	case "vanish":
		syscall.Exit(0) // os.Exit takes a second with the race detector, as long as a process may be silent here
	case "garbage":
		fmt.Println("what is this?")
	case "late":
		fmt.Printf(`{"number":%d,"report":{"name":"of another order"}}`+"\n", o.Number-1)
	}
	if err := os.WriteFile(filepath.Join(o.Homes, "home"), nil, 0o600); err != nil {
		return report.Report{Trouble: err.Error()}
	}
	r := report.Report{Name: p.Name, Seed: p.Seed, Goals: map[string]int{"pid": os.Getpid()}}
	if p.Story == "flood" {
		r.Findings = []string{strings.Repeat("x", 9<<20)}
	}
	if p.Story == "violate" {
		r.Violations = []check.Violation{{ID: "S14", What: "twice"}}
	}
	return r
}

func drawn(story string, seed uint64) plan.Plan {
	p, err := plan.Parse(fmt.Appendf(nil, "name = 'x'\nstory = %q\nseed = %d\n[[server]]\nname = 'srv-1'", story, seed))
	if err != nil {
		panic(err)
	}
	return p
}

func newWorker(t *testing.T, l worker.Limits) (w *worker.Worker, homes string) {
	t.Helper()
	homes = t.TempDir()
	w = worker.New(worker.Command{Path: os.Args[0], Env: append(os.Environ(), far+"=1")}, l, homes, 0)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(homes); len(left) > 0 {
			t.Errorf("homes are left: %v", left)
		}
	})
	return w, homes
}

// TestEveryPlanHasItsOutcome: whatever becomes of the process, the plan that was its is blamed, and the
// next one finds a process.
func TestEveryPlanHasItsOutcome(t *testing.T) {
	w, _ := newWorker(t, worker.Limits{Silence: time.Second})
	for i, c := range []struct {
		story string
		fate  worker.Fate
		wrong string // the violation
	}{
		{"", worker.Done, ""},
		{"panic", worker.Crashed, "crash at 0s panic: the product broke with 2"},
		{"violate", worker.Done, "S14 at 0s twice"},
		{"hang", worker.Hung, "hang at 0s its time stood still for 1s"},
		{"", worker.Done, ""},
		{"stand still", worker.Hung, "hang at 0s its time stood still for 1s"},
		{"vanish", worker.Crashed, "crash at 0s the process said nothing"},
		{"garbage", worker.Crashed, "crash at 0s it answered: what is this?"},
		{"", worker.Done, ""},
		{"late", worker.Crashed, "crash at 0s it answered order 9, and was asked for order 10"},
		{"", worker.Done, ""},
	} {
		p := drawn(c.story, uint64(i+1))
		told := time.Duration(0)
		o, err := w.Run(t.Context(), p, worker.Files{}, func(at time.Duration) { told = at })
		if err != nil {
			t.Fatal(err)
		}
		var wrong []string
		for _, v := range o.Wrong() {
			wrong = append(wrong, v.String())
		}
		if got := strings.Join(wrong, "; "); o.Fate != c.fate || got != c.wrong {
			t.Errorf("%d %q: fate %q, wrong %q, want %q and %q\n%s", i, c.story, o.Fate, got, c.fate, c.wrong, o.Said)
		}
		if o.Report.Seed != p.Seed || told != time.Minute {
			t.Errorf("%d %q: the outcome is of seed %d, want %d; told %s", i, c.story, o.Report.Seed, p.Seed, told)
		}
		if c.fate == worker.Hung && !strings.Contains(o.Said, "worker_test.act") {
			t.Errorf("%d: the stacks do not show who hangs:\n%s", i, o.Said)
		}
	}
}

// TestASlowStartIsNoSilence: a process on a busy machine has not begun the run yet.
func TestASlowStartIsNoSilence(t *testing.T) {
	t.Setenv(slow, "1")
	w, _ := newWorker(t, worker.Limits{Silence: time.Second})
	if o, err := w.Run(t.Context(), drawn("", 1), worker.Files{}, nil); err != nil || o.Fate != worker.Done {
		t.Errorf("got %v, %q: %s", err, o.Fate, o.Said)
	}
}

// TestAnAnswerThatIsTooLong is told of: the process has not died without a word.
func TestAnAnswerThatIsTooLong(t *testing.T) {
	w, _ := newWorker(t, worker.Limits{})
	o, err := w.Run(t.Context(), drawn("flood", 1), worker.Files{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = "its answer cannot be read: bufio.Scanner: token too long; a line has 8388608 bytes at most"
	if wrong := o.Wrong(); len(wrong) != 1 || wrong[0].What != want {
		t.Errorf("got %v, want %q", wrong, want)
	}
}

func TestAProcessIsReplacedAfterSomeRuns(t *testing.T) {
	w, _ := newWorker(t, worker.Limits{Runs: 2})
	var pids []int
	for range 5 {
		o, err := w.Run(t.Context(), drawn("", 1), worker.Files{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, o.Report.Goals["pid"])
	}
	if pids[0] != pids[1] || pids[1] == pids[2] || pids[2] != pids[3] || pids[3] == pids[4] {
		t.Errorf("processes %v, want a new one after each two", pids)
	}
}

func TestTheCallerGivesUp(t *testing.T) {
	w, _ := newWorker(t, worker.Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	o, err := w.Run(ctx, drawn("hang", 1), worker.Files{}, func(time.Duration) { cancel() })
	if err != nil || o.Fate != worker.Stopped || len(o.Wrong()) != 0 {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestNoProcess(t *testing.T) {
	w := worker.New(worker.Command{Path: filepath.Join(t.TempDir(), "none")}, worker.Limits{}, t.TempDir(), 0)
	if _, err := w.Run(t.Context(), drawn("", 1), worker.Files{}, nil); errkind.Of(err) != errkind.Internal {
		t.Errorf("got %v, want Internal", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestServeRefuses(t *testing.T) {
	var out bytes.Buffer
	if err := worker.Serve(strings.NewReader("no order\n"), &out, act); errkind.Of(err) != errkind.Corrupt {
		t.Errorf("got %v, want Corrupt", err)
	}
	bad, err := json.Marshal(worker.Order{Number: 3, Plan: "name = 'x'"})
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Serve(bytes.NewReader(append(bad, '\n')), &out, act); err != nil {
		t.Fatal(err)
	}
	var r worker.Reply
	last := bytes.LastIndexByte(bytes.TrimSpace(out.Bytes()), '\n') // those before say that the far side is there
	if err := json.Unmarshal(out.Bytes()[last+1:], &r); err != nil || r.Number != 3 || !strings.Contains(r.Report.Trouble, "server") {
		t.Errorf("got %s, %v: want the trouble with the plan", out.String(), err)
	}
}

func TestSame(t *testing.T) {
	crash := func(what string) check.Violation { return check.Violation{ID: "crash", What: what} }
	if worker.Same(crash("panic: index 7 of 0xc0ffee")) != worker.Same(crash("panic: index 12 of 0xdead")) {
		t.Error("a panic is another one with other numbers")
	}
	if worker.Same(crash("panic: a")) == worker.Same(crash("panic: b")) {
		t.Error("two panics are the same")
	}
	if worker.Same(check.Violation{ID: "S14", What: "a"}) != worker.Same(check.Violation{ID: "S14", What: "b"}) {
		t.Error("a statement is another one with other words")
	}
}

func TestHomesAreApart(t *testing.T) {
	a, err := worker.MakeHomes()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(a)
	b, err := worker.MakeHomes()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(b)
	if a == b || len(a) != len(b) {
		t.Errorf("%s and %s: want two paths of one length", a, b)
	}
}
