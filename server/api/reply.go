// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
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

// answerPiece is how many bytes of an answer are sent at once: answers have megabytes, and whoever asked reads the
// first ones while the next are made.
const answerPiece = 64 << 10

// buffers of answerPiece are for answers on their way. The zero value is empty.
type buffers struct{ idle sync.Pool }

func (p *buffers) take(w io.Writer) *bufio.Writer {
	if out, is := p.idle.Get().(*bufio.Writer); is {
		out.Reset(w)
		return out
	}
	return bufio.NewWriterSize(w, answerPiece)
}

func (p *buffers) giveBack(out *bufio.Writer) {
	out.Reset(nil)
	p.idle.Put(out)
}

// write sends JSON. Whoever went away meanwhile misses it: there is nobody to tell.
func (c *call) write(status int, body any) {
	a := answer{call: c, status: status}
	err := json.NewEncoder(&a).Encode(body)
	if err != nil && !a.isBegun { // only values of this package get here, and they all marshal
		a.status = http.StatusInternalServerError
		_, _ = a.Write([]byte(`{"ErrorMessage":"the answer could not be written","Errors":[]}` + "\n"))
	}
}

// answer sends the JSON that is written to it, all at once, with the space of the call put in.
type answer struct {
	call    *call
	status  int
	isBegun bool
}

func (a *answer) Write(text []byte) (int, error) {
	a.isBegun = true
	w := a.call.w
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	out := a.call.buffers.take(w)
	defer a.call.buffers.giveBack(out)
	eachInSpace(text, a.call.principal.SpaceID(), func(piece []byte) {
		_, _ = out.Write(piece) // an error stays until Flush
	})
	return len(text), out.Flush()
}
