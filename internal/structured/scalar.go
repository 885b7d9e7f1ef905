// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// inline reads a scalar, a flow collection or an alias that begins here; lines that go on are deeper than
// the column of the parent.
func (y *yamlText) inline(parent int) error {
	start := y.at
	switch c := y.text[y.at]; c {
	case '[', '{':
		if err := y.whole(start, y.flow); err != nil {
			return err
		}
		y.done = y.at
		return y.lineMustEnd()
	case '"', '\'':
		if err := y.quoted(); err != nil {
			return err
		}
		y.scalar(start, y.at)
		return y.lineMustEnd()
	case '|', '>':
		return y.block(parent)
	case '*':
		for y.at < len(y.text) && !isSpace(y.text[y.at]) {
			y.at++
		}
		y.done = y.at
		if name := nameOf(y.path); name != "" {
			if _, ok := y.variables.Get(name); ok {
				y.misfit(name, "it is an alias of another value")
			}
		}
		return y.lineMustEnd()
	case '%', '@', '`', ',', ']', '}':
		return y.wrong("no value begins like this")
	}
	if err := y.plain(parent); err != nil {
		return err
	}
	y.scalar(start, y.done)
	return nil
}

func (y *yamlText) lineMustEnd() error {
	if y.blanks(); !y.atLineEnd() {
		return y.wrong("something follows the value")
	}
	return nil
}

// plain reads a scalar without quotes, of one line or more. It sets done to its end.
func (y *yamlText) plain(parent int) error {
	for {
		for ; !y.atLineEnd(); y.at++ {
			if y.isNext(":") {
				return y.wrong("a colon stands in a value without quotes")
			}
		}
		y.done = len(strings.TrimRight(y.text[:y.at], " \t"))
		if y.at < len(y.text) && y.text[y.at] == '#' {
			return nil // a comment ends it
		}
		end := y.at
		begin := skipAny(y.text, y.at, " \t\r\n")
		y.at = begin
		column := begin - strings.LastIndexByte(y.text[:begin], '\n') - 1
		if begin == len(y.text) || column <= parent || y.isDocumentEnd() || y.text[begin] == '#' {
			y.at = end
			return nil
		}
	}
}

// quoted reads a scalar in quotes.
func (y *yamlText) quoted() error {
	quote := y.text[y.at]
	for y.at++; y.at < len(y.text); y.at++ {
		switch c := y.text[y.at]; {
		case c == '\\' && quote == '"':
			y.at++
		case c == quote && quote == '\'' && strings.HasPrefix(y.text[y.at:], "''"):
			y.at++
		case c == quote:
			y.at++
			return nil
		}
	}
	return y.wrong("a text in quotes has no end")
}

// block reads a block scalar, with its header.
func (y *yamlText) block(parent int) error {
	start := y.at
	y.at++
	for y.at < len(y.text) && strings.IndexByte("+-123456789", y.text[y.at]) >= 0 {
		y.at++
	}
	header := y.text[start:y.at]
	if err := y.lineMustEnd(); err != nil {
		return err
	}
	y.at = lineEnd(y.text, y.at)
	y.done = y.at
	indent := -1
	if digits := strings.Trim(header, "|>+-"); digits != "" {
		n, err := strconv.Atoi(digits)
		if err != nil || n > 9 {
			return y.wrong("a block has no such indentation")
		}
		indent = max(parent, 0) + n
	}
	for y.at < len(y.text) {
		next := y.at + len("\n")
		if strings.HasPrefix(y.text[y.at:], "\r\n") {
			next++
		}
		end := lineEnd(y.text, min(next, len(y.text)))
		line := y.text[min(next, len(y.text)):end]
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimLeft(line, " ") != "" {
			if depth <= parent || indent >= 0 && depth < indent {
				break
			}
			if indent < 0 {
				indent = depth
			}
			y.done = end
		}
		y.at = end
	}
	y.at = y.done
	y.blockScalar(start, max(indent, parent+1, 1))
	return nil
}

