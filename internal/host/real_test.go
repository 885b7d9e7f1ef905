// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const searchPath = "PATH=/usr/local/bin:/usr/bin:/bin"

func newEnv() host.Env { return host.Real(slog.New(slog.DiscardHandler)) }

// TestMain lets the test binary stand for a program that was started with an open descriptor.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "list-descriptors" {
		p, err := newEnv().Exec.Start(host.Command{
			Path: "/bin/sh", Args: []string{"-c", "ls /proc/$$/fd"}, Stdout: os.Stdout, Env: []string{searchPath},
		})
		if err == nil {
			_, err = p.Wait()
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRealTellsNobodyItsSecrets keeps TLS secrets in the process, whatever its environment says.
func TestRealTellsNobodyItsSecrets(t *testing.T) {
	t.Setenv("SSLKEYLOGFILE", filepath.Join(t.TempDir(), "keys"))
	if newEnv().KeyLog != nil {
		t.Error("a real machine has a key log: whoever reads it reads every line")
	}
}

func start(t *testing.T, e host.Exec, c host.Command) host.Process {
	t.Helper()
	p, err := e.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = e.Signal(p.ID(), host.Kill)
		_, _ = p.Wait()
	})
	return p
}

// until waits for a condition that nothing announces.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("after 10 s: not yet %s", what)
		}
	}
}

func TestExecRunsWithExactlyTheGivenEnvironment(t *testing.T) {
	t.Setenv("INHERITED", "yes")
	var out, errs bytes.Buffer
	dir := t.TempDir()
	p := start(t, newEnv().Exec, host.Command{
		Path: "sh", Args: []string{"-c", "env; pwd; echo oops >&2; exit 7"}, Dir: dir,
		Env: []string{searchPath, "A=b"}, Stdout: &out, Stderr: &errs,
	})
	exit, err := p.Wait()
	if err != nil || exit.Code != 7 || exit.Signal != "" {
		t.Fatalf("Wait() = %+v, %v, want code 7", exit, err)
	}
	lines := strings.Fields(out.String())
	for _, line := range lines {
		if name, _, _ := strings.Cut(line, "="); !slices.Contains([]string{"PATH", "A", "PWD", "_", "OLDPWD", "SHLVL", dir}, name) {
			t.Errorf("environment holds %q", line)
		}
	}
	if !slices.Contains(lines, "A=b") || !slices.Contains(lines, dir) || errs.String() != "oops\n" {
		t.Errorf("stdout %q, stderr %q", out.String(), errs.String())
	}
}

func TestExecErrorsHaveKinds(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path string
		want       errkind.Kind
	}{
		{"no such file", "/nowhere/at/all", errkind.NotFound},
		{"not in PATH", "no-such-program", errkind.NotFound},
		{"relative path", "bin/sh", errkind.Invalid},
		{"empty", "", errkind.Invalid},
		{"not executable", plain, errkind.Denied},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newEnv().Exec.Start(host.Command{Path: test.path, Env: []string{searchPath}})
			if errkind.Of(err) != test.want || err == nil {
				t.Errorf("Start(%q) = %v of kind %v, want %v", test.path, err, errkind.Of(err), test.want)
			}
		})
	}
}

// H6: a descriptor that this program was started with, without the close-on-exec mark, stops here.
func TestH6NoInheritedDescriptors(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	c := exec.Command(os.Args[0], "list-descriptors")
	c.ExtraFiles = []*os.File{w, w, w, w, w, w, w}
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); slices.ContainsFunc(got, func(fd string) bool { return fd > "2" && fd != "255" && fd != "10" }) {
		t.Errorf("the started process holds descriptors %v, want 0, 1, 2", got)
	}
}

func TestProcessIdentity(t *testing.T) {
	e := newEnv().Exec
	p := start(t, e, host.Command{Path: "sleep", Args: []string{"100"}, Env: []string{searchPath}})
	id := p.ID()
	if !e.Alive(id) {
		t.Fatalf("Alive(%+v) = false for a running process", id)
	}
	for name, other := range map[string]host.ProcessID{
		"other boot":  {Pid: id.Pid, Start: id.Start, BootID: "other"},
		"other start": {Pid: id.Pid, Start: id.Start + "1", BootID: id.BootID},
		"zero":        {},
	} {
		if e.Alive(other) {
			t.Errorf("%s: Alive(%+v) = true", name, other)
		}
		if err := e.Signal(other, host.Kill); err != nil {
			t.Errorf("%s: Signal = %v, want nil for a process that is gone", name, err)
		}
	}
	if !e.Alive(id) {
		t.Fatal("a signal to a stranger's id hit the process")
	}
	if err := e.Signal(id, host.Kill); err != nil {
		t.Fatal(err)
	}
	until(t, "dead, though nobody waited", func() bool { return !e.Alive(id) })
	if exit, err := p.Wait(); err != nil || exit.Code != -1 || exit.Signal != "killed" {
		t.Errorf("Wait() = %+v, %v, want killed", exit, err)
	}
	self, err := host.Current()
	if err != nil || !e.Alive(self) {
		t.Errorf("Current() = %+v, %v: not alive", self, err)
	}
}

