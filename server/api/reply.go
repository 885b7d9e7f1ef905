// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"net/http"
	"time"

	"fairlead/internal/deploy"
)

// obj is a JSON object on its way out. Names are the wire's.
type obj map[string]any

// timeFormat has a zone and three decimals. Source: octopus-rest.md a.7.
const timeFormat = "2006-01-02T15:04:05.000-07:00"

// at is a time, or null for the zero one.
func at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(timeFormat)
}

// list never is nil, so it never is null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// each turns every item into what the wire shows.
func each[T, S any](items []T, show func(T) S) []S {
	shown := make([]S, len(items))
	for i, item := range items {
		shown[i] = show(item)
	}
	return shown
}

func (c *call) ok(body any) error { return c.reply(http.StatusOK, body) }

// deleted answers 200 with an object: clients take 204 for an error.
func (c *call) deleted() error { return c.reply(http.StatusOK, obj{}) }

// write sends JSON. Whoever went away meanwhile misses it: there is nobody to tell.
func write(w http.ResponseWriter, space deploy.SpaceID, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // only values of this package get here, and they all marshal
		status, text = http.StatusInternalServerError,
			[]byte(`{"ErrorMessage":"the answer could not be written","Errors":[]}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(inSpace(text, space))
}
