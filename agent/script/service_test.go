// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

func kill(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

// waitClaim returns the process that claimed the ticket.
func waitClaim(t testing.TB, a *agent, id string) host.ProcessID {
	t.Helper()
	var c struct{ Process host.ProcessID }
	path := filepath.Join(a.home, "tickets", id, "claim")
	until(t, "claim of "+id, func() bool { return exists(path) })
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c.Process
}

func TestScriptRuns(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	order := bash("a", "echo out; echo err >&2; printf 'no newline'; pwd; exit 7")
	order.Variables = map[string]string{"Greeting": "hello", "Octopus.X": "a b\nc'd"}
	a.start(t, order)
	w := a.watch(t, "a")
	work := filepath.Join(a.home, "tickets/a/work")
	if got, want := w.text(contract.Stdout), "out\nno newline"+work+"\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got := w.text(contract.Stderr); got != "err\n" {
		t.Errorf("stderr %q", got)
	}
	if w.verdict.Outcome != contract.Failed || w.verdict.Code != 7 || w.verdict.Reason == "" {
		t.Errorf("verdict %+v, want failed with 7", w.verdict)
	}
	for _, s := range w.statuses[:len(w.statuses)-1] {
		if s.State == contract.Finished {
			t.Errorf("a status before the last is finished: %+v", s)
		}
	}
	info, err := os.Stat(filepath.Join(a.home, "tickets/a"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("ticket folder: %v, %v", info, err)
	}
}

func TestVariablesReachBothInterpreters(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	for _, interpreter := range []string{"bash", "sh"} {
		order := bash(interpreter, "get_octopusvariable 'My.Name'; echo; ls no-such-file; env | grep -c secret")
		order.Script.Interpreter = interpreter
		order.Variables = map[string]string{"My.Name": "se'cret \\ $(x)\nsecond", "env:SHOWN": "yes"}
		a.start(t, order)
		w := a.watch(t, order.Ticket)
		if got, want := w.text(contract.Stdout), "se'cret \\ $(x)\nsecond\n0\n"; got != want {
			t.Errorf("%s: stdout %q, want %q", interpreter, got, want)
		}
		if got := w.text(contract.Stderr); strings.Count(got, "\n") != 1 {
			t.Errorf("%s: stderr %q, want the message of ls alone", interpreter, got)
		}
	}
}

// TestScriptsKnowWherePackagesAre, whatever the order says.
func TestScriptsKnowWherePackagesAre(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	order := bash("a", "get_octopusvariable octopus.tentacle.agent.applicationdirectorypath")
	order.Variables = map[string]string{"Octopus.Tentacle.Agent.applicationDirectoryPath": "/elsewhere"}
	a.start(t, order)
	if got, want := a.watch(t, "a").text(contract.Stdout), filepath.Join(a.home, "applications"); strings.TrimSpace(got) != want {
		t.Errorf("the folder is %q, want %q", got, want)
	}
}

func TestPackageOrderRunsTheStep(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	order := bash("p", "")
	order.Script = nil
	order.Package = &contract.Package{ID: "Web", Version: "1.0", Format: "zip", SHA256: strings.Repeat("ab", 32), SubstituteIn: []string{}}
	a.start(t, order)
	w := a.watch(t, "p")
	if got := w.text(contract.Stdout); got != "step of p\n" || w.verdict.Code != 3 {
		t.Errorf("stdout %q, verdict %+v", got, w.verdict)
	}
}

func TestKnownTicketStartsNothing(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	effects := filepath.Join(a.home, "effects")
	order := bash("a", "echo x >> "+effects)
	for range 5 {
		a.start(t, order)
	}
	a.watch(t, "a")
	if s := a.start(t, order); s.State != contract.Finished {
		t.Errorf("status %+v, want finished", s)
	}
	if raw, _ := os.ReadFile(effects); string(raw) != "x\n" {
		t.Errorf("effects %q, want one", raw)
	}
	if err := a.Forget(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := a.Forget(t.Context(), "a"); err != nil {
		t.Errorf("second Forget = %v", err)
	}
	for _, again := range []*agent{a, nil} {
		if again == nil {
			a.stop()
			again = newAgent(t, a.home, script.Options{})
		}
		if _, err := again.Start(t.Context(), encode(order)); errkind.Of(err) != errkind.Conflict {
			t.Errorf("Start of a forgotten ticket = %v, want Conflict", err)
		}
		if s, err := again.Status(t.Context(), "a"); err != nil || s.State != contract.Unknown {
			t.Errorf("Status = %+v, %v, want unknown", s, err)
		}
	}
	if exists(filepath.Join(a.home, "tickets/a")) {
		t.Error("the folder of a forgotten ticket is still there")
	}
}

// A new owner that was told of a full or broken disk asks again; only a durable epoch is an answer.
func TestQ9EpochIsDurableBeforeItIsAnswered(t *testing.T) {
	home := t.TempDir()
	order := bash("a", "true")
	order.Task, order.Epoch = "ServerTasks-1", 5
	a := newAgent(t, home, script.Options{})
	a.start(t, order)
	a.watch(t, "a")
	ledger := filepath.Join(home, "tickets", ".ledger")
	if err := os.Mkdir(ledger, 0o700); err != nil {
		t.Fatal(err)
	}
	order.Epoch = 7
	if _, err := a.Start(t.Context(), encode(order)); errkind.Of(err) != errkind.Unavailable {
		t.Errorf("Start with a broken ledger = %v", err)
	}
	if err := os.Remove(ledger); err != nil {
		t.Fatal(err)
	}
	a.start(t, order)
	a.stop()
	stale := bash("b", "true")
	stale.Task, stale.Epoch = "ServerTasks-1", 6
	b := newAgent(t, home, script.Options{})
	if _, err := b.Start(t.Context(), encode(stale)); errkind.Of(err) != errkind.Conflict {
		t.Errorf("Start with epoch 6 after 7 was answered = %v, want Conflict", err)
	}
}

// Nothing is started beside a ticket of which nobody knows whether it runs.
func TestRunNamesTheTicketThatCannotBeRead(t *testing.T) {
	home := t.TempDir()
	a := newAgent(t, home, script.Options{})
	a.start(t, bash("a", "true"))
	a.watch(t, "a")
	a.stop()
	claim := filepath.Join(home, "tickets", "a", "claim")
	if err := os.Remove(claim); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(claim, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := script.New(home, host.Real(quiet()), script.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = b.Run(t.Context())
	if errkind.Of(err) != errkind.Internal || !strings.Contains(errkind.Hint(err), filepath.Dir(claim)) {
		t.Errorf("Run = %v, hint %q", err, errkind.Hint(err))
	}
}

func TestQ9OldEpochIsRefused(t *testing.T) {
	home := t.TempDir()
	order := func(ticket string, epoch int64) contract.Order {
		o := bash(ticket, "true")
		o.Task, o.Epoch = "ServerTasks-1", epoch
		return o
	}
	a := newAgent(t, home, script.Options{})
	a.start(t, order("a", 5))
	a.watch(t, "a")
	refused := func(a *agent, ticket string, epoch int64) {
		t.Helper()
		if _, err := a.Start(t.Context(), encode(order(ticket, epoch))); errkind.Of(err) != errkind.Conflict {
			t.Errorf("Start with epoch %d = %v, want Conflict", epoch, err)
		}
	}
	refused(a, "b", 4)
	if s := a.start(t, order("a", 4)); s.State != contract.Finished {
		t.Errorf("a known ticket = %+v, want its status whatever the epoch", s)
	}
	a.start(t, order("a", 7)) // the new owner asks again
	refused(a, "b", 6)
	if err := a.Forget(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	a.stop()
	b := newAgent(t, home, script.Options{})
	refused(b, "b", 6)
	b.start(t, order("b", 7))
	b.watch(t, "b")
}

func TestCancelEndsGrandchildrenThatIgnoreTERM(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	a.start(t, bash("a", `bash -c 'trap "" TERM; echo $$ > pid1; echo ready; while :; do sleep 0.05; done' &
		trap "" TERM; set -m; bash -c 'trap "" TERM; echo $$ > pid2; echo ready; while :; do sleep 0.05; done' & while :; do wait; done`))
	work := filepath.Join(a.home, "tickets/a/work")
	until(t, "both up", func() bool { return exists(work+"/pid1") && exists(work+"/pid2") })
	began := time.Now()
	if _, err := a.Cancel(t.Context(), contract.CancelArgs{Ticket: "a", GraceMS: 200, By: "mia"}); err != nil {
		t.Fatal(err)
	}
	w := a.watch(t, "a")
	if took := time.Since(began); took < 200*time.Millisecond || took > 5*time.Second {
		t.Errorf("canceled after %v, want the grace of 200 ms and little more", took)
	}
	if w.verdict.Outcome != contract.Canceled || !strings.Contains(w.verdict.Reason, "mia") {
		t.Errorf("verdict %+v, want canceled by mia", w.verdict)
	}
	if remarks := w.text(contract.Agent); !strings.Contains(remarks, "TERM") || !strings.Contains(remarks, "killed") {
		t.Errorf("remarks %q", remarks)
	}
	for _, name := range []string{"pid1", "pid2"} {
		raw, err := os.ReadFile(filepath.Join(work, name))
		if err != nil {
			t.Fatal(err)
		}
		until(t, name+" gone", func() bool {
			stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(raw)) + "/stat")
			return err != nil || strings.Contains(string(stat), ") Z ")
		})
	}
	// Row 22: a cancel that comes late changes nothing.
	if s, err := a.Cancel(t.Context(), contract.CancelArgs{Ticket: "a", By: "late"}); err != nil || *s.Verdict != w.verdict {
		t.Errorf("late Cancel = %+v, %v", s, err)
	}
}

func TestQ4CancelOfAnUnknownTicketIsRemembered(t *testing.T) {
	home := t.TempDir()
	a := newAgent(t, home, script.Options{})
	if _, err := a.Cancel(t.Context(), contract.CancelArgs{Ticket: "a", By: "mia"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := a.start(t, bash("a", "echo x >> "+home+"/effects"))
		if s.State != contract.Finished || s.Verdict.Outcome != contract.Canceled {
			t.Errorf("Start = %+v, want canceled", s)
		}
		a.watch(t, "a")
		a.stop()
		a = newAgent(t, home, script.Options{})
	}
	if exists(home + "/effects") {
		t.Error("the script ran")
	}
}

func TestTimeOut(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	order := bash("a", "echo before; sleep 300; echo after")
	order.TimeoutMS = 300
	a.start(t, order)
	w := a.watch(t, "a")
	if w.verdict.Outcome != contract.TimedOut || w.text(contract.Stdout) != "before\n" {
		t.Errorf("verdict %+v, output %q", w.verdict, w.text(contract.Stdout))
	}
}

func TestTenMegabytesArriveWhole(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	a.start(t, bash("a", "head -c 10485760 /dev/zero | tr '\\0' x | fold -w 999; echo; echo end >&2"))
	w := a.watch(t, "a") // compares the hash
	out := w.text(contract.Stdout)
	if got := strings.Count(out, "x"); got != 10485760 || !strings.HasPrefix(out, strings.Repeat("x", 999)+"\nx") {
		t.Errorf("%d bytes arrived", got)
	}
	// Any record's offset is a place to go on from.
	middle := w.records[len(w.records)/2]
	rest, err := watch(t.Context(), a.Service, "a", middle.Offset, nil)
	if err != nil || len(rest.records) != len(w.records)-len(w.records)/2 {
		t.Errorf("follow from %d: %d records, %v", middle.Offset, len(rest.records), err)
	}
	for _, offset := range []int64{-1, 1, middle.Offset + 16 + 5, w.verdict.LogEnd + 1} {
		if err := a.Follow(t.Context(), "a", offset, contract.FollowWriter{W: discard{}}); errkind.Of(err) != errkind.Invalid {
			t.Errorf("Follow from %d = %v, want Invalid", offset, err)
		}
	}
	if err := a.Follow(t.Context(), "nobody", 0, contract.FollowWriter{W: discard{}}); errkind.Of(err) != errkind.NotFound {
		t.Errorf("Follow of an unknown ticket = %v, want NotFound", err)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestOutputWithoutNewlineAppearsSoon(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	a.start(t, bash("a", "printf 'Continue? '; date +%s%N > at; sleep 300"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var seen contract.Record
	_, _ = watch(ctx, a.Service, "a", 0, func(r contract.Record) {
		seen = r
		cancel()
	})
	if string(seen.Text) != "Continue? " || seen.Flags&contract.FlagMore == 0 {
		t.Fatalf("saw %+v", seen)
	}
	raw, err := os.ReadFile(filepath.Join(a.home, "tickets/a/work/at"))
	if err != nil {
		t.Fatal(err)
	}
	var at int64
	if _, err := fmt.Sscan(string(raw), &at); err != nil {
		t.Fatal(err)
	}
	if late := time.Since(time.Unix(0, at)); late > time.Second {
		t.Errorf("it appeared after %v, want under 1 s", late)
	}
}

func TestBackgroundChildDoesNotHoldTheVerdict(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	a.start(t, bash("a", "sleep 30 & echo $! > pid; echo done"))
	began := time.Now()
	w := a.watch(t, "a")
	if took := time.Since(began); w.verdict.Outcome != contract.Succeeded || took > 10*time.Second {
		t.Errorf("verdict %+v after %v", w.verdict, took)
	}
	raw, err := os.ReadFile(filepath.Join(a.home, "tickets/a/work/pid"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(raw), &pid); err != nil || kill(pid) != nil {
		t.Errorf("what the script left running deliberately is gone: %v", err)
	}
}
