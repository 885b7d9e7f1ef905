// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// LimitPages makes the database full at so many pages more than it has.
func (s *Store) LimitPages(ctx context.Context, more int) error {
	var pages int
	if err := s.db.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	_, err := s.writer.sql.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count(%d)", pages+more))
	return err
}

// CopyLock copies the lock's descriptor, as starting a process does for a moment.
func (s *Store) CopyLock() (*os.File, error) {
	fd, err := syscall.Dup(int(s.lock.file.Fd()))
	return os.NewFile(uintptr(fd), "lock"), err
}

// SlowPlans explains every statement that the connections have cached and returns those that read
// a whole table or sort.
func (s *Store) SlowPlans(ctx context.Context) (slow []string, all int, err error) {
	conns := []*conn{s.writer}
	for range readConnections {
		c := <-s.readers
		defer func() { s.readers <- c }()
		conns = append(conns, c)
	}
	for _, c := range conns {
		for query := range c.statements {
			if first, _, _ := strings.Cut(query, " "); first != "SELECT" && first != "DELETE" && first != "UPDATE" {
				continue
			}
			all++
			steps, err := c.explain(ctx, query)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: %w", query, err)
			}
			for _, step := range steps {
				scans := strings.HasPrefix(step, "SCAN ") && !strings.Contains(step, "USING") &&
					!strings.Contains(step, "CONSTANT ROW")
				if scans || strings.Contains(step, "TEMP B-TREE") {
					slow = append(slow, step+": "+query)
				}
			}
		}
	}
	return slow, all, nil
}

// Plans explains every statement of those that the connections have cached which has a text in it.
func (s *Store) Plans(ctx context.Context, text string) (plans []string, err error) {
	for range readConnections {
		c := <-s.readers
		defer func() { s.readers <- c }()
		for query := range c.statements {
			if !strings.Contains(query, text) {
				continue
			}
			steps, err := c.explain(ctx, query)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", query, err)
			}
			plans = append(plans, strings.Join(steps, "; ")+": "+query)
		}
	}
	return plans, nil
}

func (c *conn) explain(ctx context.Context, query string) (steps []string, err error) {
	args := make([]any, strings.Count(query, "?")-strings.Count(query, "?1")/2)
	rows, err := c.sql.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}

// Migrate opens the file at path and applies the migrations of files.
func Migrate(path string, files fs.FS) error {
	known, err := migrations(files)
	if err != nil {
		return err
	}
	db, c, err := openOne(path)
	if err != nil {
		return err
	}
	defer db.Close()
	defer c.close()
	return migrateTo(c, known)
}
