// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// agentMain is an agent that a test talks to by lines: "<ticket>" starts a ticket and follows it;
// "<ticket> <outcome>" or "<ticket> error <text>" comes back.
func agentMain(home string) int {
	env := host.Real(quiet())
	env.Point = crashPoint(home)
	s, err := script.New(home, env, script.Options{MaxUnfinished: 1000})
	if err != nil {
		return 1
	}
	ctx := context.Background()
	var owned sync.WaitGroup
	owned.Go(func() {
		if err := s.Run(ctx); err != nil {
			fmt.Println("agent error", err)
		}
	})
	var out sync.Mutex
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		id := in.Text()
		owned.Go(func() {
			line := serveTicket(ctx, s, home, id)
			out.Lock()
			defer out.Unlock()
			fmt.Println(line)
		})
	}
	return 0
}

// crashPoint ends the process like SIGKILL does, once, at the point that <home>/crash names.
func crashPoint(home string) func(string) {
	return func(name string) {
		path := filepath.Join(home, "crash")
		if raw, err := os.ReadFile(path); err != nil || string(raw) != name || os.Remove(path) != nil {
			return
		}
		_ = kill(os.Getpid())
		select {}
	}
}

// serveTicket starts a ticket and follows it. A ticket that begins with f runs alone.
func serveTicket(ctx context.Context, s *script.Service, home, id string) string {
	order := bash(id, "echo "+id+" >> "+home+"/effects; echo out "+id+"; sleep 0.02; echo done")
	if id[0] == 'f' {
		order.Isolation.Level = contract.IsolationFull
		order.Script.Body = "mkdir " + home + "/alone || echo overlap >> " + home + "/overlaps; " +
			order.Script.Body + "; rmdir " + home + "/alone"
	}
	if id[0] == 'r' {
		order.Script.Body += "; set_octopusvariable A 1; new_octopusartifact " + home + "/effects > told; grep createArtifact told"
	}
	if _, err := s.Start(ctx, encode(order)); err != nil && errkind.Of(err) != errkind.Conflict {
		return id + " error " + err.Error()
	}
	w, err := watch(ctx, s, contract.TicketID(id), 0, nil)
	if err != nil {
		return id + " error " + err.Error()
	}
	if w.verdict.Outcome == contract.Succeeded && w.text(contract.Stdout) != "out "+id+"\ndone\n" {
		return id + " error its log is " + w.text(contract.Stdout)
	}
	if id[0] == 'r' {
		return id + " " + string(w.verdict.Outcome) + " " + resultOf(ctx, s, w, contract.TicketID(id))
	}
	return id + " " + string(w.verdict.Outcome)
}

// agentProcess is one life of the agent in a process of its own.
type agentProcess struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string
	owned sync.WaitGroup
}

func startAgentProcess(t *testing.T, home string) *agentProcess {
	t.Helper()
	p := &agentProcess{cmd: exec.Command(os.Args[0], "agent", home), lines: make(chan string, 1000)}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.owned.Go(func() {
		defer close(p.lines)
		for in := bufio.NewScanner(stdout); in.Scan(); {
			p.lines <- in.Text()
		}
	})
	return p
}

func (p *agentProcess) kill() {
	_ = p.cmd.Process.Kill()
	p.owned.Wait()
	_ = p.cmd.Wait()
}

// TestAgentKilledAtRandom kills the agent with SIGKILL at random moments while tickets arrive and
// counts what the scripts did: the rows 2 to 8 and 13, 14 of the crash table.
func TestAgentKilledAtRandom(t *testing.T) {
	home := t.TempDir()
	verdicts := killAtRandom(t, home, "t", 240)
	checkEffects(t, home, verdicts)
}

func TestFullIsolationNeverOverlapsWhileAgentsDie(t *testing.T) {
	home := t.TempDir()
	verdicts := killAtRandom(t, home, "f", 40)
	checkEffects(t, home, verdicts)
	if exists(home + "/overlaps") {
		t.Error("two orders that run alone overlapped")
	}
}

