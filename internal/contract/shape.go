// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"fairlead/internal/errkind"
)

// fewMembers is up to how many members of one object are compared one by one.
const fewMembers = 16

// checkShape refuses what encoding/json lets pass: repeated members, text that it would replace,
// nesting beyond maxNesting. Every head of every call passes here, so it goes through the document
// once and makes nothing but one copy of it.
func checkShape(body []byte) error {
	if !utf8.Valid(body) {
		return errkind.Corrupt.Errorf("document is not UTF-8")
	}
	if !json.Valid(body) {
		var whole json.RawMessage
		return errkind.Corrupt.Errorf("document: %w", json.Unmarshal(body, &whole))
	}
	var levels [8]level // as heads have; append makes more
	var names [fewMembers]string
	s := shape{text: string(body), open: levels[:0], names: names[:0]}
	for s.at < len(s.text) {
		if err := s.step(); err != nil {
			return err
		}
	}
	return nil
}

// shape walks a valid document.
type shape struct {
	text  string
	at    int
	open  []level
	names []string // of the members of all open objects so far, folded
}

// level is one open object or array.
type level struct {
	from int             // where its names begin
	many map[string]bool // the same names, when they are more than a few
}

func (s *shape) step() error {
	switch s.text[s.at] {
	case '{', '[':
		if len(s.open) == maxNesting {
			return errkind.Corrupt.Errorf("document is nested deeper than %d", maxNesting)
		}
		s.open = append(s.open, level{from: len(s.names)})
	case '}', ']':
		last := len(s.open) - 1
		s.names, s.open = s.names[:s.open[last].from], s.open[:last]
	case '"':
		return s.string()
	}
	s.at++
	return nil
}

// string checks one string, which is a name when a colon follows.
func (s *shape) string() error {
	from, escaped := s.at+1, false
	for s.at++; s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			escaped = true
			s.at++
		}
	}
	text := s.text[from:s.at]
	s.at++
	if escaped && !sound(text) {
		return errkind.Corrupt.Errorf("document holds a string with NUL or half a surrogate pair")
	}
	if !strings.HasPrefix(strings.TrimLeft(s.text[s.at:], " \t\r\n"), ":") {
		return nil
	}
	return s.member(text, escaped)
}

// member notes a name of the innermost object.
func (s *shape) member(name string, escaped bool) error {
	if escaped {
		plain, err := unescape(name)
		if err != nil {
			return err
		}
		name = plain
	}
	name = fold(name)
	l := &s.open[len(s.open)-1]
	own := s.names[l.from:]
	if len(own) == fewMembers {
		l.many = make(map[string]bool, 2*fewMembers)
		for _, n := range own {
			l.many[n] = true
		}
	}
	if l.many[name] || l.many == nil && slices.Contains(own, name) {
		return errkind.Corrupt.Errorf("member %.80q comes twice", name)
	}
	if l.many != nil {
		l.many[name] = true
	}
	s.names = append(s.names, name)
	return nil
}

func unescape(text string) (plain string, err error) {
	if err := json.Unmarshal([]byte(`"`+text+`"`), &plain); err != nil {
		return "", errkind.Corrupt.Errorf("document: %w", err)
	}
	return plain, nil
}

// fold makes names equal that encoding/json takes for one another: by way of upper case, which
// makes an s of a long s.
func fold(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return strings.ToLower(strings.ToUpper(name))
		}
	}
	return strings.ToLower(name)
}

// sound reports whether the escapes of a valid string stand for text: neither NUL nor half a
// surrogate pair, which encoding/json would replace.
func sound(text string) bool {
	for i := strings.IndexByte(text, '\\'); i >= 0 && i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if text[i] != 'u' {
			continue
		}
		r := unit(text[i+1:])
		i += 4
		switch {
		case r == 0:
			return false
		case !utf16.IsSurrogate(r):
		case !strings.HasPrefix(text[i+1:], `\u`) || utf16.DecodeRune(r, unit(text[i+3:])) == utf8.RuneError:
			return false
		default:
			i += 6
		}
	}
	return true
}

// unit reads four hex digits.
func unit(text string) rune {
	if len(text) < 4 {
		return 0
	}
	n, err := strconv.ParseUint(text[:4], 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}
