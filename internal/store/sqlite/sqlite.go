// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package sqlite is the store in one SQLite file.
//
// It does not know the rules of the domain beyond what the storage contract says.
//
//  1. One goroutine owns the one connection that writes. Updates that wait are committed in
//     groups, each in a savepoint of its own, and are answered after the commit is on disk.
//  2. After an error that leaves a commit in doubt (I/O, damage) the store stops for good: every
//     later call is Unavailable with the cause, and Done tells the program to exit.
//  3. One process has the store open: it holds a lock on "<path>.lock".
//  4. A database appears under its name only when it is whole, so that an empty or truncated file
//     is damage and never a new beginning.
//  5. The text of a row is sealed with a checksum, and every other column is in an index, so that
//     Check finds a changed byte in any of them.
//  6. Names are folded by strings.ToLower; SQLite compares bytes.
//  7. Every wait is on a channel, so the store runs inside a testing/synctest bubble.
//
// Safe for concurrent use. Update must not be called from a function that Update runs.
//
// open.go opens and closes; lock.go keeps others out; migrate.go brings the schema up to date;
// group.go is the writer; view.go lends read connections; conn.go runs statements; row.go seals
// and scans rows; changes.go remembers what changed, board.go the cells of the dashboard; fault.go
// translates driver errors; check.go and backup.go say so. The other files each hold the rows of one kind.
package sqlite

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// Limits of the store.
const (
	// readConnections is how many Views run at once; others wait.
	readConnections = 4
	// maxGroupUpdates is how many Updates share a commit at most.
	maxGroupUpdates = 128
	// busyTimeoutMS is how long SQLite waits for a lock of a foreign process, such as the sqlite3
	// shell. It waits in real time, so it is short.
	busyTimeoutMS = 200
	// maxCachedStatements is how many prepared statements a connection keeps.
	maxCachedStatements = 256
	// walLimitBytes is the size the write-ahead log is cut back to after a checkpoint.
	walLimitBytes = 64 << 20
)

// Options change how a store is opened. The zero value is right.
type Options struct {
	// Point marks the crash points "store.opened", "store.commit" (before) and "store.committed".
	Point func(name string)
	// MakeRoom is asked for space when a group found none, and reports whether it made some: then the
	// group is tried once more. It is called by the one goroutine that writes. Nil makes none.
	MakeRoom func() bool
	// Alarm is called once when the store stops for good, before anybody hears of that. It must not wait, nor use the
	// store. Nil tells nobody.
	Alarm func()
}

// Store is an open database.
type Store struct {
	path  string
	point func(string)
	room  func() bool
	alarm func()
	lock  *lock
	db    *sql.DB

	writer  *conn
	readers chan *conn // the idle ones
	calls   chan *call
	closing chan struct{} // closed by Close
	down    chan struct{} // closed by the writer when it stops for good
	work    sync.WaitGroup
	changes changes[deploy.MachineID]
	board   board
	people  atomic.Int64 // commits that changed them
	// projects are decoded once while their rows stay as they are.
	projects decoded[deploy.Project]

	mu     sync.Mutex
	cause  error // why down is closed
	closed bool
	groups int64 // commits so far
}

var _ store.Store = (*Store)(nil)

// Done is closed when the store has stopped for good after an error that it cannot survive; Err
// says why. The program must exit: a later start looks at the file afresh.
func (s *Store) Done() <-chan struct{} { return s.down }

// Err is nil until Done is closed.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Commits is how many commits of Updates there were: less than the Updates when they came in groups.
func (s *Store) Commits() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups
}

// PeopleMark implements store.Store.
func (s *Store) PeopleMark() int64 { return s.people.Load() }

func (s *Store) stop(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = cause
		s.alarm()
		close(s.down)
	}
}

// refusal is what a call gets that meets a closed or stopped store.
func (s *Store) refusal() error {
	if cause := s.Err(); cause != nil {
		return errkind.Hinted(errkind.Unavailable.Errorf("the store has stopped: %w", cause),
			"stop the server, make sure that the disk is sound and has space, then start it again")
	}
	return errkind.Unavailable.Errorf("the store is closed")
}

// usable returns nil while calls may go on.
func (s *Store) usable(ctx context.Context) error {
	select {
	case <-s.closing:
		return s.refusal()
	case <-s.down:
		return s.refusal()
	default:
	}
	return canceled(ctx)
}

func canceled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return errkind.Of(err).Errorf("wait for the store: %w", err)
	}
	return nil
}
