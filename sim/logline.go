// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"log/slog"
	"strconv"
	"strings"

	"fairlead/netem"
)

// maxLogLineBytes is how much of a line the trace holds: 4 KiB.
const maxLogLineBytes = 4 << 10

// LogLines is a slog.Handler that puts what the programs of a machine log into the world's trace and
// hands it on.
type LogLines struct {
	// Say is World.Say; Who the machine.
	Say func(netem.Entry)
	Who string
	// Hide is a folder of the machine that runs the simulation. Lines show "~" for it, so that two
	// runs have the same.
	Hide string
	// Next gets the records as well, and says which levels are wanted.
	Next slog.Handler

	attrs  string // as text
	prefix string // of groups
}

// Enabled implements slog.Handler.
func (h *LogLines) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *LogLines) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.prefix, a)
		return true
	})
	text := b.String()
	if h.Hide != "" {
		text = strings.ReplaceAll(text, h.Hide, "~")
	}
	if len(text) > maxLogLineBytes {
		text = strings.ToValidUTF8(text[:maxLogLineBytes], "") + "…"
	}
	h.Say(netem.Entry{Kind: "log", Who: h.Who, Level: r.Level.String(), What: text})
	return h.Next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *LogLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, h.prefix, a)
	}
	with := *h
	with.attrs, with.Next = h.attrs+b.String(), h.Next.WithAttrs(attrs)
	return &with
}

// WithGroup implements slog.Handler.
func (h *LogLines) WithGroup(name string) slog.Handler {
	with := *h
	with.Next = h.Next.WithGroup(name)
	if name != "" {
		with.prefix += name + "."
	}
	return &with
}

// writeAttr writes " key=value", the value in quotes where it would not end at a space otherwise.
func writeAttr(b *strings.Builder, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, inner := range value.Group() {
			writeAttr(b, prefix, inner)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	text := value.String()
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' }) {
		text = strconv.Quote(text)
	}
	b.WriteString(" " + prefix + a.Key + "=" + text)
}
