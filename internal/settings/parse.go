// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package settings

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
)

// maxUnread bounds the problems that are told of one text.
const maxUnread = 100

// Unread is one place of a text that could not be read into a struct.
type Unread struct {
	Line, Column int    // from 1
	Key          string // "box.idle"; the nearest that is known, for a key that is not; "" when nobody can tell
	Index        int    // which element of an array of tables the place lies in, from 0
	Why          string
	unknown      bool
}

// String says where it is and what is wrong there.
func (u Unread) String() string {
	if u.unknown {
		return fmt.Sprintf("line %d: %s", u.Line, u.Why)
	}
	return fmt.Sprintf("line %d, column %d: %s", u.Line, u.Column, u.Why)
}

// UnreadError is every place that could not be read, in their order. It is errkind.Invalid.
type UnreadError []Unread

// Error lists the places.
func (e UnreadError) Error() string {
	var texts []string
	for _, u := range e {
		texts = append(texts, u.String())
	}
	return strings.Join(texts, "; ")
}

// Torn reports whether what follows the last place was not looked at.
func (e UnreadError) Torn() bool {
	last := len(e) - 1
	return last >= 0 && (len(e) >= maxUnread || e[last].Key == "" && !e[last].unknown)
}

// Unwrap makes errors.Is see the kind.
func (UnreadError) Unwrap() error { return errkind.Invalid }

// Parse reads text into s, a pointer to a struct that holds the defaults. What can be read is there
// beside an UnreadError. Errors: UnreadError, which is Invalid; Invalid.
func Parse(text []byte, s any) error {
	known := keys("", reflect.TypeOf(s).Elem())
	defaults := reflect.ValueOf(s).Elem()
	fresh := reflect.New(defaults.Type()).Elem()
	fresh.Set(defaults)
	var bad UnreadError
	for rest := bytes.Clone(text); ; {
		defaults.Set(fresh)
		d := toml.NewDecoder(bytes.NewReader(rest))
		d.DisallowUnknownFields()
		err := d.Decode(s)
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
			bad = append(bad, unknown(rest, strict, known)...)
			break
		}
		one, ok := errors.AsType[*toml.DecodeError](err)
		if !ok {
			if err != nil {
				return errkind.Invalid.Errorf("%w", err)
			}
			break
		}
		u, more := unread(rest, one)
		if bad = append(bad, u); !more || len(bad) >= maxUnread {
			break
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.SortStableFunc(bad, func(a, b Unread) int { return cmp.Compare(a.Line, b.Line) })
	return bad
}

func unknown(text []byte, strict *toml.StrictMissingError, known []string) (bad UnreadError) {
	for _, e := range strict.Errors {
		key := strings.Join(e.Key(), ".")
		row, column := e.Position()
		u := Unread{Line: row, Column: column, Why: "unknown key " + key, unknown: true}
		if u.Key = nearest.Of(key, known); u.Key != "" {
			u.Why += " (did you mean " + u.Key + "?)"
		}
		u.Index = outline(text).at(row).index
		bad = append(bad, u)
	}
	return bad
}

// unread describes what the decoder stopped at, and blanks it in the text. more is false when nothing
// can be said of what follows.
func unread(text []byte, e *toml.DecodeError) (u Unread, more bool) {
	row, column := e.Position()
	u = Unread{Line: row, Column: column, Why: strings.TrimPrefix(e.Error(), "toml: ")}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if row < 1 || row > len(lines) {
		return u, false
	}
	at := outline(text).at(row)
	u.Index = at.index
	if at.broken { // no TOML: one line of it may be left out if nothing else can hang on that
		line := string(lines[row-1])
		word := strings.TrimSpace(line)
		if end := strings.IndexAny(word, " \t=#"); end >= 0 {
			word = word[:end]
		}
		if word == "" || strings.ContainsAny(line, "[{") || strings.Contains(line, `"""`) || strings.Contains(line, "'''") {
			return u, false
		}
		at.first, at.last, at.key = row, row, strings.TrimPrefix(at.table+"."+word, ".")
	}
	u.Key = at.key
	u.Why = plainly(u.Why, u.Key)
	for _, line := range lines[at.first-1 : min(at.last, len(lines))] {
		for i, b := range line {
			if b != '\n' && b != '\r' {
				line[i] = ' '
			}
		}
	}
	return u, true
}

// mismatch is how the decoder says that a value is of another type than the field.
var mismatch = regexp.MustCompile(`^cannot decode TOML (\w+) into (?:struct field \S+|a Go value) of type (\S+)$`)

// plainly says what is wrong without the names of our types.
func plainly(why, key string) string {
	m := mismatch.FindStringSubmatch(why)
	if m == nil {
		return why
	}
	is, want := m[1], "another kind of value"
	switch goes := strings.TrimPrefix(m[2], "*"); {
	case strings.HasPrefix(goes, "int"), strings.HasPrefix(goes, "uint"):
		want = "a whole number"
	case strings.HasPrefix(goes, "float"):
		want = "a number"
	case goes == "bool":
		want = "true or false"
	case strings.HasPrefix(goes, "[]"):
		want = "a list"
	case goes == "string":
		want = "text"
	}
	if is == "array" {
		is = "list"
	}
	return fmt.Sprintf("%s: want %s, and this is a %s", key, want, is)
}
