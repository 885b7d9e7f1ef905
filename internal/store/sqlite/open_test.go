// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
)

const notFound = errkind.NotFound

func one[T any](_ T, err error) error { return err }

// refusal opens path, which must be refused with a kind and with all the words, and a hint.
func refusal(t *testing.T, path string, kind errkind.Kind, words ...string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err == nil {
		_ = s.Close()
		t.Fatalf("Open(%s) = nil, want %v", path, kind)
	}
	if errkind.Of(err) != kind || errkind.Hint(err) == "" {
		t.Errorf("Open() = %v (%v, hint %q), want kind %v and a hint", err, errkind.Of(err), errkind.Hint(err), kind)
	}
	for _, word := range words {
		if !strings.Contains(err.Error()+errkind.Hint(err), word) {
			t.Errorf("Open() = %v, hint %q: want %q in it", err, errkind.Hint(err), word)
		}
	}
}

func TestD2SecondServerIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fairlead.db")
	s := open(t, path)
	refusal(t, path, errkind.Conflict, "home is in use by process "+strconv.Itoa(os.Getpid()))
	if err := s.Close(); err != nil {
		t.Fatalf("Close() = %v", err)
	}
	open(t, path)
}

// TestLockEndsWithClose holds a copy of the lock's descriptor, as a process has it that is being
// started while the store closes.
func TestLockEndsWithClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fairlead.db")
	s := open(t, path)
	held, err := s.CopyLock()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := s.Close(); err != nil {
		t.Fatalf("Close() = %v", err)
	}
	open(t, path)
}

func TestFilesAreThePrivateKind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "fairlead.db"))
	if err := s.Backup(t.Context(), filepath.Join(dir, "copy")); err != nil {
		t.Fatalf("Backup() = %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 5 {
		t.Fatalf("files = %v (%v), want the database with its two companions, the lock and the copy", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v), want 0600", f.Name(), info.Mode(), err)
		}
	}
	copied := open(t, filepath.Join(dir, "copy"))
	if err := copied.Check(t.Context()); err != nil {
		t.Errorf("Check() of the copy = %v", err)
	}
}

func TestBackupOpensWithWhatWasThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := filled(t, filepath.Join(dir, "fairlead.db"), 50)
	want := dump(t, s)
	if err := s.Backup(t.Context(), filepath.Join(dir, "copy")); err != nil {
		t.Fatalf("Backup() = %v", err)
	}
	if got := dump(t, open(t, filepath.Join(dir, "copy"))); got != want {
		t.Errorf("the copy differs:\n%.500s\nwant\n%.500s", got, want)
	}
}

func TestHalfMadeDatabaseIsMadeAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fairlead.db")
	for _, leftover := range []string{".new", ".new-wal", ".new-shm"} {
		if err := os.WriteFile(path+leftover, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path)
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check() = %v", err)
	}
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	const head = "-- Oldest program that can use a database with this migration: "
	files := func(scripts ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for i, script := range scripts {
			m["migration/000"+strconv.Itoa(i+1)+"_step.sql"] = &fstest.MapFile{Data: []byte(script)}
		}
		return m
	}
	one := head + "1\nCREATE TABLE a (x TEXT) STRICT; INSERT INTO a VALUES ('1');"
	two := head + "1\nALTER TABLE a ADD COLUMN y TEXT;"
	three := head + "3\nALTER TABLE a DROP COLUMN x;"
	half := head + "2\nALTER TABLE a ADD COLUMN z TEXT; ALTER TABLE none ADD COLUMN z TEXT;"
	for _, c := range []struct {
		name   string
		before fstest.MapFS
		after  fstest.MapFS
		kind   errkind.Kind // Canceled: accepted
		word   string
	}{
		{"the same again", files(one, two), files(one, two), errkind.Canceled, ""},
		{"a new step", files(one), files(one, two, three), errkind.Canceled, ""},
		{"one additive step back", files(one, two), files(one), errkind.Canceled, ""},
		{"a step back too far", files(one, two, three), files(one, two), errkind.Invalid, "knows 3; this one knows 2"},
		{"a changed step", files(one, two), files(one+" ", two), errkind.Invalid, "is not the one of this program"},
		{"a step that breaks", files(one), files(one, half), errkind.Internal, "0002_step.sql"},
		{"a step without its first line", files(one), files(one, "SELECT 1"), errkind.Internal, "0002_step.sql"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "db")
			if err := sqlite.Migrate(path, c.before); err != nil {
				t.Fatalf("Migrate(before) = %v", err)
			}
			err := sqlite.Migrate(path, c.after)
			switch {
			case c.kind == errkind.Canceled && err != nil:
				t.Errorf("Migrate(after) = %v", err)
			case c.kind != errkind.Canceled && (errkind.Of(err) != c.kind || !strings.Contains(err.Error(), c.word)):
				t.Errorf("Migrate(after) = %v, want %v with %q", err, c.kind, c.word)
			}
			// Nothing of a broken step stays, so the right one can follow.
			if err := sqlite.Migrate(path, files(one, two)); c.name == "a step that breaks" && err != nil {
				t.Errorf("Migrate() after a broken step = %v", err)
			}
		})
	}
}

func TestStoreOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fairlead.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	files, known := fstest.MapFS{}, os.DirFS("migration")
	names, err := fs.Glob(known, "*.sql")
	for _, name := range names {
		data, rerr := fs.ReadFile(known, name)
		files["migration/"+name] = &fstest.MapFile{Data: data}
		err = errors.Join(err, rerr)
	}
	if err != nil {
		t.Fatal(err)
	}
	next := len(files) + 1
	files[fmt.Sprintf("migration/%04d_next.sql", next)] = &fstest.MapFile{Data: fmt.Appendf(nil,
		"-- Oldest program that can use a database with this migration: %d\nCREATE TABLE next (x TEXT) STRICT;", next)}
	err = sqlite.Migrate(path, files)
	if err != nil {
		t.Fatal(err)
	}
	refusal(t, path, errkind.Invalid, "start the newer fairlead-server")
}

func TestKeptStoreIsTheSame(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fairlead.db")
	s := filled(t, path, 20)
	want := dump(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Errorf("the write-ahead log is left after Close")
	}
	s = open(t, path)
	if got := dump(t, s); got != want {
		t.Errorf("after a restart:\n%.500s\nwant\n%.500s", got, want)
	}
	err := s.Update(t.Context(), func(w store.Writer) error { return w.DeleteMachine("Machines-1") })
	if err != nil {
		t.Errorf("Update() after a restart = %v", err)
	}
}