// killAtRandom has tickets carried out by agents that are killed, and returns their verdicts.
func killAtRandom(t *testing.T, home, prefix string, tickets int) map[string]string {
	t.Helper()
	if testing.Short() {
		tickets /= 6
	}
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	verdicts := map[string]string{}
	next, kills := 0, 0
	for deadline := time.Now().Add(40 * time.Second); len(verdicts) < tickets; kills++ {
		if time.Now().After(deadline) {
			t.Fatalf("after 40 s: %d of %d verdicts, %d kills", len(verdicts), tickets, kills)
		}
		p := startAgentProcess(t, home)
		for i := range next { // whatever has no verdict is sent again, as the server does
			if id := fmt.Sprintf("%s%04d", prefix, i); verdicts[id] == "" {
				fmt.Fprintln(p.stdin, id)
			}
		}
		life := time.After(time.Duration(10+random.IntN(140)) * time.Millisecond)
		if next == tickets && kills >= tickets/6 {
			life = nil // the last agent lives long enough for those that wait for a dead shim
		}
		feed := time.NewTicker(time.Duration(4+random.IntN(12)) * time.Millisecond)
		for alive := true; alive && len(verdicts) < tickets; {
			select {
			case <-life:
				alive = false
			case <-feed.C:
				if next < tickets {
					fmt.Fprintf(p.stdin, "%s%04d\n", prefix, next)
					next++
				}
			case line, ok := <-p.lines:
				alive = ok
				note(t, verdicts, line)
			}
		}
		feed.Stop()
		p.kill()
		for line := range p.lines {
			note(t, verdicts, line)
		}
	}
	counts := map[string]int{}
	for _, outcome := range verdicts {
		counts[outcome]++
	}
	t.Logf("%d tickets, %d agents killed, verdicts %v", tickets, kills, counts)
	return verdicts
}

// checkEffects compares the verdicts with what the scripts did.
func checkEffects(t *testing.T, home string, verdicts map[string]string) {
	t.Helper()
	effects := readEffects(t, home)
	for id, outcome := range verdicts {
		switch n := effects[id]; {
		case n > 1:
			t.Errorf("%s was started %d times", id, n)
		case outcome == string(contract.Succeeded) && n != 1:
			t.Errorf("%s succeeded without effect", id)
		case outcome == string(contract.NotStarted) && n != 0:
			t.Errorf("%s was not started, but has an effect", id)
		case outcome != string(contract.Succeeded) && outcome != string(contract.NotStarted):
			t.Errorf("%s is %s, though no shim was killed", id, outcome)
		}
	}
}

func readEffects(t *testing.T, home string) map[string]int {
	t.Helper()
	effects := map[string]int{}
	raw, err := os.ReadFile(filepath.Join(home, "effects"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for id := range strings.Lines(string(raw)) {
		effects[strings.TrimSpace(id)]++
	}
	return effects
}

// TestEveryCrashPoint ends the agent or the shim at each named point, once, and lets a second
// agent find out. The numbers are the rows of the crash table.
func TestEveryCrashPoint(t *testing.T) {
	for _, test := range []struct {
		point, want string
		effects     int
	}{
		{"script.intent", "succeeded", 1},       // 4: the order waited; nothing had been launched
		{"script.launch", "succeeded", 1},       // 4: a shim may exist: the claim decides between it and another
		{"script.launched", "succeeded", 1},     // 5, 6
		{"script.finished", "succeeded", 1},     // 8
		{"script.shim", "not-started", 0},       // 9, before the claim
		{"script.locked", "not-started", 0},     // 9, before the claim
		{"script.claimed", "indeterminate", 0},  // 9
		{"script.exec", "indeterminate", 0},     // 9
		{"script.running", "indeterminate", -1}, // 9: the script may have come to its effect
		{"script.ended", "indeterminate", 1},    // 9, 12
		{"script.result", "indeterminate", 1},   // 9, 12
		{"script.log", "indeterminate", 1},      // 9, 12
		{"script.exit", "succeeded", 1},         // 8
	} {
		t.Run(test.point, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			if err := os.WriteFile(home+"/crash", []byte(test.point), 0o600); err != nil {
				t.Fatal(err)
			}
			var verdict string
			for range 2 {
				p := startAgentProcess(t, home)
				fmt.Fprintln(p.stdin, "a")
				verdict = <-p.lines // "" when the agent died
				p.kill()
			}
			if exists(home + "/crash") {
				t.Fatal("the point was never passed")
			}
			effects := readEffects(t, home)["a"]
			if verdict != "a "+test.want || test.effects >= 0 && effects != test.effects {
				t.Errorf("%q with %d effects, want %s with %d", verdict, effects, test.want, test.effects)
			}
		})
	}
}

// TestResultAtEveryCrashPoint: who has the verdict of a whole script has its result, and nobody has one
// without the other.
func TestResultAtEveryCrashPoint(t *testing.T) {
	whole, none := "r succeeded [{A 1 false}] \"r\\n\" <nil>", "r indeterminate nothing"
	for point, want := range map[string]string{
		"script.launched": whole, "script.ended": none, "script.result": none, "script.log": none, "script.exit": whole,
		"script.finished": whole,
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			if err := os.WriteFile(home+"/crash", []byte(point), 0o600); err != nil {
				t.Fatal(err)
			}
			var verdict string
			for range 2 {
				p := startAgentProcess(t, home)
				fmt.Fprintln(p.stdin, "r")
				verdict = <-p.lines // "" when the agent died
				p.kill()
			}
			if exists(home+"/crash") || verdict != want {
				t.Errorf("got %q, want %q", verdict, want)
			}
		})
	}
}

