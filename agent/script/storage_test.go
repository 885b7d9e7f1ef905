// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"fairlead/agent/script"
	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// sick is a disk whose syncs fail while it says with what.
type sick struct {
	host.Fsync
	with atomic.Pointer[syscall.Errno]
}

func (s *sick) falls(ill syscall.Errno) { s.with.Store(&ill) }

func (s *sick) fails(path string) error {
	if errno := s.with.Load(); errno != nil {
		return &os.PathError{Op: "sync", Path: path, Err: *errno}
	}
	return nil
}

func (s *sick) Sync(f *os.File) error {
	if err := s.fails(f.Name()); err != nil {
		return err
	}
	return s.Fsync.Sync(f)
}

func (s *sick) SyncFolder(path string) error {
	if err := s.fails(path); err != nil {
		return err
	}
	return s.Fsync.SyncFolder(path)
}

// newAgentOn runs an agent whose disk may fall ill. Its shims have a sound one.
func newAgentOn(t *testing.T, home string, disk host.Disk) *agent {
	t.Helper()
	guard := durable.Watch(disk)
	env := host.Real(quiet())
	env.Disk = guard
	return newAgentIn(t, home, env, script.Options{Storage: guard})
}

// TestBrokenDiskStartsNothing covers row 23: EIO at a sync. What runs goes on, its verdict is in doubt,
// nothing new starts, and a new agent on a sound disk works again.
func TestBrokenDiskStartsNothing(t *testing.T) {
	home, disk := t.TempDir(), new(sick)
	a := newAgentOn(t, home, disk)
	gate := filepath.Join(home, "gate")
	a.start(t, bash("t-runs", "while ! [ -e "+gate+" ]; do sleep 0.02; done"))
	waitClaim(t, a, "t-runs")
	disk.falls(syscall.EIO)
	for _, step := range []struct {
		ticket string
		want   errkind.Kind
		says   string
	}{
		{"t-doubt", errkind.Internal, "keep the order"},
		{"t-doubt", errkind.Unavailable, "it may be kept or not: storage failed"},
		{"t-never", errkind.Denied, "not started: storage failed"},
	} {
		_, err := a.Start(t.Context(), encode(bash(step.ticket, "touch "+filepath.Join(home, step.ticket))))
		if errkind.Of(err) != step.want || !strings.Contains(err.Error(), step.says) {
			t.Errorf("Start(%s) = %v (%v), want %v and %q", step.ticket, err, errkind.Of(err), step.want, step.says)
		}
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v := a.watch(t, "t-runs").verdict
	if v.Outcome != contract.Indeterminate || !strings.Contains(v.Reason, "storage failed") || !strings.HasSuffix(v.Reason, "succeeded") {
		t.Errorf("the verdict on what ran is %+v, want indeterminate and what lies there", v)
	}
	a.stop()
	disk.with.Store(nil)
	b := newAgentOn(t, home, disk)
	b.start(t, bash("t-doubt", "echo x >> "+filepath.Join(home, "effect")))
	if v := b.watch(t, "t-doubt").verdict; v.Outcome != contract.Succeeded {
		t.Errorf("after the restart: %+v", v)
	}
	if text, err := os.ReadFile(filepath.Join(home, "effect")); string(text) != "x\n" || err != nil {
		t.Errorf("the script left %q, %v; want one line", text, err)
	}
	for _, name := range []string{"t-never", "t-doubt"} {
		if _, err := os.Lstat(filepath.Join(home, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s ran", name)
		}
	}
}

// TestBrokenDiskStartsNothingThatWaits covers row 23 for an order that was taken before the disk failed.
func TestBrokenDiskStartsNothingThatWaits(t *testing.T) {
	home, disk := t.TempDir(), new(sick)
	a := newAgentOn(t, home, disk)
	gate, effect := filepath.Join(home, "gate"), filepath.Join(home, "effect")
	alone := func(o contract.Order) contract.Order {
		o.Isolation = contract.Isolation{Level: contract.IsolationFull}
		return o
	}
	a.start(t, alone(bash("t-runs", "while ! [ -e "+gate+" ]; do sleep 0.02; done")))
	waitClaim(t, a, "t-runs")
	a.start(t, alone(bash("t-waits", "touch "+effect)))
	disk.falls(syscall.EIO)
	if _, err := a.Start(t.Context(), encode(bash("t-doubt", "true"))); errkind.Of(err) != errkind.Internal {
		t.Errorf("Start = %v, want Internal", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v := a.watch(t, "t-waits").verdict
	if v.Outcome != contract.Indeterminate || !strings.Contains(v.Reason, "storage failed") || !strings.Contains(v.Reason, "not-started") {
		t.Errorf("the verdict on what waited is %+v, want indeterminate and what lies there", v)
	}
	if _, err := os.Lstat(effect); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a script was started on a broken disk: %v", err)
	}
}

// TestFullDiskRefuses covers row 15 at the intent: no space is a refusal, and no doubt.
func TestFullDiskRefuses(t *testing.T) {
	file := &full{Disk: host.Fsync{}}
	file.isFull.Store(true)
	b := newAgentOn(t, t.TempDir(), file)
	_, err := b.Start(t.Context(), encode(bash("t-1", "true")))
	if errkind.Of(err) != errkind.Exhausted || !strings.Contains(err.Error(), "not started") || !strings.Contains(err.Error(), "no space") {
		t.Errorf("Start on a full disk = %v (%v), want exhausted", err, errkind.Of(err))
	}
	file.isFull.Store(false)
	b.start(t, bash("t-1", "true"))
	if v := b.watch(t, "t-1").verdict; v.Outcome != contract.Succeeded {
		t.Errorf("with space again: %+v", v)
	}
}

// TestFullDiskSaysNothingOfAKnownTicket: a full disk keeps the epoch of a task's new owner from being kept;
// the answer must not read as if the order that is here was not started.
func TestFullDiskSaysNothingOfAKnownTicket(t *testing.T) {
	file := &full{Disk: host.Fsync{}}
	a := newAgentOn(t, t.TempDir(), file)
	order := bash("t-1", "true")
	a.start(t, order)
	a.watch(t, "t-1")
	file.isFull.Store(true)
	order.Epoch++
	if _, err := a.Start(t.Context(), encode(order)); errkind.Of(err) != errkind.Unavailable {
		t.Errorf("Start of a known ticket = %v (%v), want unavailable", err, errkind.Of(err))
	}
}

// TestFoundClaimsAreDurableBeforeTheyAreTold: an agent may have died between its claim and the sync of the
// name. The next one says that nothing was started, and a power cut must not make that untrue.
func TestFoundClaimsAreDurableBeforeTheyAreTold(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "tickets", "t-1")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	order := filepath.Join(dir, "order.json")
	err := os.WriteFile(order, encode(bash("t-1", "true")), 0o600)
	if err := errors.Join(err, os.Link(order, filepath.Join(dir, "claim"))); err != nil { // as on a full disk
		t.Fatal(err)
	}
	disk := &counting{synced: map[string]int{}}
	a := newAgentOn(t, home, disk)
	status, err := a.Status(t.Context(), "t-1")
	if err != nil || status.Verdict == nil || status.Verdict.Outcome != contract.NotStarted {
		t.Fatalf("Status = %+v, %v, want not started", status, err)
	}
	if disk.count(dir) == 0 {
		t.Error("the claim's name was not synced before it was told")
	}
}

// counting is a disk that knows which folders were synced.
type counting struct {
	host.Fsync
	mu     sync.Mutex
	synced map[string]int
}

func (c *counting) SyncFolder(path string) error {
	c.mu.Lock()
	c.synced[path]++
	c.mu.Unlock()
	return c.Fsync.SyncFolder(path)
}

func (c *counting) count(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.synced[path]
}

// full is a disk that finds no space for the content of files; folders are synced.
type full struct {
	host.Disk
	isFull atomic.Bool
}

func (f *full) Sync(file *os.File) error {
	if f.isFull.Load() {
		return &os.PathError{Op: "sync", Path: file.Name(), Err: syscall.ENOSPC}
	}
	return f.Disk.Sync(file)
}
