// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package structured

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// jsonText reads RFC 8259 with comments (// and /* */) and commas at the end, as configuration files
// have them.
type jsonText struct {
	*changes
	at   int
	path []string
}

func (j *jsonText) document() error {
	if err := j.value(); err != nil {
		return err
	}
	if err := j.space(); err != nil {
		return err
	}
	if j.at < len(j.text) {
		return j.wrong(JSON, j.at, "something follows the document")
	}
	return nil
}

func (j *jsonText) space() error {
	for j.at < len(j.text) {
		rest := j.text[j.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			j.at++
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			j.at += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return j.wrong(JSON, j.at, "a comment has no end")
			}
			j.at += end + 4
		default:
			return nil
		}
	}
	return nil
}

// next skips blanks and returns the byte that follows, 0 at the end.
func (j *jsonText) next() (byte, error) {
	if err := j.space(); err != nil || j.at == len(j.text) {
		return 0, err
	}
	return j.text[j.at], nil
}

func (j *jsonText) value() error {
	c, err := j.next()
	if err != nil {
		return err
	}
	if len(j.path) > maxDepth {
		return j.wrong(JSON, j.at, "it is nested too deep")
	}
	start := j.at
	switch c {
	case '{':
		err = j.members('}', j.member)
	case '[':
		err = j.members(']', j.element)
	case '"':
		_, err = j.quoted()
	default:
		err = j.literal()
	}
	if err == nil && len(j.path) > 0 {
		j.replace(start)
	}
	return err
}

// members reads what lies between brackets.
func (j *jsonText) members(end byte, one func(index int) error) error {
	j.at++
	for i := 0; ; i++ {
		c, err := j.next()
		if err != nil {
			return err
		}
		if c == end {
			j.at++
			return nil
		}
		if err := one(i); err != nil {
			return err
		}
		switch c, err = j.next(); {
		case err != nil:
			return err
		case c == ',':
			j.at++
		case c != end:
			return j.wrong(JSON, j.at, "want a comma or "+string(end))
		}
	}
}

func (j *jsonText) member(int) error {
	if !strings.HasPrefix(j.text[j.at:], `"`) {
		return j.wrong(JSON, j.at, "want a key in quotes")
	}
	key, err := j.quoted()
	if err != nil {
		return err
	}
	if c, err := j.next(); err != nil || c != ':' {
		return j.wrong(JSON, j.at, "want a colon after the key")
	}
	j.at++
	return j.under(key)
}

func (j *jsonText) element(index int) error { return j.under(strconv.Itoa(index)) }

func (j *jsonText) under(key string) error {
	j.path = append(j.path, key)
	err := j.value()
	j.path = j.path[:len(j.path)-1]
	return err
}

func (j *jsonText) quoted() (string, error) {
	start := j.at
	for j.at++; j.at < len(j.text); j.at++ {
		switch c := j.text[j.at]; {
		case c == '\\':
			j.at++
		case c == '"':
			j.at++
			var text string
			if json.Unmarshal([]byte(j.text[start:j.at]), &text) != nil {
				return "", j.wrong(JSON, start, "a text has an escape that is none")
			}
			return text, nil
		case c < ' ':
			return "", j.wrong(JSON, j.at, "a control character stands in a text")
		}
	}
	return "", j.wrong(JSON, start, "a text has no end")
}

func (j *jsonText) literal() error {
	start := j.at
	for j.at < len(j.text) && isJSONWord(j.text[j.at]) {
		j.at++
	}
	if word := j.text[start:j.at]; word == "" || !json.Valid([]byte(word)) {
		return j.wrong(JSON, start, "want a value")
	}
	return nil
}

func isJSONWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.'
}

// replace puts a variable in the place of the value that was just read.
func (j *jsonText) replace(start int) {
	name := nameOf(j.path)
	value, ok := j.variables.Get(name)
	if !ok || name == "" {
		return
	}
	if with, why := jsonValue(j.text[start:j.at], value); why != "" {
		j.misfit(name, why)
	} else {
		j.put(name, start, j.at, with)
	}
}

// jsonValue writes a value in the place of an old one.
func jsonValue(old, value string) (with, why string) {
	word := strings.TrimSpace(value)
	switch old[0] {
	case '{', '[':
		if isJSONTree(word) {
			return word, ""
		}
		return "", "the value is neither an object nor an array in JSON"
	case '"':
		return jsonQuote(value), ""
	case 't', 'f':
		if lower := strings.ToLower(word); lower == "true" || lower == "false" {
			return lower, ""
		}
	case 'n':
		if json.Valid([]byte(word)) {
			return word, ""
		}
	default:
		if isJSONNumber(word) {
			return word, ""
		}
	}
	return jsonQuote(value), ""
}

func isJSONTree(word string) bool {
	return word != "" && (word[0] == '{' || word[0] == '[') && json.Valid([]byte(word))
}

func isJSONNumber(word string) bool {
	return word != "" && (word[0] == '-' || word[0] >= '0' && word[0] <= '9') && json.Valid([]byte(word))
}

func jsonQuote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string
	return strings.TrimSuffix(b.String(), "\n")
}
