// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
)

// filled opens a store with count things of several kinds.
func filled(t testing.TB, path string, count int) *sqlite.Store {
	t.Helper()
	s := open(t, path)
	err := s.Update(t.Context(), func(w store.Writer) error {
		err := errors.Join(w.PutProject(deploy.Project{ID: "Projects-1", Name: "web"}), w.PutUser(deploy.User{ID: "Users-1"}))
		for i := range count {
			_, idErr := w.NextID("Machines")
			_, eventErr := w.AddEvent(deploy.Event{User: "ada", Category: "A", Subject: "x", Message: fmt.Sprint("event ", i)})
			err = errors.Join(err, idErr, eventErr,
				w.PutMachine(deploy.Machine{
					ID: deploy.MachineID(fmt.Sprintf("Machines-%d", i)), Name: fmt.Sprintf("web-%d", i),
					Pin: fmt.Sprintf("%064x", i+1), Tags: []string{"web"}, Environments: []deploy.EnvironmentID{"Environments-1"},
				}),
				w.PutTask(deploy.Task{
					ID: deploy.TaskID(fmt.Sprintf("ServerTasks-%d", i)), Description: "deploy", State: deploy.TaskQueued,
				}),
				w.PutRelease(deploy.Release{
					ID: deploy.ReleaseID(fmt.Sprintf("Releases-%d", i)), Project: "Projects-1", Version: fmt.Sprint(i), Notes: "good",
				}))
		}
		return err
	})
	if err != nil {
		t.Fatalf("fill: %v", err)
	}
	return s
}

// dump is everything that filled wrote, as text; errors are part of it.
func dump(t testing.TB, s *sqlite.Store) (text string) {
	t.Helper()
	err := s.View(t.Context(), func(r store.Reader) error {
		machines, e1 := r.Machines(store.MachineFilter{})
		tagged, e2 := r.Machines(store.MachineFilter{Tag: "web", Environment: "Environments-1"})
		tasks, total, e3 := r.Tasks(store.TaskFilter{})
		events, e4 := r.Events(store.EventFilter{User: "ada"})
		releases, e5 := r.Releases("Projects-1")
		projects, e6 := r.Projects("")
		users, e7 := r.Users()
		text = fmt.Sprintln(machines, tagged, tasks, total, events, releases, projects, users)
		for _, row := range releases {
			release, err := r.Release(row.ID)
			e7 = errors.Join(e7, err)
			text += fmt.Sprintln(release)
		}
		return errors.Join(e1, e2, e3, e4, e5, e6, e7)
	})
	return text + fmt.Sprint(err)
}

// TestD1FlippedBytes flips bytes all over a database. Each must be found when the store is opened
// or checked, or lie where it changes nothing that can be read.
func TestD1FlippedBytes(t *testing.T) {
	t.Parallel()
	const page = 4096
	path := filepath.Join(t.TempDir(), "fairlead.db")
	s := filled(t, path, 60)
	want := dump(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	clean := read(t, path)
	open(t, path)
	unclean, log := read(t, path), read(t, path+"-wal") // as a crash leaves them
	t.Run("after a clean end", func(t *testing.T) {
		t.Parallel()
		_, atOpen, atCheck := flip(t, clean, nil, want, 2*page/3+1)
		if atOpen == 0 || atCheck == 0 {
			t.Errorf("%d found at open, %d by the check", atOpen, atCheck)
		}
	})
	t.Run("after a crash", func(t *testing.T) {
		t.Parallel()
		flips, atOpen, _ := flip(t, unclean, log, want, page) // the first byte of a page, its kind
		if atOpen < flips/2 {
			t.Errorf("%d of %d pages found at open", atOpen, flips)
		}
	})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// flip flips one bit in every step bytes, each in a copy of its own.
func flip(t *testing.T, whole, log []byte, want string, step int) (flips, atOpen, atCheck int) {
	t.Helper()
	harmless := 0
	if testing.Short() {
		step *= 5
	}
	for at := 0; at < len(whole); at += step {
		flips++
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 1 << (at % 8)
		path := filepath.Join(t.TempDir(), "fairlead.db")
		if err := errors.Join(os.WriteFile(path, damaged, 0o600), os.WriteFile(path+"-wal", log, 0o600)); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			atOpen++
			continue
		}
		err = s.Check(t.Context())
		got := dump(t, s)
		_ = s.Close()
		switch {
		case errkind.Of(err) == errkind.Corrupt && errkind.Hint(err) != "":
			atCheck++
		case err != nil:
			t.Errorf("byte %d: Check() = %v (%v)", at, err, errkind.Of(err))
		case got != want:
			t.Errorf("byte %d changes what is read, and nothing notices", at)
		default:
			harmless++
		}
	}
	t.Logf("%d flips: %d found at open, %d by the check, %d change nothing", flips, atOpen, atCheck, harmless)
	return flips, atOpen, atCheck
}

func TestD1Truncated(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "fairlead.db")
	if err := filled(t, source, 60).Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 100, 511, 512, 4095, 4096, 8192, len(whole) / 2, len(whole) - 4096, len(whole) - 1} {
		t.Run(fmt.Sprintf("%d of %d bytes", size, len(whole)), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "fairlead.db")
			if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
				t.Fatal(err)
			}
			refusal(t, path, errkind.Corrupt, "fairlead-server restore")
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(whole[:size]) {
				t.Errorf("the damaged file was changed (%v)", err)
			}
		})
	}
}

func TestD1WrongFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("zeros", func(t *testing.T) { refusal(t, text, errkind.Corrupt, "restore") })
	foreign := filepath.Join(dir, "foreign.db")
	if err := sqlite.Migrate(foreign, fstest.MapFS{}); err != nil {
		t.Fatal(err)
	}
	t.Run("another program's database", func(t *testing.T) {
		refusal(t, foreign, errkind.Corrupt, "not a database of this program")
	})
	gone := filepath.Join(dir, "gone.db")
	if err := os.WriteFile(gone+"-wal", []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("only the write-ahead log is left", func(t *testing.T) { refusal(t, gone, errkind.Corrupt, "is gone") })
	t.Run("a folder in its place", func(t *testing.T) {
		if _, err := sqlite.Open(t.Context(), dir, sqlite.Options{}); err == nil {
			t.Error("Open(folder) = nil")
		}
	})
	t.Run("no folder for it", func(t *testing.T) {
		_, err := sqlite.Open(t.Context(), filepath.Join(dir, "none", "db"), sqlite.Options{})
		if errkind.Of(err) != errkind.NotFound {
			t.Errorf("Open() = %v, want not-found", err)
		}
	})
}
