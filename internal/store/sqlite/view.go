// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"

	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// View implements store.Store. It waits for a read connection; ctx ends that wait.
func (s *Store) View(ctx context.Context, f func(store.Reader) error) error {
	c, err := s.borrow(ctx)
	if err != nil {
		return err
	}
	defer func() { s.readers <- c }()
	r := &reader{
		c: c, changes: &s.changes, mark: s.changes.now(), board: &s.board, boardMark: s.board.changes.now(),
		projects: &s.projects,
	}
	if err := c.begin("BEGIN"); err != nil {
		return fault("begin a view", err)
	}
	defer c.rollback()
	defer func() { r.ended = true }()
	return guarded("view", func() error { return f(r) })
}

func (s *Store) borrow(ctx context.Context) (*conn, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	select {
	case c := <-s.readers:
		return c, nil
	case <-ctx.Done():
		return nil, canceled(ctx)
	case <-s.closing:
		return nil, s.refusal()
	}
}

// guarded turns a panic of f into an error that says where it came from.
func guarded(doing string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errkind.Internal.Errorf("%s: panic at %s: %v", doing, panicPlace(), p)
		}
	}()
	return f()
}