// note takes one line of an agent's; a verdict never changes.
func note(t *testing.T, verdicts map[string]string, line string) {
	t.Helper()
	id, outcome, ok := strings.Cut(line, " ")
	if !ok {
		return
	}
	if strings.HasPrefix(outcome, "error") {
		t.Errorf("%s", line)
	}
	if old := verdicts[id]; old != "" && old != outcome {
		t.Errorf("%s was %s, now %s", id, old, outcome)
	}
	verdicts[id] = outcome
}

func TestAgentComesBackWhileTheScriptRuns(t *testing.T) {
	home := t.TempDir()
	gate := filepath.Join(home, "gate")
	first := newAgent(t, home, script.Options{})
	first.start(t, bash("a", "echo one; while [ ! -e "+gate+" ]; do sleep 0.02; done; echo two"))
	until(t, "first line", func() bool {
		status, err := first.Status(t.Context(), "a")
		return err == nil && status.LogEnd > 0
	})
	first.stop()
	began := time.Now()
	second := newAgent(t, home, script.Options{})
	until(t, "running again", func() bool { return len(second.Running()) == 1 })
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("re-attached after %v, want at most 2 s", took)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := second.watch(t, "a")
	if got := w.text(contract.Stdout); got != "one\ntwo\n" || w.verdict.Outcome != contract.Succeeded {
		t.Errorf("output %q, verdict %+v", got, w.verdict)
	}
}

// Row 9: the verdict says that there is doubt, and what the shim left behind is ended.
func TestShimKilledIsIndeterminate(t *testing.T) {
	a := newAgent(t, t.TempDir(), script.Options{})
	a.start(t, bash("a", "echo $$ > pid; echo up; exec sleep 300"))
	claim := waitClaim(t, a, "a")
	until(t, "script running", func() bool {
		status, err := a.Status(t.Context(), "a")
		return err == nil && status.LogEnd > 0
	})
	if err := kill(claim.Pid); err != nil {
		t.Fatal(err)
	}
	w := a.watch(t, "a")
	if w.verdict.Outcome != contract.Indeterminate || !strings.Contains(w.verdict.Reason, "the shim died") {
		t.Errorf("verdict %+v, want indeterminate", w.verdict)
	}
	if got := w.text(contract.Stdout); got != "up\n" {
		t.Errorf("output %q", got)
	}
	pid, err := os.ReadFile(filepath.Join(a.home, "tickets/a/work/pid"))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "script gone", func() bool {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		return errors.Is(err, os.ErrNotExist) || strings.Contains(string(stat), ") Z ")
	})
	a.stop()
	again := newAgent(t, a.home, script.Options{})
	if second := again.watch(t, "a").verdict; second != w.verdict {
		t.Errorf("after a restart the verdict is %+v, was %+v", second, w.verdict)
	}
}

