// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"fairlead/internal/cli"
)

// Screen shows the story: numbered stages with how long each took, and the task's log in between. It uses colours only
// where the output is a terminal.
type Screen struct {
	std   *cli.IO
	began time.Time
	stage int
}

// indent stands before everything but titles.
const indent = "   "

// NewScreen draws on std.Out and begins to measure.
func NewScreen(std *cli.IO) *Screen { return &Screen{std: std, began: time.Now()} }

func (s *Screen) print(text string) { fmt.Fprintln(s.std.Out, text) }

// Headline opens the show.
func (s *Screen) Headline(title, about string) {
	s.print(s.std.Paint(cli.Bold, title) + "\n" + s.std.Paint(cli.Dim, about))
}

// Stage shows a stage's number and title, does it, and shows how it ended and after how long.
func (s *Screen) Stage(title string, do func() error) error {
	s.stage++
	began := time.Now()
	s.print("\n" + s.std.Paint(cli.Bold, fmt.Sprintf("%2d  %s", s.stage, title)))
	err := do()
	took := seconds(time.Since(began))
	if err != nil {
		s.print(indent + " " + s.std.Paint(cli.Red, "✗ stopped after "+took))
		return fmt.Errorf("stage %d, %s: %w", s.stage, strings.ToLower(title[:1])+title[1:], err)
	}
	s.print(indent + " " + s.std.Paint(cli.Green, "✓ "+took))
	return nil
}

// Say shows one line below the title of the stage.
func (s *Screen) Say(format string, args ...any) {
	s.print(indent + " " + fmt.Sprintf(format, args...))
}

// Row shows a name and its value below the title of the stage.
func (s *Screen) Row(name, format string, args ...any) {
	s.Say("%s%s %s", name, strings.Repeat(" ", max(0, 12-utf8.RuneCountInString(name))), fmt.Sprintf(format, args...))
}

// Log shows a line of a task's log, dimmed; where says whose it is.
func (s *Screen) Log(l LogLine, where string) {
	style := cli.Dim
	switch l.Category {
	case "Warning", "Wait":
		style = cli.Yellow
	case "Error", "Fatal":
		style = cli.Red
	}
	text := fmt.Sprintf("│ %s %-6s %s", l.At.UTC().Format("15:04:05"), where, cli.Printable(l.Text))
	if limit := s.std.Columns - len(indent) - 1; s.std.Columns > 0 && utf8.RuneCountInString(text) > limit && limit > 1 {
		text = string([]rune(text)[:limit-1]) + "…"
	}
	s.Say("%s", s.std.Paint(style, text))
}

// Elapsed is the time since the screen was made.
func (s *Screen) Elapsed() time.Duration { return time.Since(s.began) }

// seconds is a duration for people: "0.4 s".
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
