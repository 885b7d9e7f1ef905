// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"strings"

	"fairlead/internal/errkind"
)

// sealedTables are those whose rows have a body with a checksum.
func sealedTables() []string {
	return []string{
		"installation", "counter", "environment", "machine", "project_group", "lifecycle", "project", "channel",
		"process", "variable_set", "package", "release", "deployment", "task", "ticket", "join_token", "user",
		"api_key", "session", "event", "library_set", "account",
		"team", "user_role", "machine_policy",
		"interruption", "output", "artifact",
	}
}

// Check implements store.Store: pages, indexes and references by SQLite, then the seal of every
// row. It reads everything beside the running work.
func (s *Store) Check(ctx context.Context) (err error) {
	if err := s.usable(ctx); err != nil {
		return err
	}
	c, err := s.spare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fault("check", c.close())) }()
	if err := look(ctx, c, "PRAGMA integrity_check(3)"); err != nil {
		return err
	}
	const dangling = "SELECT 'a row of ' || \"table\" || ' refers to nothing' FROM pragma_foreign_key_check"
	if err := look(ctx, c, dangling); err != nil {
		return err
	}
	for _, table := range sealedTables() {
		if err := checkSeals(ctx, c, table); err != nil {
			return err
		}
	}
	return nil
}

// spare opens a connection beside the pool, for long work that ctx may end.
func (s *Store) spare(ctx context.Context) (*conn, error) {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fault("connect", err)
	}
	return &conn{sql: c, statements: nil}, nil
}

// look runs a statement whose rows, except "ok", are findings of damage.
func look(ctx context.Context, c *conn, query string) error {
	rows, err := c.sql.QueryContext(ctx, query)
	if err != nil {
		return fault("check", err)
	}
	defer rows.Close()
	var findings []string
	for rows.Next() && len(findings) < maxFindings {
		var finding string
		if err := rows.Scan(&finding); err != nil {
			return fault("check", err)
		}
		if finding != "ok" {
			findings = append(findings, strings.TrimSpace(finding))
		}
	}
	if err := rows.Err(); err != nil {
		return fault("check", err)
	}
	if len(findings) > 0 {
		err := errkind.Corrupt.Errorf("the database is damaged: %s", strings.Join(findings, "; "))
		return errkind.Hinted(err, restoreHint)
	}
	return nil
}

func checkSeals(ctx context.Context, c *conn, table string) error {
	rows, err := c.sql.QueryContext(ctx, "SELECT body, sum FROM "+table)
	if err != nil {
		return fault("check", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s struct {
			text string
			sum  sealedSum
		}
		if err := rows.Scan(&s.text, &s.sum); err != nil {
			return fault("check", err)
		}
		if err := (sealed{text: []byte(s.text), sum: s.sum}).check("a row of " + table); err != nil {
			return err
		}
	}
	return fault("check", rows.Err())
}