// plant writes a ticket's folder as a dead agent and a dead shim left it.
func plant(t *testing.T, home string, order contract.Order, files map[string]string) {
	t.Helper()
	dir := filepath.Join(home, "tickets", string(order.Ticket))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	files["order.json"] = string(encode(order))
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Rows 10, 11 and 12: what ran in another boot does not run now, and never again. The log counts
// as far as it is whole.
func TestMachineRestarted(t *testing.T) {
	home := t.TempDir()
	line := contract.AppendRecord(nil, contract.Record{Source: contract.Stdout, Text: []byte("before")})
	claim := fmt.Sprintf(`{"process":{"pid":%d,"start":"1","boot_id":"other"},"wall_ms":1}`, os.Getpid())
	effect := "echo x >> " + home + "/effects"
	plant(t, home, bash("a", effect), map[string]string{
		"claim": claim, "log": string(line) + string(line[:20]), "exit": strings.Repeat("\x00", 4096), "launched": "other",
	})
	plant(t, home, bash("b", effect), map[string]string{"claim": "", "log": string(line) + strings.Repeat("\x00", 100)})
	plant(t, home, bash("c", effect), map[string]string{"launched": "other"}) // no claim: nothing ran
	plant(t, home, bash("d", effect), map[string]string{"claim": claim, "exit": "FLX1\x00\x00\x00\x09torn"})
	a := newAgent(t, home, script.Options{})
	for _, id := range []contract.TicketID{"a", "b", "d"} {
		w := a.watch(t, id)
		if w.verdict.Outcome != contract.Indeterminate || !strings.Contains(w.verdict.Reason, "restarted") {
			t.Errorf("%s: %+v, want indeterminate", id, w.verdict)
		}
		if got := w.text(contract.Stdout); id != "d" && got != "before\n" {
			t.Errorf("%s: output %q", id, got)
		}
	}
	if w := a.watch(t, "c"); w.verdict.Outcome != contract.Succeeded {
		t.Errorf("c: %+v, want succeeded", w.verdict)
	}
	if raw, _ := os.ReadFile(home + "/effects"); string(raw) != "x\n" {
		t.Errorf("effects %q, want that of c alone", raw)
	}
}

// Row 18: on a disk that went back in time a script that was started since looks like one that waits. It
// begins only when the server has said a word, which it has for no machine in quarantine.
func TestRecoveredTicketWaitsForTheServer(t *testing.T) {
	home := t.TempDir()
	effect := "echo x >> " + home + "/effects"
	plant(t, home, bash("a", effect), map[string]string{})
	plant(t, home, bash("b", effect), map[string]string{"cancel": `{"by":"admin","grace_ms":0}`})
	a := newAgent(t, home, script.Options{})
	a.position(t) // recovered
	if exists(home + "/tickets/a/launched") {
		t.Error("a was begun before the server asked for anything")
	}
	until(t, "b was canceled", func() bool { return exists(home + "/tickets/b/claim") })
	if w := a.watch(t, "b"); w.verdict.Outcome != contract.Canceled {
		t.Errorf("b: %+v, want canceled", w.verdict)
	}
	if w := a.watch(t, "a"); w.verdict.Outcome != contract.Succeeded {
		t.Errorf("a: %+v, want succeeded", w.verdict)
	}
	if raw, _ := os.ReadFile(home + "/effects"); string(raw) != "x\n" {
		t.Errorf("effects %q, want that of a alone", raw)
	}
}

// Crashes while a ticket is created or deleted leave folders that are no tickets.
func TestRecoverySweepsWhatIsNoTicket(t *testing.T) {
	home := t.TempDir()
	a := newAgent(t, home, script.Options{})
	a.start(t, bash("gone", "true"))
	a.watch(t, "gone")
	if err := a.Forget(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	a.stop()
	plant(t, home, bash("gone", "true"), map[string]string{}) // the deletion was not complete
	half := filepath.Join(home, "tickets/half")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(half+"/order.json.tmp-1", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	plant(t, home, bash("bad", "true"), map[string]string{})
	if err := os.WriteFile(filepath.Join(home, "tickets/bad/order.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newAgent(t, home, script.Options{})
	for id, want := range map[contract.TicketID]contract.State{
		"gone": contract.Unknown, "half": contract.Unknown, "bad": contract.Finished,
	} {
		if s, err := b.Status(t.Context(), id); err != nil || s.State != want {
			t.Errorf("Status(%s) = %+v, %v, want %s", id, s, err, want)
		}
	}
	if exists(half) || exists(filepath.Join(home, "tickets/gone")) {
		t.Error("left-overs are still there")
	}
	b.start(t, bash("half", "true"))
	if v := b.watch(t, "half").verdict; v.Outcome != contract.Succeeded {
		t.Errorf("half: %+v", v)
	}
}

// Row 15: a full disk refuses the order and leaves nothing of it.
func TestFullDiskRefusesTheOrder(t *testing.T) {
	home := t.TempDir()
	if err := syscall.Mount("tmpfs", home, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small file system of its own: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(home, syscall.MNT_DETACH) })
	a := newAgent(t, home, script.Options{})
	filler := filepath.Join(home, "filler")
	if err := os.WriteFile(filler, make([]byte, 240<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	order := bash("a", "true # "+strings.Repeat("x", 32<<10))
	_, err := a.Start(t.Context(), encode(order))
	if errkind.Of(err) != errkind.Exhausted || !strings.Contains(err.Error(), "not started") || errkind.Hint(err) == "" {
		t.Errorf("Start = %v of kind %v, hint %q", err, errkind.Of(err), errkind.Hint(err))
	}
	if s, err := a.Status(t.Context(), "a"); err != nil || s.State != contract.Unknown || exists(home+"/tickets/a") {
		t.Errorf("Status = %+v, %v, want unknown and no folder", s, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	a.start(t, order)
	if v := a.watch(t, "a").verdict; v.Outcome != contract.Succeeded {
		t.Errorf("with space again: %+v", v)
	}
	a.stop()
}

// BenchmarkTicket is one order from its arrival to its verdict.
func BenchmarkTicket(b *testing.B) {
	a := newAgent(b, b.TempDir(), script.Options{})
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprintf("t%d", i)
		a.start(b, bash(id, "true"))
		if v := a.watch(b, contract.TicketID(id)).verdict; v.Outcome != contract.Succeeded {
			b.Fatalf("%+v", v)
		}
		if err := a.Forget(b.Context(), contract.TicketID(id)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOutput is a script that writes 64 MB, followed from the start.
func BenchmarkOutput(b *testing.B) {
	const size = 64 << 20
	a := newAgent(b, b.TempDir(), script.Options{})
	b.SetBytes(size)
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprintf("t%d", i)
		a.start(b, bash(id, fmt.Sprintf("yes %s | head -c %d", strings.Repeat("x", 79), size)))
		if v := a.watch(b, contract.TicketID(id)).verdict; v.Outcome != contract.Succeeded {
			b.Fatalf("%+v", v)
		}
	}
}

// TestLeftOversAreFoundWhereverTheyWent is row 9: a process that made a session of its own is counted and
// ended with the rest, or kept when the operator wants that. It needs a machine with control groups.
func TestLeftOversAreFoundWhereverTheyWent(t *testing.T) {
	groups, ok := host.Real(quiet()).Exec.(host.Cgroups)
	if probe := groups.MakeCgroup("test-left-overs"); !ok || probe == "" {
		t.Skip("no control groups of version 2 here, or this user may make none")
	} else {
		groups.RemoveCgroup(probe)
	}
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("keep=%v", keep), func(t *testing.T) {
			a := newAgent(t, t.TempDir(), script.Options{KeepLeftOvers: keep})
			id := map[bool]string{false: "left-killed", true: "left-kept"}[keep]
			a.start(t, bash(id, `setsid -f bash -c 'echo $$ > pid; exec sleep 300'; exec sleep 300`))
			claim := waitClaim(t, a, id)
			path := filepath.Join(a.home, "tickets", id, "work/pid")
			until(t, "the daemon's id", func() bool { raw, err := os.ReadFile(path); return err == nil && len(raw) > 1 })
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := kill(claim.Pid); err != nil {
				t.Fatal(err)
			}
			w := a.watch(t, contract.TicketID(id))
			want := map[bool]string{false: "2 processes of it were killed", true: "2 processes of it still run"}[keep]
			if w.verdict.Outcome != contract.Indeterminate || !strings.Contains(w.verdict.Reason, want) {
				t.Errorf("verdict %+v, want indeterminate: … %s", w.verdict, want)
			}
			stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(raw)) + "/stat")
			if alive := err == nil && !strings.Contains(string(stat), ") Z "); alive != keep {
				t.Errorf("the daemon lives: %v, want %v", alive, keep)
			}
			group, err := os.ReadFile(filepath.Join(a.home, "tickets", id, "cgroup"))
			if err != nil {
				t.Fatal(err)
			}
			_, folder, _ := strings.Cut(strings.TrimSpace(string(group)), " ")
			if err := groups.SignalCgroup(folder, host.Kill); err != nil {
				t.Error(err)
			}
			until(t, "an empty group", func() bool { return len(groups.CgroupMembers(folder)) == 0 })
			if err := a.Forget(t.Context(), contract.TicketID(id)); err != nil {
				t.Fatal(err)
			}
			if exists(folder) {
				t.Errorf("%s is there after the ticket was forgotten", folder)
			}
		})
	}
}
