// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// slowShape is checkShape by way of the tokens of encoding/json. It takes half a surrogate pair
// when a replacement character stands anywhere in the document.
func slowShape(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	type level struct {
		names map[string]bool // nil for an array
		value bool            // the next token is a value
	}
	var open []*level
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		closes := token == json.Delim('}') || token == json.Delim(']')
		if text, ok := token.(string); ok && (strings.ContainsRune(text, 0) ||
			strings.ContainsRune(text, utf8.RuneError) && !replaces(body)) {
			return errors.New("NUL or half a surrogate pair")
		}
		if n := len(open); n > 0 && !closes && open[n-1].names != nil {
			if l := open[n-1]; l.value {
				l.value = false
			} else {
				name := fold(token.(string))
				if l.names[name] {
					return fmt.Errorf("%q comes twice", name)
				}
				l.names[name], l.value = true, true
			}
		}
		switch {
		case token == json.Delim('{'):
			open = append(open, &level{names: map[string]bool{}})
		case token == json.Delim('['):
			open = append(open, &level{})
		case closes:
			open = open[:len(open)-1]
		}
		if len(open) > maxNesting {
			return errors.New("too deep")
		}
		if len(open) == 0 {
			if _, err := d.Token(); !errors.Is(err, io.EOF) {
				return errors.New("something follows")
			}
			return nil
		}
	}
}

func replaces(body []byte) bool {
	return bytes.ContainsRune(body, utf8.RuneError) || bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`))
}

// FuzzShape compares checkShape with its slow model.
func FuzzShape(f *testing.F) {
	var many strings.Builder
	for i := range 3 * fewMembers {
		fmt.Fprintf(&many, `"k%d":%d,`, i, i)
	}
	for _, body := range []string{
		`{"a":[1,{"b":"\u0041\ud83d\ude00"},"x"],"A\n":null}`, `{"a":{"c":1},"b":{"c":2},"c":3}`, `"\ud800\u0041"`,
		`{"a":1,"\u0061":2}`, `[{"k":1},{"k":2}]`, `{"a":"b" , "c" : ["d","e"]}`, `{"s":1,"ſ":2}`, `"\\u0000"`, `"\u0000"`,
		`{` + many.String() + `"last":0}`, `{` + many.String() + `"k1":0}`, `{"o":{` + many.String() + `"z":0},"k1":0,"o":1}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		slow, fast := slowShape(body), checkShape(body)
		if (slow == nil) == (fast == nil) || slow == nil && replaces(body) || slow == nil && !json.Valid(body) {
			return
		}
		t.Errorf("checkShape(%q) = %v, the model says %v", body, fast, slow)
	})
}

// BenchmarkDecode reads the head of a call of 200 bytes.
func BenchmarkDecode(b *testing.B) {
	body := fmt.Appendf(nil, `{"method":"script.cancel","args":{"ticket":"%s","grace_ms":1000,"by":"%s"}}`,
		strings.Repeat("t", MaxTicketBytes), strings.Repeat("b", 60))
	b.ReportAllocs()
	for b.Loop() {
		var head requestHead
		if err := Decode(body, &head); err != nil {
			b.Fatal(err)
		}
	}
}
