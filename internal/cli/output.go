// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"fairlead/internal/errkind"
)

// IO is what a command reads and writes. The zero value of the optional fields is right for a pipe.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	// Getenv answers for the environment; nil means an empty one.
	Getenv func(string) string
	// Typed says that In is a terminal, where a person must be told what is waited for.
	Typed bool
	// Columns is the width of the terminal that Out is, 0 when Out is none.
	Columns int
	// ErrColumns is the width of the terminal that Err is, 0 when Err is none.
	ErrColumns int
	// Color allows colours where a terminal is written to.
	Color bool
	// JSON asks for machine-readable results; Main sets it for --json.
	JSON bool
}

// Env is the value of an environment variable, or "".
func (std *IO) Env(name string) string {
	if std.Getenv == nil {
		return ""
	}
	return std.Getenv(name)
}

// Show prints a result: value as indented JSON when --json was given, else text as it is.
func (std *IO) Show(value any, text string) error {
	if !std.JSON {
		_, err := io.WriteString(std.Out, text)
		return err
	}
	e := json.NewEncoder(std.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// Style is how Paint shows a text.
type Style string

// The styles, as the parameters of an ANSI sequence.
const (
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
)

// Paint styles a text for Out, or returns it as it is where colours do not belong.
func (std *IO) Paint(style Style, text string) string {
	return paint(std.Color && std.Columns > 0, style, text)
}

func paint(on bool, style Style, text string) string {
	if !on || text == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

// Printable replaces control characters, so that a text from elsewhere cannot drive a terminal. Newlines and tabs
// become spaces.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// report prints an error on Err.
func (p Program) report(std *IO, err error) {
	hint := errkind.Hint(err)
	if std.JSON {
		body := map[string]any{"kind": errkind.Of(err).String(), "message": err.Error()}
		if hint != "" {
			body["hint"] = hint
		}
		e := json.NewEncoder(std.Err)
		e.SetEscapeHTML(false)
		_ = e.Encode(map[string]any{"error": body}) // Err is the last resort: nobody is left to tell
		return
	}
	on := std.Color && std.ErrColumns > 0
	fmt.Fprintf(std.Err, "%s: %s\n", p.Name, paint(on, Red, Printable(err.Error())))
	for line := range strings.Lines(hint) {
		fmt.Fprintf(std.Err, "  %s %s\n", paint(on, Bold, "hint:"), Printable(strings.TrimRight(line, "\n")))
	}
}

// Bytes is a size for people: "0 B", "34 KB", "1.2 GB". A KB has 1,024 bytes.
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	units := []string{"KB", "MB", "GB", "TB", "PB", "EB"}
	value, unit := float64(n)/1024, 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	if value < 10 {
		return fmt.Sprintf("%.1f %s", value, units[unit])
	}
	return fmt.Sprintf("%.0f %s", value, units[unit])
}
