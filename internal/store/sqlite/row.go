// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"database/sql"
	"encoding/json"
	"hash/crc32"
	"strings"
	"time"

	"fairlead/internal/errkind"
)

// scanner is a row that is being read.
type scanner interface{ Scan(dest ...any) error }

// sealed is the text of a row with its checksum, as read.
type sealed struct {
	text sql.RawBytes
	sum  sealedSum
}

// sealedSum is NULL in a row that a migration rewrote; the next Put seals it.
type sealedSum = sql.NullInt64

// open checks the seal and decodes the text into v. Errors: Corrupt.
func (s sealed) open(what string, v any) error {
	if err := s.check(what); err != nil {
		return err
	}
	if err := json.Unmarshal(s.text, v); err != nil {
		return errkind.Hinted(errkind.Corrupt.Errorf("%s: its row is damaged: %w", what, err), restoreHint)
	}
	return nil
}

func (s sealed) check(what string) error {
	if s.sum.Valid && s.sum.Int64 != checksum(s.text) {
		return errkind.Hinted(errkind.Corrupt.Errorf("%s: its row is damaged: checksum %08x is not %08x",
			what, checksum(s.text), s.sum.Int64), restoreHint)
	}
	return nil
}

// seal encodes v for the columns body and sum.
func seal(v any) (body string, sum int64, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", 0, errkind.Invalid.Errorf("encode a row: %w", err)
	}
	return string(text), checksum(text), nil
}

func checksum(text []byte) int64 {
	return int64(crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
}

// list reads all rows of a query.
func list[T any](r *reader, doing string, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	if err := r.usable(); err != nil {
		return nil, err
	}
	rows, err := r.c.query(query, args...)
	if err != nil {
		return nil, fault(doing, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fault(doing, r.c.note(err))
		}
		all = append(all, v)
	}
	return all, fault(doing, r.c.note(rows.Err()))
}

// one reads a single row. Errors: NotFound naming what.
func one[T any](r *reader, what string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	all, err := list(r, "read "+what, scan, query, args...)
	if err != nil || len(all) == 0 {
		var none T
		if err == nil {
			err = notFound(what)
		}
		return none, err
	}
	return all[0], nil
}

func text[T ~string](row scanner) (T, error) {
	var v T
	return v, row.Scan(&v)
}

func count(row scanner) (int, error) {
	var n int
	return n, row.Scan(&n)
}

func fold(name string) string { return strings.ToLower(name) }

// stamp and moment keep a time in a column: microseconds since 1970 UTC, 0 for no time.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// clean makes a time as it comes back from the store: UTC, whole microseconds.
func clean(t time.Time) time.Time { return moment(stamp(t)) }

// jsonList passes a list to a statement, for "IN (SELECT value FROM json_each(?))".
func jsonList[T ~string](values []T) (string, error) {
	text, err := json.Marshal(values)
	return string(text), err
}

// where collects conditions. They are constants of this package; values go through arguments.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(isSet bool, condition string, args ...any) {
	if isSet {
		w.conditions = append(w.conditions, condition)
		w.args = append(w.args, args...)
	}
}

// contains asks for a part of a text, if there is one, without regard to the case of ASCII.
func (w *where) contains(column, part string) {
	w.add(part != "", "instr(lower("+column+"), lower(?)) > 0", part)
}

// addAny asks for one of the values, if there are any. The column is a constant of this package.
func (w *where) addAny(column string, values []string) error {
	if len(values) == 0 {
		return nil
	}
	text, err := jsonList(values)
	if err != nil {
		return errkind.Invalid.Errorf("encode a list: %w", err)
	}
	w.add(true, column+" IN (SELECT value FROM json_each(?))", text)
	return nil
}

func folded(values []string) []string {
	lower := make([]string, len(values))
	for i, v := range values {
		lower[i] = fold(v)
	}
	return lower
}

func (w *where) clause() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// page appends the arguments of "LIMIT ? OFFSET ?".
func (w *where) page(skip, take int) []any {
	if take <= 0 {
		take = -1
	}
	return append(w.args[:len(w.args):len(w.args)], take, max(skip, 0))
}
