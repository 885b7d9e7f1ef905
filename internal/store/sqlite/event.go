// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

type eventBody struct {
	At      time.Time `json:"at,omitzero"`
	Message string    `json:"message,omitempty"`
}

func scanEvent(row scanner) (deploy.Event, error) {
	var s sealed
	var body eventBody
	var e deploy.Event
	if err := row.Scan(&e.Number, &e.Space, &e.User, &e.Category, &e.Subject, &s.text, &s.sum); err != nil {
		return e, err
	}
	err := s.open("an event", &body)
	e.At, e.Message = body.At, body.Message
	return e, err
}

func (r *reader) Events(f store.EventFilter) ([]deploy.Event, error) {
	w := where{}
	// Nearly every event fits, so walking them from the newest beats the index: "+" keeps it out.
	w.add(f.Space == deploy.DefaultSpace, "+space IN ('', ?)", f.Space)
	w.add(f.Space != "" && f.Space != deploy.DefaultSpace, "space = ?", f.Space)
	w.add(f.Subject != "", "subject = ?", f.Subject)
	w.add(f.User != "", "user = ?", f.User)
	w.add(f.Category != "", "category = ?", f.Category)
	for _, one := range []struct {
		column string
		values []string
	}{
		{"subject", f.Subjects},
		{"user", f.Users},
		{"category", f.Categories},
		{"lower(substr(subject, 1, instr(subject, '-') - 1))", folded(f.Types)},
	} {
		if err := w.addAny(one.column, one.values); err != nil {
			return nil, err
		}
	}
	// The time lies in the body: numbers rise with it, but for a clock that was put back.
	const at = "unixepoch(json_extract(body, '$.at'), 'subsec')"
	w.add(!f.From.IsZero(), at+" >= ?", float64(f.From.UnixMilli())/1000)
	w.add(!f.To.IsZero(), at+" <= ?", float64(f.To.UnixMilli())/1000)
	w.add(f.FromNumber > 0, "number >= ?", f.FromNumber)
	w.add(f.ToNumber > 0, "number <= ?", f.ToNumber)
	return list(r, "list events", scanEvent, "SELECT number, space, user, category, subject, body, sum FROM event"+
		w.clause()+" ORDER BY number DESC LIMIT ? OFFSET ?", w.page(f.Skip, f.Take)...)
}

func (w *writer) AddEvent(e deploy.Event) (int64, error) { return w.addEvent(e, 0) }

// addEvent leaves out so many numbers before that of the event.
func (w *writer) addEvent(e deploy.Event, gap int64) (int64, error) {
	body, sum, err := seal(eventBody{At: clean(e.At), Message: e.Message})
	if err != nil {
		return 0, err
	}
	last, err := one(&w.reader, "the last event", func(row scanner) (n int64, err error) {
		return n, row.Scan(&n)
	}, "SELECT coalesce(max(number), 0) FROM event")
	if err != nil {
		return 0, err
	}
	_, err = w.exec("add an event",
		"INSERT INTO event (number, space, user, category, subject, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?)",
		last+gap+1, e.Space, e.User, e.Category, e.Subject, body, sum)
	return last + gap + 1, err
}
