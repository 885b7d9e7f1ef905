// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/internal/cli"
	"fairlead/netem"
	"fairlead/sim/bubble"
	"fairlead/sim/check"
	"fairlead/sim/plan"
	"fairlead/sim/report"
	"fairlead/sim/worker"
)

// TestMain makes this program the far side when a command starts it as such: a plan's story says what
// becomes of it. Plans that are drawn or written here go wrong by a freeze; those of the library, which tell
// a story of their own, hold.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != farCommand {
		os.Exit(m.Run())
	}
	if err := worker.Serve(os.Stdin, os.Stdout, act); err != nil {
		panic(err)
	}
}

func act(o worker.Order, p plan.Plan, _ func(time.Duration)) report.Report {
	r := report.Report{
		Name: p.Name, Hash: p.Hash(), Seed: p.Seed, Virtual: time.Hour, AgentHours: 3, Findings: []string{"all is quiet"},
		Digest: netem.Digest{Shape: "aa", Meta: "bb", Content: "cc"}, Goals: map[string]int{"failed": 1},
	}
	switch {
	case p.Story == "panic":
		panic("the product broke")
	case p.Story == "trouble":
		r.Trouble = "the segment is full"
	case p.Story == "differ":
		r.Digest.Meta = strconv.Itoa(os.Getpid())
	case len(p.Faults) > 0 && p.Faults[0].Kind == "host.freeze" && (p.Story == "" || p.Story == wardStory):
		r.Violations = []check.Violation{{ID: "S14", At: time.Minute, What: "frozen"}}
	}
	return r
}

// typed runs a command line and returns what it printed.
func typed(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = Main(t.Context(), args, cli.IO{Out: &o, Err: &e}, "v1.2.3")
	return o.String(), e.String(), code
}

// written is a file with a plan in it.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const wardStory = "STORY"

const ward = "name = 'x'\nstory = '" + wardStory + "'\nseed = 7\n[[server]]\nname = 'srv-1'\n[[agents]]\nname = 'web'\n"

func withStory(story string) string { return strings.Replace(ward, wardStory, story, 1) }

