// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fairlead/internal/errkind"
)

// decode reads the JSON body of a request. Unknown members are ignored, names match without
// regard to case. Errors: Invalid (no JSON, two documents, a member twice, too deep, wrong type),
// Exhausted (too long).
func (c *call) decode(into any) error {
	text, err := c.readBody()
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return errkind.Exhausted.Errorf("the body has more than %d bytes", MaxBodyBytes)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errkind.Invalid.Errorf("the body did not come within %s", BodyLimit)
	}
	if err != nil {
		return errkind.Invalid.Errorf("read the body: %w", err)
	}
	if err := checkJSON(text); err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return mistyped(wrong)
		}
		return errkind.Invalid.Errorf("the body is not as expected: %w", err)
	}
	return c.agreeOnSpace(text)
}

// mistyped says in the words of JSON what stands in the place of what. Errors: Invalid.
func mistyped(wrong *json.UnmarshalTypeError) error {
	what := "the body"
	if wrong.Field != "" {
		what = strconv.Quote(wrong.Field)
	}
	want := map[reflect.Kind]string{
		reflect.Struct: "an object", reflect.Map: "an object", reflect.Slice: "an array", reflect.String: "a string",
		reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Int64: "a whole number",
		reflect.Float64: "a number",
	}[wrong.Type.Kind()]
	if want == "" {
		want = "something else"
	}
	return errkind.Invalid.Errorf("%s is of the type %s: want %s", what, wrong.Value, want)
}

// agreeOnSpace refuses a body that belongs into another space than the address says. Errors: Invalid.
func (c *call) agreeOnSpace(text []byte) error {
	if !strings.HasPrefix(c.route.Pattern, "/api/S/") {
		return nil
	}
	var q struct {
		SpaceID string `json:"SpaceId"`
	}
	here := string(c.principal.SpaceID())
	if json.Unmarshal(text, &q) != nil || q.SpaceID == "" || strings.EqualFold(q.SpaceID, here) {
		return nil
	}
	return errkind.Hinted(errkind.Invalid.Errorf("the body is of the space %.80q, and the address of %s", q.SpaceID, here),
		"put the space into the address, as in /api/Spaces-2/projects, or leave SpaceId out")
}

// readBody waits for a body no longer than BodyLimit, where the connection has deadlines.
func (c *call) readBody() ([]byte, error) {
	control := http.NewResponseController(c.w)
	_ = control.SetReadDeadline(time.Now().Add(BodyLimit))
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, MaxBodyBytes))
	if err == nil {
		_ = control.SetReadDeadline(time.Time{}) // the server watches the connection on while the answer is made
	}
	return text, err
}

// folded is one spelling for all names that the decoder takes for the same member.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}

// checkJSON refuses what parsers read differently. Errors: Invalid.
func checkJSON(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errkind.Invalid.Errorf("the body is empty: want JSON")
	}
	if !utf8.Valid(text) {
		return errkind.Invalid.Errorf("the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var open []map[string]bool // names seen in each open object; nil for an array
	var isKey []bool           // whether the next token of each open object is a name
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return errkind.Invalid.Errorf("the body ends in the middle")
		}
		if err != nil {
			return errkind.Invalid.Errorf("the body is not JSON: %w", err)
		}
		top := len(open) - 1
		name, isName := token.(string)
		if top >= 0 && open[top] != nil && isKey[top] && isName {
			member := folded(name)
			if open[top][member] {
				return errkind.Invalid.Errorf("the body has the member %.80q twice", name)
			}
			open[top][member], isKey[top] = true, false
			continue
		}
		switch token {
		case json.Delim('{'):
			open, isKey = append(open, map[string]bool{}), append(isKey, true)
		case json.Delim('['):
			open, isKey = append(open, nil), append(isKey, false)
		case json.Delim('}'), json.Delim(']'):
			open, isKey = open[:top], isKey[:top]
		}
		if len(open) > MaxNesting {
			return errkind.Invalid.Errorf("the body is nested deeper than %d", MaxNesting)
		}
		if token != json.Delim('{') && token != json.Delim('[') {
			if len(open) == 0 {
				break
			}
			isKey[len(open)-1] = open[len(open)-1] != nil
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errkind.Invalid.Errorf("the body goes on after the document")
	}
	return nil
}
