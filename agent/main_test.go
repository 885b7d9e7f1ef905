// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/host"
)

// TestMain lets the test binary be the agent's shim.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "shim" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// shim is a running shim of a script that ends well when the file go appears beside it.
type shim struct {
	folder  string
	process host.Process
}

// startShim returns when the script has begun.
func startShim(t *testing.T) shim {
	t.Helper()
	env := host.Real(slog.New(slog.DiscardHandler))
	s := shim{folder: filepath.Join(t.TempDir(), "tickets", "t-1")}
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	order, err := json.Marshal(contract.Order{
		Ticket: "t-1", Task: "ServerTasks-1", Isolation: contract.Isolation{Level: contract.IsolationNone}, GraceMS: 5000,
		Script: &contract.Script{Interpreter: "bash", Body: "echo begun\nuntil [ -e go ]; do sleep 0.05; done\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.folder, "order.json"), order, 0o600); err != nil {
		t.Fatal(err)
	}
	bell, err := env.Bells.Open(filepath.Join(filepath.Dir(s.folder), ".bell"))
	if err != nil {
		t.Fatal(err)
	}
	defer bell.Close()
	s.process, err = env.Exec.Start(host.Command{Path: env.Exec.Self(), Args: []string{"shim", s.folder}, Detached: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Exec.Signal(s.process.ID(), host.Kill) })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for word := ""; !strings.HasPrefix(word, "log "); {
		if word, err = bell.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s shim) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(s.process.ID().Pid, sig); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the shim and looks for a verdict in its exit record.
func (s shim) ends(t *testing.T, outcome contract.Outcome) {
	t.Helper()
	exit, err := s.process.Wait()
	if err != nil || exit != (host.Exit{}) {
		t.Errorf("the shim ended with %+v, %v", exit, err)
	}
	record, err := os.ReadFile(filepath.Join(s.folder, "exit"))
	if err != nil || !strings.Contains(string(record), `"outcome":"`+string(outcome)+`"`) {
		t.Errorf("exit record %.200q, %v, want %s", record, err, outcome)
	}
}

func TestShimIsNotStoppedByInterrupt(t *testing.T) {
	s := startShim(t)
	s.signal(t, syscall.SIGINT)
	if err := os.WriteFile(filepath.Join(s.folder, "work", "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.ends(t, contract.Succeeded)
}

func TestShimTurnsTerminationIntoACancel(t *testing.T) {
	s := startShim(t)
	s.signal(t, syscall.SIGTERM)
	s.ends(t, contract.Canceled)
}
