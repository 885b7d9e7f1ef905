// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// call is one Update.
type call struct {
	f    func(store.Writer) error
	err  error
	done chan error // holds one
}

// Update implements store.Store. A ctx that ends before the function is started ends the wait
// with Canceled or Timeout, and nothing is written. Later the outcome is waited for, which takes
// as long as a commit: whoever asked learns what is on disk, and the function's variables are
// never shared with a caller who went away.
func (s *Store) Update(ctx context.Context, f func(store.Writer) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	c := &call{f: f, done: make(chan error, 1)}
	select {
	case s.calls <- c:
		return <-c.done
	case <-ctx.Done():
		return canceled(ctx)
	case <-s.closing:
		return s.refusal()
	case <-s.down:
		return s.refusal()
	}
}

// write owns the write connection until the store closes or stops.
func (s *Store) write() {
	for {
		select {
		case c := <-s.calls:
			s.group(c)
		case <-s.closing:
			return
		case <-s.down:
			return
		}
	}
}

// group carries out the first call and all that wait by then, and answers them.
func (s *Store) group(first *call) {
	calls := []*call{first}
	answered := false
	defer func() {
		if !answered { // the function ended this goroutine, as testing.T.FailNow does
			s.stop(errkind.Internal.Errorf("a function given to Update ended its goroutine"))
			s.answer(calls, s.refusal())
			s.writer.rollback()
		}
	}()
	var err error
	calls, err = s.attempt(calls, maxGroupUpdates)
	if isFull(err) && s.room() {
		calls, err = s.attempt(calls, len(calls))
	}
	if err != nil && !s.fatal(err) && len(calls) > 1 {
		for _, c := range calls { // one of them may be too big for what is left of the disk
			_, err := s.attempt([]*call{c}, 1)
			s.settle([]*call{c}, err)
		}
		answered = true
		return
	}
	s.settle(calls, err)
	answered = true
}

// settle answers calls whose transaction ended with err.
func (s *Store) settle(calls []*call, err error) {
	if s.fatal(err) {
		s.stop(fault("commit", err))
		err = s.refusal()
	}
	s.answer(calls, fault("commit", err))
}

func (s *Store) answer(calls []*call, err error) {
	for _, c := range calls {
		if err != nil {
			c.err = err
		}
		c.done <- c.err
	}
}

func (s *Store) fatal(err error) bool { return err != nil && endsStore(err) }

// attempt runs calls, and those that come meanwhile up to limit, in one transaction. An error is
// the whole transaction's; a call's own error is in the call.
func (s *Store) attempt(calls []*call, limit int) ([]*call, error) {
	if s.Err() != nil {
		return calls, s.Err()
	}
	if err := s.writer.begin("BEGIN IMMEDIATE"); err != nil {
		return calls, err
	}
	var all changed
	for i := 0; i < len(calls); i++ {
		changed, err := s.apply(calls[i])
		if all.add(changed); err != nil {
			s.writer.rollback()
			return calls, err
		}
		if i == len(calls)-1 && len(calls) < limit {
			calls = s.waiting(calls)
		}
	}
	s.point("store.commit")
	if _, err := s.writer.exec("COMMIT"); err != nil {
		s.writer.rollback()
		return calls, err
	}
	s.changes.note(all.machines)
	s.board.note(all)
	if all.people {
		s.people.Add(1)
	}
	s.point("store.committed")
	s.mu.Lock()
	s.groups++
	s.mu.Unlock()
	return calls, nil
}

// waiting adds one call that is being offered, if there is one.
func (s *Store) waiting(calls []*call) []*call {
	select {
	case c := <-s.calls:
		return append(calls, c)
	default:
		return calls
	}
}

// apply runs one call in a savepoint and returns what it changed. The error is one that
// ended the whole transaction.
func (s *Store) apply(c *call) (changed, error) {
	if _, err := s.writer.exec("SAVEPOINT call"); err != nil {
		return changed{}, err
	}
	w := &writer{reader: reader{c: s.writer, changes: &s.changes, mark: s.changes.now()}}
	c.err = guarded("update", func() error { return c.f(w) })
	w.ended = true
	if s.writer.broken != nil {
		return changed{}, s.writer.broken
	}
	if c.err != nil {
		if _, err := s.writer.exec("ROLLBACK TO call"); err != nil {
			return changed{}, err
		}
	}
	_, err := s.writer.exec("RELEASE call")
	return w.changed, err
}

// panicPlace is the file and line that panicked, seen from a deferred function.
func panicPlace() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		isRuntime := strings.HasPrefix(frame.Function, "runtime.")
		switch {
		case isRuntime:
			panicking = true
		case panicking:
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
