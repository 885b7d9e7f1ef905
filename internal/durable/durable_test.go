// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// ear writes down what a disk is asked for, by base name, and refuses the call with number refuse.
type ear struct {
	heard  []string
	refuse int
}

func (e *ear) note(what string) error {
	e.heard = append(e.heard, what)
	if len(e.heard) == e.refuse {
		return &os.PathError{Op: "sync", Path: what, Err: syscall.EIO}
	}
	return nil
}

func (e *ear) Sync(f *os.File) error         { return e.note("file " + filepath.Base(f.Name())) }
func (e *ear) SyncFolder(path string) error  { return e.note("folder " + filepath.Base(path)) }
func (e *ear) SyncAll(folder *os.File) error { return e.note("all " + filepath.Base(folder.Name())) }

func (e *ear) check(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(e.heard, want) {
		t.Errorf("the disk was asked for %q, want %q", e.heard, want)
	}
	e.heard = nil
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFilesAreWrittenWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	path := filepath.Join(dir, "f")
	disk := new(ear)
	if err := durable.MakeFolder(disk, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	disk.check(t, "folder home", "folder "+filepath.Base(filepath.Dir(dir)))
	if err := durable.MakeFolder(disk, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	disk.check(t, "folder home")
	for _, text := range []string{"first", "second and longer", ""} {
		if err := durable.Replace(disk, path, []byte(text)); err != nil || read(t, path) != text {
			t.Fatalf("Replace = %v, the file holds %q; want %q", err, read(t, path), text)
		}
		disk.check(t, "file f.tmp-0", "folder home")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	err := durable.Create(disk, path, []byte("other"))
	if errkind.Of(err) != errkind.Conflict || read(t, path) != "" {
		t.Errorf("Create over a file = %v, and it holds %q", err, read(t, path))
	}
	if err := durable.Create(disk, filepath.Join(dir, "g"), []byte("new")); err != nil || read(t, filepath.Join(dir, "g")) != "new" {
		t.Error(err)
	}
	disk.check(t, "file f.tmp-0", "file g.tmp-0", "folder home")
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp-*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestNothingIsPlacedUnsynced covers a disk that fails: the old content stays, and the caller hears of it.
func TestNothingIsPlacedUnsynced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := durable.Replace(host.Fsync{}, path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(&ear{refuse: 1}, path, []byte("new")); !errors.Is(err, syscall.EIO) || read(t, path) != "old" {
		t.Errorf("a refused sync of the file: %v, and it holds %q", err, read(t, path))
	}
	if err := durable.Replace(&ear{refuse: 2}, path, []byte("new")); !errors.Is(err, syscall.EIO) || read(t, path) != "new" {
		t.Errorf("a refused sync of the folder: %v, and it holds %q", err, read(t, path))
	}
	if err := durable.Replace(host.Fsync{}, filepath.Join(dir, "none", "f"), nil); errkind.Of(err) != errkind.NotFound {
		t.Errorf("into no folder: %v, want NotFound", err)
	}
}

func TestLeftoversDoNotStandInTheWay(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "f"), filepath.Join(dir, "victim")
	if err := errors.Join(os.WriteFile(path+".tmp-0", nil, 0o600), os.Symlink(victim, path+".tmp-1")); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(host.Fsync{}, path, []byte("x")); err != nil || read(t, path) != "x" {
		t.Error(err)
	}
	if _, err := os.Lstat(victim); err == nil {
		t.Error("a link was written through")
	}
	if !durable.IsUnfinished("f.tmp-1") || durable.IsUnfinished("f") {
		t.Error("IsUnfinished does not know them")
	}
	for n := range 1000 {
		if err := os.WriteFile(path+".tmp-"+strconv.Itoa(n), nil, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	err := durable.Replace(host.Fsync{}, path, []byte("y"))
	if errkind.Of(err) != errkind.Exhausted || !strings.Contains(errkind.Hint(err), path) {
		t.Errorf("%v (hint %q), want Exhausted that says where", err, errkind.Hint(err))
	}
}
