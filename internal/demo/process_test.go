// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/internal/demo"
)

// limit is more than any wait here takes.
const limit = 20 * time.Second

func bash(script string, args ...string) demo.Command {
	return demo.Command{Path: "/bin/bash", Args: append([]string{"-c", script, "bash"}, args...)}
}

func TestRunTellsTheCodeAndBothOutputs(t *testing.T) {
	c := bash(`read -r line; echo "$line $NAME $HOME"; echo oh >&2; exit 3`)
	c.Stdin, c.Env = "in\n", []string{"NAME=value"}
	r, err := demo.Run(t.Context(), c)
	if err != nil || r.Code != 3 || r.Out != "in value /nonexistent\n" || r.Err != "oh\n" {
		t.Errorf("Run = %+v, %v", r, err)
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := demo.Start(bash(`trap "" TERM; echo ready; while :; do sleep 0.05; done`), log)
	if err != nil {
		t.Fatal(err)
	}
	awaitText(t, log, "ready")
	if err := p.Stop(50 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("Stop = %v, want an error that says it was killed", err)
	}
	if ended, _ := p.Ended(); !ended {
		t.Error("the process has not ended")
	}
}

// A grandchild in a session of its own, as a shim or a web server is, ends with its folder; a neighbour does not.
func TestSweepEndsWhatBelongsToTheFolder(t *testing.T) {
	base := t.TempDir()
	dir, other := filepath.Join(base, "site"), filepath.Join(base, "site-2")
	pids := map[string]int{}
	for _, d := range []string{dir, other} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
		log := filepath.Join(base, filepath.Base(d)+".log")
		// The one names the folder in an argument, its child works in it.
		p, err := demo.Start(bash(`setsid bash -c 'cd "$0" && exec sleep 60' "$1" & echo $!; exec sleep 60`, d), log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		pid, err := strconv.Atoi(strings.TrimSpace(awaitText(t, log, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		pids[d] = pid
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	}
	awaitSleepIn(t, pids[dir], dir)
	awaitSleepIn(t, pids[other], other)
	if err := demo.Sweep(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Readlink("/proc/" + strconv.Itoa(pids[dir]) + "/cwd"); err == nil {
		t.Error("a process that works in the folder lives on")
	}
	if cwd, err := os.Readlink("/proc/" + strconv.Itoa(pids[other]) + "/cwd"); err != nil || cwd != other {
		t.Errorf("the neighbour's process works in %q (%v), want %s", cwd, err, other)
	}
}

func awaitText(t *testing.T, path, text string) (got string) {
	t.Helper()
	err := demo.Await(t.Context(), limit, text, func(context.Context) (bool, error) {
		raw, err := os.ReadFile(path)
		got = string(raw)
		return strings.Contains(got, text), err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func awaitSleepIn(t *testing.T, pid int, dir string) {
	t.Helper()
	err := demo.Await(t.Context(), limit, "process to be in "+dir, func(context.Context) (bool, error) {
		cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
		return cwd == dir, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAwaitEndsWithItsLimit(t *testing.T) {
	err := demo.Await(t.Context(), 30*time.Millisecond, "the tide", func(context.Context) (bool, error) { return false, nil })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the tide") {
		t.Errorf("Await = %v, want a deadline that names what was waited for", err)
	}
}

func TestPortsAreGivenOnce(t *testing.T) {
	var ports demo.Ports
	seen := map[int]bool{}
	for range 200 {
		port, err := ports.Next()
		if err != nil || seen[port] || port < 1024 || port >= 32768 {
			t.Fatalf("port %d, %v: want a new one below the range of outgoing connections", port, err)
		}
		seen[port] = true
	}
}
