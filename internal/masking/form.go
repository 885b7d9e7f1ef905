// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package masking

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	// MinBytes is the shortest secret that is looked for, without blanks around it.
	MinBytes = 4
	// minLineBytes is the shortest line of a longer secret that is looked for by itself.
	minLineBytes = 8
)

// forms lists, without repetition, what a secret looks like in output. Newlines at its end are
// what a file has and echo drops; blanks around it are lost where a shell splits words.
func forms(secret string) []string {
	whole, bare := strings.TrimRight(secret, "\r\n"), strings.TrimSpace(secret)
	if len(bare) < MinBytes {
		return nil // or each indented line would be hidden
	}
	all := []string{whole, bare}
	if strings.Contains(whole, "\n") {
		for line := range strings.Lines(whole) {
			if line = strings.TrimSpace(line); len(line) >= minLineBytes {
				all = append(all, line)
			}
		}
	}
	all = append(all, jsonText(whole, false), jsonText(whole, true))
	all = append(all, shellTexts(whole)...)
	slices.Sort(all)
	return slices.Compact(all)
}

// jsonText is a text between JSON's quotes; some writers escape what HTML means something by.
func jsonText(text string, isHTML bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(isHTML)
	if e.Encode(text) != nil {
		return ""
	}
	quoted := strings.TrimSuffix(b.String(), "\n")
	return quoted[1 : len(quoted)-1]
}

const (
	// backslashed is what bash writes a backslash before where it quotes without quotation marks.
	// Source: bash(1), printf %q; the comma depends on its version.
	backslashed = " \t'\"\\|&;()<>!{}*[]?^$`"
	// doubleQuoted is what needs a backslash between double quotes, as in declare -p.
	doubleQuoted = "\"\\$`"
)

// shellTexts is a text between single quotes (set -x), between double quotes, between $' and ',
// and without quotes.
func shellTexts(text string) []string {
	return []string{
		strings.ReplaceAll(text, "'", `'\''`),
		escape(text, doubleQuoted),
		dollarQuoted(text),
		escape(text, backslashed),
		escape(text, backslashed+","),
	}
}

func escape(text, special string) string {
	if !strings.ContainsAny(text, special) {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if strings.IndexByte(special, text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// dollarQuoted is bash's form for text with control characters. Source: bash(1), QUOTING.
func dollarQuoted(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\' || c == '\'':
			b.WriteString(`\` + string(rune(c)))
		case c == 0x1b:
			b.WriteString(`\E`)
		case c >= 7 && c <= 13:
			b.WriteString(`\` + string("abtnvfr"[c-7]))
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