// A shell with job control gives each background command a group of its own: the session still
// holds them together.
func TestSignalReachesEveryGroupOfTheSession(t *testing.T) {
	e := newEnv().Exec
	out := &lineWatch{line: make(chan string, 8)}
	p := start(t, e, host.Command{
		Path: "bash", Args: []string{"-c", "set -m; sleep 300 & sleep 300 & echo up; wait"},
		Env: []string{searchPath}, Detached: true, Stdout: out,
	})
	<-out.line
	if err := e.Signal(p.ID(), host.Kill); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	group := e.(interface{ GroupAlive(host.ProcessID) bool })
	until(t, "empty session", func() bool { return !group.GroupAlive(p.ID()) })
}

func TestWaitEndsThoughADescendantHoldsTheOutput(t *testing.T) {
	e := newEnv().Exec
	var out bytes.Buffer
	p := start(t, e, host.Command{
		Path: "sh", Args: []string{"-c", "sleep 300 & echo done"}, Env: []string{searchPath},
		Stdout: &out, DrainWait: 50 * time.Millisecond,
	})
	exit, err := p.Wait()
	if err != nil || exit.Code != 0 || out.String() != "done\n" {
		t.Errorf("Wait() = %+v, %v, output %q", exit, err, out.String())
	}
}

func TestNetworkAndFacts(t *testing.T) {
	env := newEnv()
	l, err := env.Net.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := env.Net.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if addrs, err := env.Net.LookupNetIP(t.Context(), "ip4", "127.0.0.1"); err != nil || len(addrs) != 1 {
		t.Errorf("LookupNetIP = %v, %v", addrs, err)
	}
	facts := env.Facts()
	if facts.OS != "linux" || facts.BootID == "" || facts.Hostname == "" {
		t.Errorf("Facts() = %+v", facts)
	}
	if a, b := env.Rand("x").Uint64(), env.Rand("x").Uint64(); a == b {
		t.Error("two generators gave the same number")
	}
}

type lineWatch struct{ line chan string }

func (w *lineWatch) Write(p []byte) (int, error) {
	w.line <- string(p)
	return len(p), nil
}

var _ io.Writer = (*lineWatch)(nil)

func TestBells(t *testing.T) {
	long := t.TempDir()
	for len(long) < 300 {
		long = filepath.Join(long, strings.Repeat("x", 100))
	}
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"short path": t.TempDir(), "path beyond 108 bytes": long} {
		t.Run(name, func(t *testing.T) { testBell(t, filepath.Join(dir, "bell")) })
	}
}

func testBell(t *testing.T, path string) {
	bells := newEnv().Bells
	bells.Ring(path, "nobody listens")
	bell, err := bells.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bells.Open(path); errkind.Of(err) != errkind.Conflict {
		t.Errorf("second Open = %v, want Conflict", err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("bell: %v, %v, want mode 0600", info, err)
	}
	for range 10_000 { // more than any queue: a ring never blocks
		bells.Ring(path, "hello")
	}
	if word, err := bell.Wait(t.Context()); err != nil || word != "hello" {
		t.Errorf("Wait() = %q, %v", word, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bell.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait(ended) = %v", err)
	}
	if word, err := bell.Wait(t.Context()); err != nil || word != "hello" {
		t.Errorf("Wait() after an ended one = %q, %v", word, err)
	}
	if err := bell.Close(); err != nil {
		t.Fatal(err)
	}
	if again, err := bells.Open(path); err != nil {
		t.Errorf("Open over a stale bell = %v", err)
	} else {
		again.Close()
	}
}

// TestAliveWithoutDescriptors: a process of which nothing can be learned is not taken for dead.
func TestAliveWithoutDescriptors(t *testing.T) {
	e := newEnv().Exec
	p := start(t, e, host.Command{Path: "sleep", Args: []string{"60"}, Env: []string{searchPath}})
	if !e.Alive(p.ID()) {
		t.Fatal("the process has ended")
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := before
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	alive := e.Alive(p.ID())
	_, err := os.ReadFile("/proc/self/stat")
	if again := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); again != nil {
		t.Fatal(again)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Fatalf("a file was opened beyond the limit: %v", err)
	}
	if !alive {
		t.Error("a living process was taken for dead")
	}
	if err := e.Signal(p.ID(), host.Kill); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if e.Alive(p.ID()) {
		t.Error("a process that has ended counts as alive")
	}
}
