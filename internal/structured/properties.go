// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// replaceProperties reads the form of java.util.Properties.load; every text is of that form.
func replaceProperties(c *changes, at int) {
	for at < len(c.text) {
		at = skipAny(c.text, at, " \t\f\r\n")
		if at == len(c.text) {
			return
		}
		if c.text[at] == '#' || c.text[at] == '!' {
			at = lineEnd(c.text, at)
			continue
		}
		keyEnd := propertiesKeyEnd(c.text, at)
		start := skipAny(c.text, keyEnd, " \t\f")
		if start < len(c.text) && (c.text[start] == '=' || c.text[start] == ':') {
			start = skipAny(c.text, start+1, " \t\f")
		}
		key, end := propertiesText(c.text[at:keyEnd]), logicalEnd(c.text, start)
		if value, ok := c.variables.Get(key); ok {
			separator := ""
			if start == keyEnd {
				separator = "="
			}
			c.put(key, start, end, separator+propertiesValue(value))
		}
		at = end
	}
}

func skipAny(text string, at int, any string) int {
	return len(text) - len(strings.TrimLeft(text[at:], any))
}

// lineEnd is where the line ends, before its line break.
func lineEnd(text string, at int) int {
	if i := strings.IndexAny(text[at:], "\r\n"); i >= 0 {
		return at + i
	}
	return len(text)
}

func propertiesKeyEnd(text string, at int) int {
	for ; at < len(text); at++ {
		switch text[at] {
		case '\\':
			if at = escaped(text, at); at < len(text) && (text[at] == '\r' || text[at] == '\n') {
				at = skipAny(text, at+1, " \t\f") - 1 // the key goes on behind the blanks
			}
		case '=', ':', ' ', '\t', '\f', '\r', '\n':
			return at
		}
	}
	return len(text)
}

// escaped is the last byte that a backslash takes along.
func escaped(text string, at int) int {
	if strings.HasPrefix(text[at+1:], "\r\n") {
		return at + 2
	}
	return at + 1
}

// logicalEnd is where the line ends, with the lines that go on behind a backslash.
func logicalEnd(text string, at int) int {
	for ; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at = escaped(text, at)
		case '\r', '\n':
			return at
		}
	}
	return len(text)
}

// propertiesText takes the escapes out of a key.
func propertiesText(raw string) string {
	var units []uint16
	for i := 0; i < len(raw); {
		if raw[i] != '\\' || i+1 == len(raw) {
			size := 1
			for size < len(raw)-i && raw[i+size]&0xC0 == 0x80 {
				size++
			}
			units = append(units, utf16.Encode([]rune(raw[i:i+size]))...)
			i += size
			continue
		}
		switch c := raw[i+1]; {
		case c == 'u' && len(raw)-i >= 6:
			if n, err := strconv.ParseUint(raw[i+2:i+6], 16, 16); err == nil {
				units = append(units, uint16(n))
			}
			i += 6
		case c == '\n' || c == '\r': // the key goes on in the next line
			i = skipAny(raw, i+1, " \t\f\r\n")
		default:
			if at := strings.IndexByte("tnrf", c); at >= 0 {
				c = "\t\n\r\f"[at]
			}
			if c < 0x80 {
				units = append(units, uint16(c))
				i += 2
			} else {
				i++
			}
		}
	}
	return string(utf16.Decode(units))
}

// propertiesValue writes a value in ASCII, which all readers of the form take alike.
func propertiesValue(value string) string {
	var out strings.Builder
	for i, r := range value {
		switch {
		case r == '\\':
			out.WriteString(`\\`)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == '\f':
			out.WriteString(`\f`)
		case r == ' ' && i == 0:
			out.WriteString(`\ `)
		case r < ' ' || r >= 0x7F:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04X`, unit)
			}
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