func TestCommandsSayWhatIsWrong(t *testing.T) {
	frozen := ward + "[[fault]]\nat = '1s'\nkind = 'host.freeze'\n"
	for _, c := range []struct {
		name, file string // FILE in args is a file with this text
		args       string
		code       int
		out, errs  []string
	}{
		{"a plan that holds", ward, "run FILE", 0, []string{"all is quiet", "S14     holds", "digest aa bb cc", "seed 7"}, nil},
		{"another seed", ward, "run FILE --seed 9", 0, []string{"seed 9"}, nil},
		{"a seed that is none", ward, "run FILE --seed x", 2, nil, []string{"--seed"}},
		{"a violation", frozen, "run FILE", 1, []string{"violated 1x", "S14 at 1m0s frozen"}, []string{"1 violation"}},
		{"a crash", withStory("panic"), "run FILE", 1, []string{"crash at 0s panic: the product broke", "command.act"}, []string{"1 violation"}},
		{"a plan that cannot be", withStory("trouble"), "run FILE", 2, nil, []string{"cannot be carried out: the segment is full"}},
		{"an unknown key", ward + "idel = 1\n", "run FILE", 2, nil, []string{"line 8: unknown key agents.idel"}},
		{"an unknown name", "", "run ward-nat-forgts", 3, nil, []string{"did you mean ward-nat-forgets?"}},
		{"no such file", "", "run ./none.toml", 3, nil, []string{"there is no file ./none.toml"}},
		{"an unknown command", "", "runn", 2, nil, []string{`did you mean "run"?`}},
		{"check prints the plan", ward, "check FILE", 0, []string{"target = 'srv-1:10943'"}, nil},
		{"check of a scenario", "", "check ward-nat-forgets", 0, []string{"nat-ward"}, nil},
		{"twice the same", ward, "check FILE --twice", 0, []string{"two runs are the same"}, nil},
		{"twice and not the same", withStory("differ"), "check FILE --twice", 3, nil, []string{"compare traces"}}, // the fake has none
		{"list", "", "list", 0, []string{"ward-nat-forgets", "NAME"}, nil},
		{"presets", "", "presets", 0, []string{"aws-natgw", "5m50s", "nat"}, nil},
		{"faults", "", "faults", 0, []string{"nat.flush", "swizzle-clog"}, nil},
		{"statements", "", "statements", 0, []string{"S14", "isolation-wait"}, nil},
		{"search needs a profile", "", "search --profile swam", 3, nil, []string{"did you mean swarm?"}},
		{"search with no process", "", "search --processes 0", 2, nil, []string{"want 1 to 64"}},
		{"shrink", frozen, "shrink FILE --keep DIR", 0, []string{"host.freeze", "S14-", "runs"}, nil},
		{"shrink what is right", ward, "shrink FILE --keep DIR", 3, nil, []string{"violates nothing"}},
		{
			"replay", "# violated: S14 at 1m0s frozen\n# digest: aa bb xx\n" + frozen, "replay FILE", 1,
			[]string{"S14 at 1m0s frozen: comes again", "differ in bytes on the wire alone"},
			nil,
		},
		{
			"replay of what was mended", "# violated: S5 at 1m0s gone\n# digest: aa bb cc\n" + ward, "replay FILE", 0,
			[]string{"does not come again", "the recorded one, to the last byte"},
			nil,
		},
		{"determinism", "", "determinism --only ward-nat-forgets --runs 3", 0, []string{"1 scenarios, 3 processes, 0 scenarios"}, nil},
		{"an unknown mutant", "", "mutants --only claim-renam", 3, nil, []string{"claim-rename"}},
		{"mutants without sources", "", "mutants --root /", 1, nil, []string{"--root"}},
		{"diff of nothing", "", "diff a b", 3, nil, []string{"compare traces"}},
		{"bench", "", "bench --budget 3ms", 0, []string{"agent-hours a minute", "plans a second"}, nil},
		{
			"everything at once", withStory("x") + "idel = 1\ncount = 'two'\ntarget = 'srv-9:1'\n[[fault]]\nat = '1s'\nkind = 'nat.flsh'\n",
			"check FILE", 2,
			[]string{
				"line 8: unknown key agents.idel\n", "agents.count: want a whole number", "\nagents web target: ", `there is no "srv-9"`,
				"did you mean nat.flush?\n",
			},
			[]string{"has 4 problems"},
		},
		{"check of a folder", "", "check DIR", 2, nil, []string{"is a folder: want a TOML file"}},
		{"a trace into no folder", ward, "run FILE --trace DIR/none/x", 2, nil, []string{"--trace: nothing can be written there"}},
		{"a picture over a folder", ward, "run FILE --view DIR", 2, nil, []string{"--view: nothing can be written there"}},
		{"a log of a replay", ward, "replay FILE --log DIR/none/x", 2, nil, []string{"--log: nothing can be written there"}},
		{"a search that can keep nothing", ward, "search --keep FILE", 2, nil, []string{"--keep", "name another folder"}},
		{"a campaign that can keep nothing", ward, "campaign --keep FILE/x", 2, nil, []string{"--keep", "name another folder"}},
		{"a shrinker that can keep nothing", frozen, "shrink FILE --keep FILE", 2, nil, []string{"--keep", "name another folder"}},
		{"view into no folder", ward, "view FILE --out DIR/none/x", 2, nil, []string{"--out: nothing can be written there"}},
		{"view of nothing", "", "view none.jsonl", 3, nil, []string{"draw a time line"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := strings.Fields(strings.NewReplacer("FILE", written(t, c.file), "DIR", t.TempDir()).Replace(c.args))
			out, errs, code := typed(t, args...)
			if code != c.code {
				t.Errorf("it ended with %d, want %d", code, c.code)
			}
			for _, want := range c.out {
				if !strings.Contains(out, want) {
					t.Errorf("it printed no %q", want)
				}
			}
			for _, want := range c.errs {
				if !strings.Contains(errs, want) {
					t.Errorf("it complained of no %q", want)
				}
			}
			if t.Failed() {
				t.Logf("$ fairlead-sim %s\n%s%s", c.args, out, errs)
			}
		})
	}
}

