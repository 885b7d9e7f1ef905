// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"encoding/json"
	"time"

	"fairlead/internal/errkind"
)

// askedTime is a point in time that a caller may leave out: null, "" and nothing are the zero time.
type askedTime struct{ time.Time }

// askedTimeLayouts are how people write a time on a command line. Without an offset it would mean another hour on
// another host, so one is needed.
func askedTimeLayouts() []string {
	return []string{
		time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02T15:04Z07:00",
		"2006-01-02 15:04Z07:00", "2006-01-02 15:04 Z07:00",
	}
}

// UnmarshalJSON reads it. Errors: Invalid.
func (m *askedTime) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	var word string
	if err := json.Unmarshal(text, &word); err != nil {
		return errkind.Invalid.Errorf("%.80s is no time: want a string like 2026-11-28T22:00:00Z", text)
	}
	if word == "" {
		return nil
	}
	for _, layout := range askedTimeLayouts() {
		if at, err := time.Parse(layout, word); err == nil {
			m.Time = at
			return nil
		}
	}
	return errkind.Invalid.Errorf("%.80q is no time: want one like 2026-11-28T22:00:00Z or 2026-11-28 22:00 +01:00", word)
}
