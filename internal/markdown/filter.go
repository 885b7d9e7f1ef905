// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package markdown

import (
	"bytes"
	"strings"

	"fairlead/internal/deploy"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

const (
	// MaxBytes is the longest text that is read: 64 KiB. The slowest ones known take a second.
	MaxBytes = 64 << 10
	// MaxNesting is how many quotes and lists may begin on one line.
	MaxNesting = 64
	// MaxCells is how many cells the tables of a text may have together, those included that rows lack.
	MaxCells = 20_000
	// MaxHTMLBytes is the longest result: 4 MiB.
	MaxHTMLBytes = 4 << 20
)

// In returns the same values with the filters that the server has besides.
func In(values *deploy.Values) *deploy.Values {
	for _, name := range deploy.MarkdownFilters() {
		values = values.With(name, Filter)
	}
	return values
}

// Filter makes HTML. False, which leaves an expression as it is, answers arguments and texts beyond the limits.
func Filter(value string, args []string) (result string, ok bool) {
	if len(args) > 0 {
		return "", false
	}
	if result, ok = caught(value, unsafe()); !ok {
		return "", false
	}
	return result + "\n", true
}

// unsafe lets HTML through.
func unsafe() goldmark.Option { return goldmark.WithRendererOptions(html.WithUnsafe()) }

// caught is convert with a net under it.
func caught(value string, rendering goldmark.Option) (result string, ok bool) {
	defer func() {
		// A text that the parser falls over must not end the server, which would read it again when it comes back.
		if recover() != nil {
			result, ok = "", false
		}
	}()
	return convert(value, rendering)
}

func convert(value string, rendering goldmark.Option) (result string, ok bool) {
	value = strings.TrimSpace(value)
	if len(value) > MaxBytes || isDeep(value) {
		return "", false
	}
	tables := &boundedTables{}
	md := goldmark.New(
		goldmark.WithExtensions(tables, extension.Linkify, emphasis{}), rendering,
	)
	var out bytes.Buffer
	err := md.Convert([]byte(value), &out)
	if err != nil || tables.over || out.Len() > MaxHTMLBytes {
		return "", false
	}
	return out.String(), true
}

// isDeep reports whether a line begins more quotes and lists than MaxNesting. Over several lines they only get as
// deep as the indentation is long.
func isDeep(text string) bool {
	for line := range strings.Lines(text) {
		depth := 0
		for i := range len(line) {
			c := line[i]
			isItem := i+1 < len(line) && strings.IndexByte(" \t", line[i+1]) >= 0 && strings.IndexByte("-+*.)", c) >= 0
			if c == '>' || isItem {
				depth++
			} else if strings.IndexByte(" \t0123456789-+*.)", c) < 0 {
				break
			}
		}
		if depth > MaxNesting {
			return true
		}
	}
	return false
}
