// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package portal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShownBytes of one log line are shown; the raw log has all of it.
const maxShownBytes = 8 << 10

// visible makes text harmless for a page: colours (SGR sequences) go, every other control
// character except tab, what turns the direction of writing, and bytes that are no UTF-8 become
// visible escapes. Escaping for HTML is not its business: the result is a text node.
func visible(text string) string {
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
		case r == '\t' || !isTreacherous(r):
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

// isTreacherous: controls, and format characters such as those that turn the direction of
// writing or take no room. The joiners that scripts and emoji need stay.
func isTreacherous(r rune) bool {
	switch r {
	case '\u200c', '\u200d', '\u00ad':
		return false
	case '\u2028', '\u2029':
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// colourSequence returns the length of an SGR sequence (ESC [ digits and ; or : m) at the front,
// or 0.
func colourSequence(text string) int {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0
	}
	for i := 2; i < len(text) && i < 64; i++ {
		switch c := text[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && c != ':' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

// shown is a log line's text as pages show it. The end of a line that was ended by CR LF is no
// control character to show.
func shown(text string) string {
	text = strings.TrimSuffix(text, "\r")
	if len(text) <= maxShownBytes {
		return visible(text)
	}
	cut := strings.ToValidUTF8(text[:maxShownBytes], "")
	return visible(cut) + fmt.Sprintf(" … (%d more bytes in the raw log)", len(text)-len(cut))
}
