// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/store/sqlite"
)

// TestWaitingUpdatesShareACommit runs in a bubble, so that all are known to wait before the first
// goes on.
func TestWaitingUpdatesShareACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const waiting = 300 // more than one group takes
		s := open(t, filepath.Join(t.TempDir(), "fairlead.db"))
		release := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = s.Update(t.Context(), func(store.Writer) error { <-release; return nil })
		})
		synctest.Wait()
		for i := range waiting {
			wg.Go(func() {
				err := s.Update(t.Context(), func(w store.Writer) error {
					_, err := w.NextID("Things")
					if i%3 == 0 {
						err = errkind.Denied
					}
					return err
				})
				if (err != nil) != (i%3 == 0) {
					t.Errorf("Update %d = %v", i, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if n := s.Commits(); n != 3 {
			t.Errorf("%d commits for %d waiting Updates, want 3", n, waiting+1)
		}
		err := s.Update(t.Context(), func(w store.Writer) error {
			id, err := w.NextID("Things")
			if want := fmt.Sprintf("Things-%d", waiting-waiting/3+1); id != want {
				t.Errorf("NextID() = %s, want %s", id, want)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
}

// TestBubble uses the store over hours of virtual time.
func TestBubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "fairlead.db")
		start := time.Now()
		for range 3 {
			s := open(t, path)
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					for range 5 {
						<-time.After(time.Duration(i) * time.Minute)
						if err := s.Update(t.Context(), func(w store.Writer) error { return one(w.NextID("Things")) }); err != nil {
							t.Error(err)
						}
						if err := s.View(t.Context(), func(r store.Reader) error { return one(r.Users()) }); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took != 3*35*time.Minute {
			t.Errorf("virtual time went %v, want 1h45m", took)
		}
	})
}

// TestWaitingViewerGivesUp: all read connections are lent, and ctx ends in virtual time.
func TestWaitingViewerGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "fairlead.db"))
		release := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { _ = s.View(t.Context(), func(store.Reader) error { <-release; return nil }) })
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := s.View(ctx, func(store.Reader) error { return nil })
		if errkind.Of(err) != errkind.Timeout {
			t.Errorf("View() = %v, want timeout", err)
		}
		close(release)
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
}

// TestFullDiskIsGivenRoom covers a reserve: what found no space is done when some was made, once for
// each time.
func TestFullDiskIsGivenRoom(t *testing.T) {
	t.Parallel()
	asked, more := 0, 0
	var s *sqlite.Store
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "fairlead.db"), sqlite.Options{MakeRoom: func() bool {
		asked++
		if more == 0 {
			return false
		}
		if err := s.LimitPages(context.Background(), more); err != nil {
			t.Error(err)
		}
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.LimitPages(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		more int
		want errkind.Kind
	}{{0, errkind.Exhausted}, {4, errkind.Exhausted}, {1000, 0}} {
		more = step.more
		err := s.Update(t.Context(), func(w store.Writer) error {
			return w.PutUser(deploy.User{ID: "big", Name: "big", DisplayName: strings.Repeat("x", 200_000)})
		})
		if (err != nil) != (step.want != 0) || err != nil && errkind.Of(err) != step.want || asked != i+1 {
			t.Errorf("step %d: %v after %d calls for room, want %v after %d", i, err, asked, step.want, i+1)
		}
	}
	if err := errors.Join(s.Check(t.Context()), s.Close()); err != nil {
		t.Error(err)
	}
}

// TestFullDisk lets the database grow by a few pages only.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "fairlead.db"))
	if err := s.LimitPages(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	put := func(id string, bytes int) error {
		return s.Update(t.Context(), func(w store.Writer) error {
			err := w.PutUser(deploy.User{ID: deploy.UserID(id), Name: id, DisplayName: strings.Repeat("x", bytes)})
			if bytes%2 == 1 {
				return nil // a function may swallow what it was told
			}
			return err
		})
	}
	for i, bytes := range []int{200_000, 200_001} {
		err := put(fmt.Sprintf("big-%d", i), bytes)
		if errkind.Of(err) != errkind.Exhausted || errkind.Hint(err) == "" {
			t.Errorf("Update() on a full disk = %v (%v), want exhausted with a hint", err, errkind.Of(err))
		}
	}
	// Together with others: the big one fails alone.
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			size := 10
			if i == 7 {
				size = 200_000
			}
			if err := put(fmt.Sprintf("user-%d", i), size); (err != nil) != (i == 7) {
				t.Errorf("Update %d beside a big one = %v", i, err)
			}
		})
	}
	wg.Wait()
	err := s.View(t.Context(), func(r store.Reader) error {
		users, err := r.Users()
		if len(users) != 15 {
			t.Errorf("%d users, want 15", len(users))
		}
		return err
	})
	if err := errors.Join(err, s.Check(t.Context()), s.Close()); err != nil {
		t.Error(err)
	}
}

// TestGoexitStopsTheStore: a function that ends the writer's goroutine, as t.FailNow does, must
// not leave everybody waiting.
func TestGoexitStopsTheStore(t *testing.T) {
	t.Parallel()
	alarms := 0
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "fairlead.db"), sqlite.Options{Alarm: func() { alarms++ }})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(store.Writer) error { runtime.Goexit(); return nil })
	if alarms != 1 {
		t.Errorf("%d alarms before the caller heard, want one", alarms)
	}
	<-s.Done()
	if errkind.Of(err) != errkind.Unavailable || s.Err() == nil {
		t.Errorf("Update() = %v, Err() = %v", err, s.Err())
	}
	err = s.Update(t.Context(), func(store.Writer) error { return nil })
	if errkind.Of(err) != errkind.Unavailable {
		t.Errorf("Update() afterwards = %v, want unavailable", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
}

func TestPointsAreMarked(t *testing.T) {
	t.Parallel()
	var points []string
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "fairlead.db"),
		sqlite.Options{Point: func(name string) { points = append(points, name) }})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(w store.Writer) error { return one(w.NextID("x")) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(points, " "); got != "store.opened store.commit store.committed" {
		t.Errorf("points = %q", got)
	}
}
