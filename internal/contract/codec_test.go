// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

func framed(body string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// TestHeadLengths covers W1 and W2: a length is refused before anything is allocated for it.
func TestHeadLengths(t *testing.T) {
	whole := framed(`{"ticket":"t-1"}`)
	for name, raw := range map[string][]byte{
		"W1 nothing":              {},
		"W1 half a length":        {0, 0},
		"W1 length 0":             {0, 0, 0, 0},
		"W1 length 64 KiB + 1":    {0, 1, 0, 1},
		"W1 length 2^31-1":        {0x7f, 0xff, 0xff, 0xff},
		"W1 length 2^32-1":        {0xff, 0xff, 0xff, 0xff},
		"W2 one byte missing":     whole[:len(whole)-1],
		"W2 only the length":      whole[:4],
		"W2 document ends early":  framed(`{"ticket":"t-1"}x`),
		"W2 two documents":        framed(`{"ticket":"t-1"}{}`),
		"W2 document has no end":  framed(`{"ticket":"t-1"`),
		"W2 length of one letter": framed("{"),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var args contract.TicketArgs
			err := contract.ReadHead(bytes.NewReader(raw), &args)
			runtime.ReadMemStats(&after)
			if errkind.Of(err) != errkind.Corrupt {
				t.Errorf("read %q: %v, want Corrupt", raw, err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
				t.Errorf("%d bytes were allocated", used)
			}
		})
	}
	var args contract.TicketArgs
	rest := bytes.NewReader(append(whole, "rest"...))
	if err := contract.ReadHead(rest, &args); err != nil || args.Ticket != "t-1" {
		t.Fatalf("a good head: %+v, %v", args, err)
	}
	if left, _ := io.ReadAll(rest); string(left) != "rest" {
		t.Errorf("%q is left, want what follows the head", left)
	}
}

// decodes are documents for Decode into the type named first.
func decodes() map[string]struct {
	into any
	body string
	want bool
} {
	type row = struct {
		into any
		body string
		want bool
	}
	order := func() any { return new(contract.Order) }
	return map[string]row{
		"plain":                      {order(), `{"ticket":"t-1","variables":{"a":"b"}}`, true},
		"white space around":         {order(), " \n{\"ticket\":\"t-1\"}\t", true},
		"W3 depth 32":                {new(any), strings.Repeat("[", 32) + strings.Repeat("]", 32), true},
		"W3 depth 33":                {new(any), strings.Repeat("[", 33) + strings.Repeat("]", 33), false},
		"W3 depth 10^6":              {new(any), strings.Repeat("[", 1e6), false},
		"W3 objects, depth 33":       {new(any), strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), false},
		"W3 10^6 empty arrays":       {new(contract.Order), "[" + strings.Repeat("[],", 1e6) + "[]]", false},
		"W4 invalid UTF-8":           {order(), "{\"name\":\"\xff\"}", false},
		"W4 overlong slash":          {order(), "{\"name\":\"\xc0\xaf\"}", false},
		"W4 NUL":                     {order(), `{"name":"a\u0000b"}`, false},
		"W4 NUL in a key":            {order(), `{"variables":{"a\u0000":"b"}}`, false},
		"W4 half a surrogate pair":   {order(), `{"name":"\ud800"}`, false},
		"W4 halves the wrong way":    {order(), `{"name":"\udc00\ud800"}`, false},
		"W4 replacement by name":     {order(), `{"name":"\ufffd"}`, true},
		"W4 whole surrogate pair":    {order(), `{"name":"\ud83d\ude00"}`, true},
		"W5 repeated":                {order(), `{"name":"a","name":"b"}`, false},
		"W5 repeated, other case":    {order(), `{"name":"a","Name":"b"}`, false},
		"W5 repeated, long s":        {order(), `{"task":"a","taſk":"b"}`, false},
		"W5 repeated, Kelvin sign":   {order(), "{\"task\":\"a\",\"tas\u212a\":\"b\"}", false},
		"W5 repeated, deep":          {order(), `{"script":{"body":"a","body":"b"}}`, false},
		"W5 repeated, escaped":       {order(), `{"name":"a","n\u0061me":"b"}`, false},
		"W5 unknown":                 {order(), `{"admin":true}`, false},
		"W5 unknown, deep":           {order(), `{"script":{"user":"root"}}`, false},
		"W5 number for a string":     {order(), `{"name":1}`, false},
		"W5 string for a number":     {order(), `{"epoch":"1"}`, false},
		"W5 fraction for an integer": {order(), `{"epoch":1.5}`, false},
		"W5 NaN":                     {order(), `{"epoch":NaN}`, false},
		"W5 2^63":                    {order(), `{"epoch":9223372036854775808}`, false},
		"W5 2^63-1":                  {order(), `{"epoch":9223372036854775807}`, true},
		"W5 negative zero":           {order(), `{"epoch":-0}`, true},
		"W5 array for an object":     {order(), `[]`, false},
		"nothing":                    {order(), "", false},
		"blanks":                     {order(), "  ", false},
		"bad ticket":                 {order(), `{"ticket":"../x"}`, false},
		"byte order mark":            {order(), "\ufeff{}", false},
		"single quotes":              {order(), "{'name':'a'}", false},
		"trailing comma":             {order(), `{"name":"a",}`, false},
		"comment":                    {order(), `{"name":"a"} // x`, false},
	}
}

