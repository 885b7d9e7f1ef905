// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"fairlead/internal/errkind"
)

// A migration is one step of the schema, "NNNN_name.sql". Its first line says how old a program
// may be and still work on its result: additive steps say the step before, so that one release
// can be gone back.
//
//	-- Oldest program that can use a database with this migration: 1
//
//go:embed migration/*.sql
var migrationFiles embed.FS

type migration struct {
	number int
	name   string
	sha256 string
	oldest int
	script string
}

func migrations(files fs.FS) ([]migration, error) {
	form := regexp.MustCompile(`^migration/([0-9]{4})_[a-z0-9_]+\.sql$`)
	head := regexp.MustCompile(`^-- Oldest program that can use a database with this migration: ([0-9]+)\n`)
	names, err := fs.Glob(files, "migration/*.sql")
	if err != nil {
		return nil, errkind.Internal.Errorf("list migrations: %w", err)
	}
	slices.Sort(names)
	all := make([]migration, 0, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, errkind.Internal.Errorf("read migration: %w", err)
		}
		number, oldest := form.FindStringSubmatch(name), head.FindSubmatch(text)
		if number == nil || oldest == nil || number[1] != fmt.Sprintf("%04d", i+1) {
			return nil, errkind.Internal.Errorf("migration %s: wrong name, number or first line", name)
		}
		sum := sha256.Sum256(text)
		m := migration{number: i + 1, name: name, sha256: hex.EncodeToString(sum[:]), script: string(text)}
		if m.oldest, err = strconv.Atoi(string(oldest[1])); err != nil {
			return nil, errkind.Internal.Errorf("migration %s: %w", name, err)
		}
		all = append(all, m)
	}
	return all, nil
}

// migrate applies what the database does not have yet. Errors: Invalid (made by another or a too
// new program).
func migrate(c *conn) error {
	known, err := migrations(migrationFiles)
	if err != nil {
		return err
	}
	return migrateTo(c, known)
}

func migrateTo(c *conn, known []migration) error {
	_, err := c.exec("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, " +
		"sha256 TEXT NOT NULL, oldest INTEGER NOT NULL) STRICT")
	if err != nil {
		return fault("read the schema's history", err)
	}
	applied, err := list(&reader{c: c}, "read the schema's history", func(row scanner) (m migration, err error) {
		return m, row.Scan(&m.number, &m.name, &m.sha256, &m.oldest)
	}, "SELECT number, name, sha256, oldest FROM migration ORDER BY number")
	if err != nil {
		return err
	}
	if err := compare(applied, known); err != nil {
		return err
	}
	for _, m := range known[min(len(applied), len(known)):] {
		if err := m.apply(c); err != nil {
			return err
		}
	}
	return nil
}

func compare(applied, known []migration) error {
	for i, a := range applied {
		if a.number != i+1 {
			return errkind.Hinted(errkind.Corrupt.Errorf("the schema's history has number %d where %d belongs", a.number, i+1),
				restoreHint)
		}
		switch {
		case i < len(known) && a.sha256 != known[i].sha256:
			return errkind.Hinted(errkind.Invalid.Errorf("schema step %s of the database is not the one of this program "+
				"(%.12s, not %.12s)", a.name, a.sha256, known[i].sha256), "start the program that made this database")
		case i >= len(known) && a.oldest > len(known):
			return errkind.Hinted(errkind.Invalid.Errorf("the database has schema %d, which needs a program that knows %d; "+
				"this one knows %d", len(applied), a.oldest, len(known)),
				"start the newer fairlead-server, or restore a backup from before the upgrade")
		}
	}
	return nil
}

func (m migration) apply(c *conn) error {
	doing := "apply schema step " + m.name
	if err := c.begin("BEGIN IMMEDIATE"); err != nil {
		return fault(doing, err)
	}
	_, err := c.sql.ExecContext(context.Background(), m.script)
	if err == nil {
		_, err = c.exec("INSERT INTO migration (number, name, sha256, oldest) VALUES (?, ?, ?, ?)",
			m.number, m.name, m.sha256, m.oldest)
	}
	if err == nil {
		_, err = c.exec("COMMIT")
	}
	if err != nil {
		c.rollback()
	}
	return fault(doing, err)
}
