// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// conn is one connection with its prepared statements. One goroutine at a time uses it.
type conn struct {
	sql        *sql.Conn
	statements map[string]*sql.Stmt
	// broken is the first error that ended the running transaction: nothing more is done in it.
	broken error
}

func (c *conn) prepared(query string) (*sql.Stmt, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	if s, ok := c.statements[query]; ok {
		return s, nil
	}
	if len(c.statements) >= maxCachedStatements {
		c.forget()
	}
	s, err := c.sql.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, c.note(err)
	}
	c.statements[query] = s
	return s, nil
}

// exec and query take no context: a statement of ours is short, and one that was interrupted
// would end the transaction of a whole group.
func (c *conn) exec(query string, args ...any) (sql.Result, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(context.Background(), args...)
	return result, c.note(err)
}

func (c *conn) query(query string, args ...any) (*sql.Rows, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	return rows, c.note(err)
}

func (c *conn) note(err error) error {
	if err != nil && c.broken == nil && endsTransaction(err) {
		c.broken = err
	}
	return err
}

// begin starts a transaction; "BEGIN IMMEDIATE" for one that writes.
func (c *conn) begin(how string) error {
	c.broken = nil
	_, err := c.exec(how)
	return err
}

// rollback ends a transaction, if there still is one.
func (c *conn) rollback() {
	c.broken = nil
	// The only error is that no transaction is active, which is what is wanted.
	_, _ = c.exec("ROLLBACK")
	c.broken = nil
}

func (c *conn) forget() {
	for query, s := range c.statements {
		_ = s.Close()
		delete(c.statements, query)
	}
}

func (c *conn) close() error {
	c.forget()
	return c.sql.Close()
}

// reader carries out the reading half of the contract in the running transaction of c.
type reader struct {
	c       *conn
	changes *changes[deploy.MachineID]
	mark    int64 // of what it sees
	// board is nil in an update, which sees what is not committed.
	board     *board
	boardMark int64
	projects  *decoded[deploy.Project] // nil there, too: who changes one may change what it shares
	ended     bool
}

// writer carries out the writing half too.
type writer struct {
	reader
	changed
	read deploy.Machine // by Machine last, and as it is stored; without an id when nothing is known
}

// changed is what updates wrote or deleted.
type changed struct {
	machines []deploy.MachineID
	cells    []cell
	allCells bool // or they cannot be told
	people   bool // or their teams, roles or keys
}

func (c *changed) add(more changed) {
	c.machines, c.cells = append(c.machines, more.machines...), append(c.cells, more.cells...)
	c.allCells, c.people = c.allCells || more.allCells, c.people || more.people
}

func (r *reader) usable() error {
	if r.ended {
		return errkind.Internal.Errorf("a transaction is used after its end")
	}
	return nil
}

func (w *writer) exec(doing, query string, args ...any) (sql.Result, error) {
	if err := w.usable(); err != nil {
		return nil, err
	}
	w.read = deploy.Machine{}
	result, err := w.c.exec(query, args...)
	return result, fault(doing, err)
}

// change runs a statement that must touch a row. Errors: NotFound.
func (w *writer) change(doing, what, query string, args ...any) error {
	result, err := w.exec(doing, query, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return notFound(what)
	}
	return fault(doing, err)
}

func notFound(what string) error { return errkind.NotFound.Errorf("%s does not exist", what) }

// free makes sure that a query finds nothing, so that the error can name what is taken; the unique
// index behind it is the safety net. Errors: Conflict.
func (w *writer) free(what, query string, args ...any) error {
	taken, err := list(&w.reader, "look for "+what, text[string], query+" LIMIT 1", args...)
	if err == nil && len(taken) > 0 {
		err = errkind.Conflict.Errorf("%s exists already (%s)", what, taken[0])
	}
	return err
}