// blockScalar replaces a block scalar by another one where its value has several lines, else by quotes.
func (y *yamlText) blockScalar(start, indent int) {
	name := nameOf(y.path)
	value, ok := y.variables.Get(name)
	if !ok || name == "" {
		return
	}
	body := strings.TrimSuffix(value, "\n")
	if !strings.Contains(body, "\n") || strings.HasSuffix(body, "\n") || strings.HasPrefix(body, " ") || body[0] == '\n' ||
		strings.ContainsFunc(body, func(r rune) bool { return r != '\n' && !isPrintable(r) }) {
		y.put(name, start, y.done, yamlQuote(value))
		return
	}
	header, eol := "|-", "\n"
	if len(body) < len(value) {
		header = "|"
	}
	if strings.Contains(y.text[start:y.done], "\r\n") {
		eol = "\r\n"
	}
	for line := range strings.SplitSeq(body, "\n") {
		header += eol
		if line != "" {
			header += strings.Repeat(" ", indent) + line
		}
	}
	y.put(name, start, y.done, header)
}

// flow reads a collection in brackets.
func (y *yamlText) flow() error { return y.flowNode() }

// skipFlow passes one without looking for variables.
func (y *yamlText) skipFlow() error {
	y.variables = noVariables{}
	return y.flowNode()
}

type noVariables struct{}

func (noVariables) Get(string) (string, bool) { return "", false }
func (noVariables) Names() []string           { return nil }

func (y *yamlText) flowNode() error {
	if len(y.path) > maxDepth {
		return y.wrong("it is nested too deep")
	}
	isMapping, end := y.text[y.at] == '{', byte(']')
	if isMapping {
		end = '}'
	}
	y.at++
	for index := 0; ; index++ {
		if err := y.flowSpace(); err != nil {
			return err
		}
		if y.text[y.at] == end {
			y.at++
			y.done = y.at
			return nil
		}
		if err := y.flowMember(isMapping, index); err != nil {
			return err
		}
		switch y.text[y.at] {
		case ',':
			y.at++
		case end:
		default:
			return y.wrong("want a comma or " + string(end))
		}
	}
}

// flowMember reads one member and goes on to what follows it.
func (y *yamlText) flowMember(isMapping bool, index int) (err error) {
	key := strconv.Itoa(index)
	if isMapping {
		if key, err = y.flowKey(); err != nil {
			return err
		}
	}
	y.path = append(y.path, key)
	err = y.flowValue()
	y.path = y.path[:len(y.path)-1]
	if err == nil {
		err = y.flowSpace()
	}
	return err
}

// flowSpace skips blanks, line ends and comments. Something must follow.
func (y *yamlText) flowSpace() error {
	for {
		y.at = skipAny(y.text, y.at, " \t\r\n")
		if y.at < len(y.text) && y.text[y.at] == '#' && y.atLineEnd() {
			y.at = lineEnd(y.text, y.at)
			continue
		}
		if y.isDocumentEnd() {
			return y.wrong("a bracket has no end")
		}
		return nil
	}
}

func (y *yamlText) flowKey() (string, error) {
	start := y.at
	if c := y.text[y.at]; c == '"' || c == '\'' {
		if err := y.quoted(); err != nil {
			return "", err
		}
		key := quotedText(y.text[start:y.at])
		if err := y.flowSpace(); err != nil || y.text[y.at] != ':' {
			return "", y.wrong("want a colon after the key")
		}
		y.at++
		return key, nil
	}
	for ; !y.atLineEnd() && !y.isFlowColon(); y.at++ {
		if c := y.text[y.at]; strings.IndexByte("[]{},", c) >= 0 || y.at == start && strings.IndexByte("?&!*|>%@`#", c) >= 0 {
			return "", y.wrong("want a key and a colon")
		}
	}
	if !y.isFlowColon() {
		return "", y.wrong("want a colon after the key")
	}
	key := strings.TrimRight(y.text[start:y.at], " \t")
	y.at++
	return key, nil
}

// isFlowColon reports whether the colon behind a key stands here.
func (y *yamlText) isFlowColon() bool {
	rest := y.text[y.at:]
	return strings.HasPrefix(rest, ":") && (len(rest) == 1 || isSpace(rest[1]) || strings.IndexByte(",[]{}", rest[1]) >= 0)
}

