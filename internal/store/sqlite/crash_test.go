// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
)

// The test binary runs itself in these roles.
const (
	roleVariable = "FAIRLEAD_STORE_ROLE"
	pathVariable = "FAIRLEAD_STORE_PATH"
)

func TestMain(m *testing.M) {
	roles := map[string]func(context.Context, *sqlite.Store) error{"write for ever": writeForever, "hit a limit": hitLimit}
	role := roles[os.Getenv(roleVariable)]
	if role == nil {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	s, err := sqlite.Open(ctx, os.Getenv(pathVariable), sqlite.Options{})
	if err == nil {
		err = role(ctx, s)
	}
	fmt.Println("failed:", err)
	os.Exit(1)
}

func start(t *testing.T, role, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewScanner(out)
}

// writeForever has four goroutines write pairs of rows and print each pair after it was answered.
func writeForever(ctx context.Context, s *sqlite.Store) error {
	var wg sync.WaitGroup
	failed := make(chan error, 4)
	for range cap(failed) {
		wg.Go(func() {
			for {
				var key string
				err := s.Update(ctx, func(w store.Writer) (err error) {
					if key, err = w.NextID("Users"); err != nil {
						return err
					}
					if err := w.PutUser(deploy.User{ID: deploy.UserID(key), Name: key}); err != nil {
						return err
					}
					_, err = w.AddEvent(deploy.Event{Subject: key, Message: strings.Repeat("x", 300)})
					return err
				})
				if err != nil {
					failed <- err
					return
				}
				fmt.Println(key)
			}
		})
	}
	wg.Wait()
	return <-failed
}

// TestKillLosesNothing kills a writing process again and again. Every row that was answered must
// be there, whole, and the store must open each time.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fairlead.db")
	acked := map[string]bool{}
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		c, lines := start(t, "write for ever", path)
		for n := 0; lines.Scan(); n++ {
			if !strings.HasPrefix(lines.Text(), "Users-") {
				t.Errorf("the writer says %q", lines.Text())
			}
			if acked[lines.Text()] {
				t.Errorf("%s was given twice", lines.Text())
			}
			acked[lines.Text()] = true
			if n == 5+17*round { // go on reading what it still said
				if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); errkind.Of(err) != errkind.Conflict {
					t.Errorf("Open() beside another process = %v, want conflict", err)
				} else if want := fmt.Sprintf("process %d", c.Process.Pid); !strings.Contains(err.Error(), want) {
					t.Errorf("Open() = %v, want %q in it", err, want)
				}
				_ = c.Process.Kill()
			}
		}
		_ = c.Wait()
		judge(t, path, acked)
	}
	t.Logf("%d answered Updates of %d killed writers", len(acked), rounds)
}

func judge(t *testing.T, path string, acked map[string]bool) {
	t.Helper()
	s := open(t, path)
	defer s.Close()
	err := s.View(t.Context(), func(r store.Reader) error {
		users, err := r.Users()
		if err != nil {
			return err
		}
		events, err := r.Events(store.EventFilter{})
		if err != nil {
			return err
		}
		there := map[string]bool{}
		for _, u := range users {
			there[string(u.ID)] = true
		}
		for key := range acked {
			if !there[key] {
				t.Errorf("%s was answered and is gone", key)
			}
		}
		for i, e := range events {
			if e.Number != int64(len(events)-i) || !there[e.Subject] {
				t.Errorf("event %d at %d of %s: half a transaction", e.Number, len(events)-i, e.Subject)
			}
		}
		if len(users) != len(events) {
			t.Errorf("%d users, %d events", len(users), len(events))
		}
		return nil
	})
	if err != nil {
		t.Errorf("View() = %v", err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check() = %v", err)
	}
}

// hitLimit makes the kernel refuse writes in the middle and says how the store takes it.
func hitLimit(ctx context.Context, s *sqlite.Store) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 256 << 10, Max: 256 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	write := func() error {
		return s.Update(ctx, func(w store.Writer) error {
			_, err := w.AddEvent(deploy.Event{Message: strings.Repeat("x", 3000)})
			return err
		})
	}
	written := 0
	for {
		err := write()
		if err == nil {
			written++
			continue
		}
		<-s.Done()
		fmt.Println(errkind.Of(err), errkind.Hint(err) != "", errkind.Of(write()), s.Err() != nil)
		fmt.Println(s.Close() == nil, written)
		os.Exit(0)
	}
}

// TestStopAfterIOError: the store stops at the first write that the disk refuses, and what it
// answered before is there afterwards.
func TestStopAfterIOError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fairlead.db")
	c, lines := start(t, "hit a limit", path)
	var got []string
	for lines.Scan() {
		got = append(got, lines.Text())
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %q", err, got)
	}
	if len(got) != 2 || got[0] != "unavailable true unavailable true" {
		t.Fatalf("after a refused write: %q", got)
	}
	var clean bool
	var written int
	if _, err := fmt.Sscan(got[1], &clean, &written); err != nil || written == 0 {
		t.Fatalf("%q: %v", got[1], err)
	}
	s := open(t, path)
	err := s.View(t.Context(), func(r store.Reader) error {
		events, err := r.Events(store.EventFilter{})
		if len(events) < written {
			t.Errorf("%d events, %d were answered", len(events), written)
		}
		return err
	})
	if err != nil {
		t.Errorf("View() = %v", err)
	}
}
