// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"fairlead/internal/deploy"
	"fairlead/sim/history"
)

const (
	// minSecretBytes is the shortest text that is looked for; shorter ones are found by chance.
	minSecretBytes = 12
	// maxFound bounds the places that are told: a secret that leaks may stand in each line.
	maxFound = 1_000
)

// logbook takes the logs of all programs: it writes them down, turns what the history knows into
// events, and looks for secrets.
type logbook struct {
	record func(history.Event)

	mu      sync.Mutex
	out     io.Writer // nil for nobody
	secrets map[string]string
	found   []string
}

func newLogbook(out io.Writer, record func(history.Event)) *logbook {
	return &logbook{record: record, out: out, secrets: map[string]string{}}
}

// secret is something that must not be in any log from now on.
func (l *logbook) secret(what, text string) {
	if len(text) < minSecretBytes {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets[text] = what
}

// leaked lists the places where a secret was found.
func (l *logbook) leaked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.found)
}

// search looks for secrets in a text that somebody may read.
func (l *logbook) search(where, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, secret := range slices.Sorted(maps.Keys(l.secrets)) {
		if len(l.found) < maxFound && strings.Contains(text, secret) {
			l.found = append(l.found, l.secrets[secret]+" in "+where)
		}
	}
}

func (l *logbook) handler(who string) slog.Handler { return &logHandler{book: l, who: who} }

// logHandler is the log of one machine.
type logHandler struct {
	book  *logbook
	who   string
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle implements slog.Handler.
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	values := map[string]string{}
	var line strings.Builder
	fmt.Fprintf(&line, "%s %-5s %s: %s", r.Time.UTC().Format("15:04:05.000"), r.Level, h.who, r.Message)
	add := func(a slog.Attr) bool {
		if a.Equal(slog.Attr{}) { // by slog's rules such an attribute is not there
			return true
		}
		values[a.Key] = a.Value.String()
		fmt.Fprintf(&line, " %s=%q", a.Key, a.Value.String())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line.WriteByte('\n')
	h.book.search("the log of "+h.who, line.String())
	h.book.mu.Lock()
	if h.book.out != nil {
		_, _ = io.WriteString(h.book.out, line.String())
	}
	h.book.mu.Unlock()
	h.book.tell(h.who, r.Message, values)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{book: h.book, who: h.who, attrs: append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup implements slog.Handler. The programs have no groups.
func (h *logHandler) WithGroup(string) slog.Handler { return h }

// tell makes events of what the programs say.
func (l *logbook) tell(who, message string, values map[string]string) {
	e := history.Event{Who: who, Text: values["err"], Cause: values["cause"], Peer: deploy.MachineID(values["machine"])}
	switch message {
	case "line is up":
		e.Kind, e.Peer = history.LineUp, ""
	case "line is down":
		e.Kind = history.LineDown
		e.N, _ = strconv.Atoi(values["retry_in_ms"])
	case "machine is on line":
		e.Kind = history.Entered
	case "line ended":
		if e.Kind = history.Left; e.Peer == "" {
			e.Kind = history.LineDown // a listening agent says it so
		}
	case "connection refused", "join refused", "agent was sent away":
		e.Kind = history.Refused
	default:
		return
	}
	l.record(e)
}