// TestSearchKeepsWhatWentWrong: small, with the command that replays it, and an exit code.
func TestSearchKeepsWhatWentWrong(t *testing.T) {
	keep := t.TempDir()
	out, errs, code := typed(t, "search", "--budget", "20s", "--stop", "1", "--seed", "3", "--json", "--keep", keep)
	var got outcome
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	if code != 1 || got.Violated == 0 || len(got.Failures) != 1 || !strings.HasPrefix(got.Failures[0].Violated, "S14") {
		t.Fatalf("it ended with %d: %s%s", code, out, errs)
	}
	p, err := plan.Load(got.Failures[0].File)
	if err != nil || len(p.Faults) != 1 || p.Machines() != 1 {
		t.Errorf("%v: the plan is not small\n%s", err, p.Format())
	}
	if got.Plans == 0 || got.Goals["failed"] == 0 || len(got.Missed) == 0 {
		t.Errorf("it counted %s", out)
	}
	left, err := os.ReadDir(keep)
	if err != nil || len(left) != 1 {
		t.Errorf("%v: left are %v, want the failure alone", err, left)
	}
}

func TestCampaignRunsEveryScenario(t *testing.T) {
	out, errs, code := typed(t, "campaign", "--budget", "1ms", "--keep", t.TempDir(), "--shrink", "0", "--stop", "0", "--json")
	var got outcome
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	const least = 30
	if got.Plans < least {
		t.Errorf("it ended with %d after %d plans, want all scenarios", code, got.Plans)
	}
	if _, errs, code := typed(t, "campaign", "--budget", "1ms", "--keep", t.TempDir(), "--goals", "--stop", "0", "--shrink", "0"); code != 1 ||
		!strings.Contains(errs, "no run reached") {
		t.Errorf("goals that no run reached: it ended with %d: %s", code, errs)
	}
}

// TestInterrupted: the homes go, and the exit code says so.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := Main(ctx, []string{"search", "--keep", t.TempDir()}, cli.IO{Out: &out, Err: &errs}, "v1.2.3")
	const interruptedCode = 130
	if code != interruptedCode {
		t.Errorf("it ended with %d: %s", code, errs.String())
	}
}

// TestTheProgram is the built program with the real far side: two runs of it are the same, and what it
// leaves behind can be read.
func TestTheProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to build with")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "fairlead-sim")
	root, err := exec.Command(goTool, "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	// As make simulator builds it: with the runtime as it comes, two runs differ beside other tests.
	overlay, err := bubble.Overlay(strings.TrimSpace(string(root)), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(goTool, "build", "-overlay", overlay, "-ldflags", "-X testing.testBinary=1", "-o", program,
		"../fairlead-sim").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := func(code int, args ...string) string {
		t.Helper()
		command := exec.Command(program, args...)
		command.Dir = dir
		out, err := command.CombinedOutput()
		if command.ProcessState.ExitCode() != code {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	first := run(0, "run", "dmz-https-only", "--trace", "a.jsonl", "--pcap", "a.pcapng", "--log", "a.log", "--view", "a.html")
	if !strings.Contains(first, "digest ") || !strings.Contains(first, "goals") {
		t.Errorf("it printed\n%s", first)
	}
	for name, begin := range map[string]string{"a.jsonl": "{", "a.pcapng": "\x0a\x0d\x0d\x0a", "a.log": "", "a.html": "<!"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.HasPrefix(string(text), begin) || len(text) == 0 {
			t.Errorf("%s: %v, %d bytes", name, err, len(text))
		}
	}
	if out := run(0, "check", "dmz-https-only", "--twice"); !strings.Contains(out, "two runs are the same") {
		t.Errorf("it printed\n%s", out)
	}
	run(0, "run", "dmz-https-only", "--trace", "b.jsonl")
	if out := run(0, "diff", "a.jsonl", "b.jsonl"); !strings.Contains(out, "the traces are the same") {
		t.Errorf("it printed\n%s", out)
	}
	if out := run(0, "view", "a.jsonl"); !strings.HasPrefix(out, "<!") {
		t.Errorf("it drew %.80s", out)
	}
}