func TestDecode(t *testing.T) {
	for name, row := range decodes() {
		t.Run(name, func(t *testing.T) {
			switch err := contract.Decode([]byte(row.body), row.into); {
			case row.want && err != nil:
				t.Errorf("Decode = %v", err)
			case !row.want && errkind.Of(err) != errkind.Corrupt:
				t.Errorf("Decode = %v, want Corrupt", err)
			}
		})
	}
}

// TestStatusFitsTogether covers what a caller relies on: a finished ticket has a verdict, and
// only that one.
func TestStatusFitsTogether(t *testing.T) {
	for body, want := range map[string]bool{
		`{"ticket":"t-1","state":"running","log_end":3}`:                                                   true,
		`{"ticket":"t-1","state":"finished","verdict":{"outcome":"failed","code":3,"log_end":3}}`:          true,
		`{"ticket":"t-1","state":"finished"}`:                                                              false,
		`{"ticket":"t-1","state":"finished","verdict":null}`:                                               false,
		`{"ticket":"t-1","state":"running","verdict":{"outcome":"succeeded"}}`:                             false,
		`{"ticket":"t-1","state":"finished","verdict":{"outcome":"fine"}}`:                                 false,
		`{"ticket":"t-1","state":"finished","verdict":{"outcome":"failed","log_end":-1}}`:                  false,
		`{"ticket":"t-1","state":"finished","verdict":{"outcome":"failed","log_end":9223372036854775807}}`: false,
		`{"ticket":"t-1","state":"running","log_end":-1}`:                                                  false,
		`{"ticket":"t-1","state":"asleep"}`:                                                                false,
		`{}`:                                                                                               false,
	} {
		var status contract.TicketStatus
		if err := contract.Decode([]byte(body), &status); (err == nil) != want || err != nil && errkind.Of(err) != errkind.Corrupt {
			t.Errorf("%s: %v, want taken %v", body, err, want)
		}
	}
}

func TestTicketGrammar(t *testing.T) {
	for text, want := range map[string]bool{
		"t-1": true, "0": true, strings.Repeat("a", contract.MaxTicketBytes): true,
		"": false, "-a": false, "A": false, "a/b": false, "a.b": false, "ä": false, "a\x00": false, "a\n": false,
		strings.Repeat("a", contract.MaxTicketBytes+1): false,
	} {
		if _, err := contract.ParseTicketID(text); (err == nil) != want || err != nil && errkind.Of(err) != errkind.Invalid {
			t.Errorf("ParseTicketID(%q) = %v, want taken %v", text, err, want)
		}
	}
}

// FuzzDecode holds Decode to its word: what it takes, it takes again when written anew, and every
// refusal is Corrupt.
func FuzzDecode(f *testing.F) {
	for _, row := range decodes() {
		if len(row.body) < 4096 {
			f.Add([]byte(row.body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var order contract.Order
		if err := contract.Decode(body, &order); err != nil {
			if errkind.Of(err) != errkind.Corrupt {
				t.Fatalf("Decode(%q) = %v, want Corrupt", body, err)
			}
			return
		}
		again, err := json.Marshal(order)
		if err != nil {
			t.Fatal(err)
		}
		var second contract.Order
		if err := contract.Decode(again, &second); err != nil && order.Ticket != "" {
			t.Fatalf("%q was taken, and %q is not: %v", body, again, err)
		}
	})
}
