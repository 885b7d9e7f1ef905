// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/cli"
	"fairlead/internal/demo"
)

func draw(columns int) string {
	var out strings.Builder
	screen := demo.NewScreen(&cli.IO{Out: &out, Columns: columns, Color: true})
	at := time.Date(2026, 11, 22, 12, 1, 7, 0, time.UTC)
	screen.Headline("Fairlead", "about")
	_ = screen.Stage("Deploy", func() error {
		screen.Row("portal", "http://127.0.0.1:%d", 8065)
		screen.Log(demo.LogLine{At: at, Category: "Info", Text: "hello\x1b[31m"}, "web-1")
		screen.Log(demo.LogLine{At: at, Category: "Error", Text: strings.Repeat("x", 60)}, "")
		return nil
	})
	_ = screen.Stage("Fall", func() error { return errors.New("the sea is wet") })
	return regexp.MustCompile(`[0-9.]+ s`).ReplaceAllString(out.String(), "N s")
}

func TestScreenInAPipe(t *testing.T) {
	want := `Fairlead
about

 1  Deploy
    portal       http://127.0.0.1:8065
    │ 12:01:07 web-1  hello` + "\ufffd" + `[31m
    │ 12:01:07        ` + strings.Repeat("x", 60) + `
    ✓ N s

 2  Fall
    ✗ stopped after N s
`
	if diff := cmp.Diff(want, draw(0)); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
}

func TestScreenOnATerminal(t *testing.T) {
	const columns = 40
	got := draw(columns)
	for _, want := range []string{"\x1b[1mFairlead\x1b[0m", "\x1b[2m│ 12:01:07 web-1", "\x1b[31m│ 12:01:07", "…\x1b[0m", "\x1b[32m✓ N s"} {
		if !strings.Contains(got, want) {
			t.Errorf("screen lacks %q:\n%s", want, got)
		}
	}
	plain := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(got, "")
	for line := range strings.Lines(plain) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > columns {
			t.Errorf("line of %d columns: %q", n, line)
		}
	}
}
