// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"testing"
)

// TestFoldersOfDeadRunsAreSwept has four runs: one lives, one was killed with a program left behind, one was
// kept, and one comes now.
func TestFoldersOfDeadRunsAreSwept(t *testing.T) {
	below := t.TempDir()
	newFolder := func() *folder {
		f, err := makeFolder(t.Context(), below)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.lock.Close() })
		return f
	}
	alive, dead, kept := newFolder(), newFolder(), newFolder()
	left := exec.CommandContext(t.Context(), "sleep", "60")
	left.Dir = dead.path
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- left.Wait() }()
	if err := kept.keep(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*folder{dead, kept} {
		if err := f.lock.Close(); err != nil {
			t.Fatal(err)
		}
	}
	now := newFolder()
	<-ended
	for f, want := range map[*folder]bool{alive: true, dead: false, kept: true, now: true} {
		if _, err := os.Stat(f.path); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", f.path, err, want)
		}
	}
}
