// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package home_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/home"
	"fairlead/internal/host"
)

func TestTakeExcludesTheSecond(t *testing.T) {
	folder := t.TempDir()
	if home.IsTaken(folder) {
		t.Fatal("a new folder is taken")
	}
	release, err := home.Take(folder)
	if err != nil {
		t.Fatal(err)
	}
	if !home.IsTaken(folder) {
		t.Fatal("a taken folder is not taken")
	}
	if _, err := home.Take(folder); errkind.Of(err) != errkind.Conflict || errkind.Hint(err) == "" {
		t.Fatalf("second Take = %v, want a Conflict with a hint", err)
	}
	release()
	if release, err = home.Take(folder); err != nil {
		t.Fatalf("Take after release: %v", err)
	}
	release()
}

// TestTakeWaitsForAnInheritedLock gives the lock to a child of a dead process, as a daemon does
// that is killed while it starts a process.
func TestTakeWaitsForAnInheritedLock(t *testing.T) {
	folder := t.TempDir()
	release, err := home.Take(folder)
	if err != nil {
		t.Fatal(err)
	}
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, home.LockFile)
	if err := os.WriteFile(path, []byte(strconv.Itoa(dead.Process.Pid)), 0o600); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(100*time.Millisecond, release)
	defer timer.Stop()
	again, err := home.Take(folder)
	if err != nil {
		t.Fatalf("Take = %v, want it to wait for the dead holder's child", err)
	}
	again()
}

// TestH3StateFolder covers case H3: a state folder that others prepared is refused.
func TestH3StateFolder(t *testing.T) {
	base := t.TempDir()
	open := filepath.Join(base, "open")
	link := filepath.Join(base, "link")
	file := filepath.Join(base, "file")
	for _, err := range []error{os.Mkdir(open, 0o700), os.Chmod(open, 0o775), os.Symlink(open, link), os.WriteFile(file, nil, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	nowhere := filepath.Join(base, "nowhere")
	if err := os.Symlink(filepath.Join(file, "x"), nowhere); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{open, link, file, filepath.Join(file, "x"), filepath.Join(nowhere, "x"), "/proc/fairlead"} {
		if err := home.Make(host.Fsync{}, path); errkind.Of(err) != errkind.Denied || errkind.Hint(err) == "" {
			t.Errorf("Make(%s) = %v, hint %q; want Denied with a hint", path, err, errkind.Hint(err))
		}
	}
	fresh := filepath.Join(base, "a", "b")
	if err := home.Make(host.Fsync{}, fresh); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(fresh); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("Make gave mode %v, %v; want 0700", info.Mode(), err)
	}
}
