// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/tasklog"
)

// TestFollowersSeeEachLineOnce has followers from different starts beside several appenders.
func TestFollowersSeeEachLineOnce(t *testing.T) {
	t.Parallel()
	const followers, appenders, rounds = 12, 4, 200
	f := open(t, t.TempDir())
	var wg sync.WaitGroup
	for i := range followers {
		wg.Go(func() {
			last, offset := int64(0), int64(0)
			for {
				stop := errors.New("enough")
				err := f.Follow(t.Context(), task, offset, func(lines []tasklog.Line, next int64) error {
					for _, l := range lines {
						if last++; l.Number != last {
							return fmt.Errorf("line %d where %d belongs", l.Number, last)
						}
					}
					if offset = next; i%2 == 0 && last%7 == 0 {
						return stop // comes back with the offset, as a browser does
					}
					return nil
				})
				switch {
				case errors.Is(err, stop):
					continue
				case err != nil || last != appenders*rounds:
					t.Errorf("follower %d ended after %d lines: %v", i, last, err)
				}
				return
			}
		})
	}
	w := writer(t, f)
	var appending sync.WaitGroup
	for i := range appenders {
		appending.Go(func() {
			for n := range rounds {
				ticket := contract.TicketID(fmt.Sprintf("t-%d", i))
				if err := w.Append(tasklog.Line{Text: fmt.Sprint(n), Ticket: ticket, TicketEnd: int64(n + 1)}); err != nil {
					t.Errorf("Append() = %v", err)
				}
			}
		})
	}
	appending.Wait()
	if err := w.Finish(); err != nil {
		t.Errorf("Finish() = %v", err)
	}
	wg.Wait()
	_ = w.Close()
	if n := f.Followed(); n != 0 {
		t.Errorf("%d logs in memory after the last follower, want 0", n)
	}
}

// TestFollowSleeps shows in virtual time that nobody polls: a bubble is idle while followers wait.
func TestFollowSleeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, t.TempDir())
		var got []string
		start := time.Now()
		done := make(chan error, 1)
		go func() {
			done <- f.Follow(t.Context(), task, 0, func(lines []tasklog.Line, _ int64) error {
				for _, l := range lines {
					got = append(got, fmt.Sprintf("%v %s", time.Since(start), l.Text))
				}
				return nil
			})
		}()
		synctest.Wait()
		<-time.After(time.Hour)
		w := writer(t, f)
		add(t, w, tasklog.Line{Text: "one"})
		synctest.Wait()
		<-time.After(time.Minute)
		_ = w.Close() // the server restarts
		w = writer(t, f)
		<-time.After(time.Minute)
		add(t, w, tasklog.Line{Text: "two"}, tasklog.Line{Text: "three"})
		if err := w.Finish(); err != nil {
			t.Errorf("Finish() = %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Follow() = %v", err)
		}
		same(t, "lines", []string{"1h0m0s one", "1h2m0s two", "1h2m0s three"}, got)
	})
}

func TestFollowEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := open(t, t.TempDir())
		ignore := func([]tasklog.Line, int64) error { return nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		same(t, "kind when ctx ends", errkind.Timeout, errkind.Of(f.Follow(ctx, task, 0, ignore)))
		same(t, "kind of a wrong offset", errkind.NotFound, errkind.Of(f.Follow(t.Context(), task, 3, ignore)))
		w := writer(t, f)
		add(t, w, tasklog.Line{Text: "one"})
		same(t, "kind of deliver's error", errkind.Denied, errkind.Of(f.Follow(t.Context(), task, 0,
			func([]tasklog.Line, int64) error { return errkind.Denied })))
		_ = w.Close()
		done := make(chan error, 1)
		go func() { done <- f.Follow(t.Context(), task, 0, ignore) }()
		synctest.Wait()
		if err := f.Remove(task); err != nil {
			t.Errorf("Remove() = %v", err)
		}
		same(t, "kind when the log is removed", errkind.NotFound, errkind.Of(<-done))
		if err := f.Finish(task); err != nil {
			t.Errorf("Finish() of a log that never was = %v", err)
		}
		if err := f.Follow(t.Context(), task, 0, ignore); err != nil {
			t.Errorf("Follow() of a finished log = %v", err)
		}
		same(t, "logs in memory", 0, f.Followed())
	})
}