func (y *yamlText) flowValue() error {
	mark := y.at
	if err := y.flowSpace(); err != nil {
		return err
	}
	start := y.at
	switch c := y.text[y.at]; c {
	case '[', '{':
		return y.whole(start, y.flowNode)
	case '"', '\'':
		if err := y.quoted(); err != nil {
			return err
		}
		y.scalar(start, y.at)
		return nil
	case ',', '}', ']':
		if y.text[mark-1] != ':' {
			return y.wrong("want a value")
		}
		y.at = mark
		return y.absent(mark, false)
	case '&', '!', '*', '|', '>', '%', '@', '`', '?', '#':
		return y.wrong("no value in brackets begins like this here")
	}
	for y.at < len(y.text) && strings.IndexByte(",[]{}\r\n", y.text[y.at]) < 0 && !y.atLineEnd() {
		if y.isFlowColon() {
			return y.wrong("a colon stands in a value without quotes")
		}
		y.at++
	}
	y.scalar(start, len(strings.TrimRight(y.text[:y.at], " \t")))
	if err := y.flowSpace(); err != nil {
		return err
	}
	if strings.IndexByte(",]}", y.text[y.at]) < 0 {
		return y.wrong("a value in brackets has several lines")
	}
	return nil
}

// scalar replaces a scalar on its place, in its own quotes.
func (y *yamlText) scalar(start, end int) {
	y.done = end
	name := nameOf(y.path)
	value, ok := y.variables.Get(name)
	if !ok || name == "" {
		return
	}
	old := y.text[start:end]
	switch {
	case old[0] == '"':
		value = yamlQuote(value)
	case old[0] == '\'' && !strings.ContainsFunc(value, func(r rune) bool { return !isPrintable(r) }):
		value = "'" + strings.ReplaceAll(value, "'", "''") + "'"
	case old[0] == '\'':
		value = yamlQuote(value)
	default:
		value = plainValue(old, value)
	}
	y.put(name, start, end, value)
}

// isPrintable reports whether a character may stand outside of double quotes, on one line.
func isPrintable(r rune) bool { return unicode.IsPrint(r) && r != '\ufeff' }

// plainValue writes a value in the place of one without quotes: of the old one's type if it can be.
func plainValue(old, value string) string {
	is := typeOf(value)
	if value == "" && typeOf(old) == "null" {
		return old
	}
	if isType := typeOf(old); isType != "string" && (is == isType || isType == "null" && is != "string") {
		return value
	}
	if is == "string" && plainText.MatchString(value) && !strings.HasSuffix(value, ":") && !strings.Contains(value, ": ") {
		return value
	}
	return yamlQuote(value)
}

// plainText are texts that mean themselves without quotes in any place.
var plainText = regexp.MustCompile(`^[A-Za-z0-9_./](?:[A-Za-z0-9_./+@=~%:\\()$;-]| [A-Za-z0-9_./+@=~%:\\()$;])*$`)

// What readers of YAML 1.1 and 1.2 take for something else than a string.
var (
	yamlNumber = regexp.MustCompile(`^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?` +
		`(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$`)
	yamlSixty = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`)
	yamlTime  = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9: .Zz+-]*)?$`)
)

func typeOf(text string) string {
	switch strings.ToLower(text) {
	case "", "~", "null":
		return "null"
	case "true", "false":
		return "bool"
	case "yes", "no", "on", "off", "y", "n": // truth to some readers, a string to others
		return "word"
	case "<<", "=":
		return "mark"
	}
	switch {
	case yamlNumber.MatchString(text):
		return "number"
	case yamlSixty.MatchString(text): // a number to some readers, a string to others
		return "sixty"
	case yamlTime.MatchString(text):
		return "time"
	}
	return "string"
}

// yamlQuote writes a value in double quotes: as JSON, and what is not printable as an escape.
func yamlQuote(value string) string {
	var out strings.Builder
	for _, r := range jsonQuote(value) {
		switch {
		case isPrintable(r):
			out.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&out, `\U%08X`, r)
		default:
			fmt.Fprintf(&out, `\u%04X`, r)
		}
	}
	return out.String()
}

// quotedText is what a key in quotes says.
func quotedText(raw string) string {
	inner := raw[1 : len(raw)-1]
	if raw[0] == '\'' {
		return strings.ReplaceAll(inner, "''", "'")
	}
	var text string
	if json.Unmarshal([]byte(raw), &text) == nil {
		return text
	}
	return inner
}
