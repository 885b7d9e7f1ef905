// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxColourBytes is the longest colour sequence that is taken for one.
const maxColourBytes = 64

// Visible makes text harmless for terminals and pages: colours (SGR sequences) go; every other
// control character except tab, what turns the direction of writing or takes no room, and bytes
// that are no UTF-8 become visible escapes such as \x1b and \u202e. The joiners that scripts and
// emoji need stay. The text stays one line. Escaping for HTML is not its business.
func Visible(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if n := colourSequence(text[i:]); n > 0 {
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !isTreacherous(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// isPlain reports whether text is ASCII without controls, as most lines are.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

func isTreacherous(r rune) bool {
	switch r {
	case '\t', '\u200c', '\u200d', '\u00ad':
		return false
	case '\u2028', '\u2029':
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// colourSequence is the length of an SGR sequence (ESC [ digits ; : m) at the front, or 0.
func colourSequence(text string) int {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0
	}
	for i := 2; i < min(len(text), maxColourBytes); i++ {
		switch c := text[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && c != ':' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}
