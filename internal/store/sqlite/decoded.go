// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import "sync"

// maxDecoded is how many rows of a table are remembered; then all are forgotten.
const maxDecoded = 16 << 10

// decoded remembers what the texts of rows decode to, for tables that are listed often: to decode one of a thousand
// projects takes longer than to read it. What it gives out is shared and never changed. The zero value is empty.
type decoded[T any] struct {
	mu   sync.RWMutex
	rows map[string]decodedRow[T] // by id
}

type decodedRow[T any] struct {
	text  string
	sum   sealedSum
	value T
}

// open is decode(), or what it gave for the same text. A nil d remembers nothing.
func (d *decoded[T]) open(id string, s sealed, decode func() (T, error)) (T, error) {
	if d == nil {
		return decode()
	}
	d.mu.RLock()
	row, known := d.rows[id]
	d.mu.RUnlock()
	if known && row.sum == s.sum && row.text == string(s.text) {
		return row.value, nil
	}
	row = decodedRow[T]{text: string(s.text), sum: s.sum}
	var err error
	if row.value, err = decode(); err != nil {
		return row.value, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rows == nil || len(d.rows) >= maxDecoded && !known {
		d.rows = map[string]decodedRow[T]{}
	}
	d.rows[id] = row
	return row.value, nil
}
