// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package tasklog

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// FuzzParse: what parse takes, encoding/json takes too and reads the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"n":7,"t":1795341600000000,"c":"Info","w":"2/Machines-1","s":"hello é","m":true,"k":"t-1","e":421}`,
		`{"finished":true}`, `{}`, `{"n":01}`, `{"n":}`, `{,"n":1}`, `{"n":1,}`, `{"s":"a\nb"}`, `{"s":"a` + "\xff" + `"}`,
		`{"s":"a"}}`, `{"n":1,"n":2}`, `{"m":true,"cut":true}`, `{"n":99999999999999999999}`, `{"m":trueish}`,
		`{"k":"t","e":1,"h":"c2hh"}`, `{"h":""}`, `{"h":"c2"}`, `{"h":"c2h` + "\n" + `h"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		got, ok := parse(string(stored))
		if !ok {
			return
		}
		var want row
		if err := json.Unmarshal(stored, &want); err != nil {
			t.Fatalf("parse(%q) takes what JSON refuses: %v", stored, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("parse(%q) (-json +got):\n%s", stored, diff)
		}
	})
}

// TestParseTakesWhatEncodeWrites keeps the quick way from falling out of use unnoticed.
func TestParseTakesWhatEncodeWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[ a-zA-Z0-9<>&'/é日_-]{0,20}`)
		number := rapid.Int64Range(0, 1<<52)
		want := row{
			Number: number.Draw(rt, "n"), AtMicros: number.Draw(rt, "t"), Category: Category(word.Draw(rt, "c")),
			Node: word.Draw(rt, "w"), Text: word.Draw(rt, "s"), More: rapid.Bool().Draw(rt, "m"),
			Ticket: word.Draw(rt, "k"), TicketEnd: number.Draw(rt, "e"),
			Mark:  rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(rt, "h"),
			IsCut: rapid.Bool().Draw(rt, "cut"), Finished: rapid.Bool().Draw(rt, "finished"),
		}
		if len(want.Mark) == 0 {
			want.Mark = nil
		}
		var stored bytes.Buffer
		if err := encode(&stored, want); err != nil {
			rt.Fatal(err)
		}
		got, ok := parse(string(bytes.TrimSuffix(stored.Bytes(), []byte("\n"))))
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			rt.Fatalf("parse(%s) = %t (-want +got):\n%s", stored.String(), ok, diff)
		}
	})
}

// TestPlainRows: what is written the quick way has the bytes that encoding/json writes.
func TestPlainRows(t *testing.T) {
	t.Parallel()
	quick := 0
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.OneOf(rapid.StringMatching(`[ -~]{0,9}`), rapid.String(), rapid.Just("a\u2028b"), rapid.Just("\xff"))
		number := rapid.OneOf(rapid.Just[int64](0), rapid.Int64())
		r := row{
			Number: number.Draw(rt, "n"), AtMicros: number.Draw(rt, "t"), Category: Category(word.Draw(rt, "c")),
			Node: word.Draw(rt, "w"), Text: word.Draw(rt, "s"), More: rapid.Bool().Draw(rt, "m"),
			Ticket: word.Draw(rt, "k"), TicketEnd: number.Draw(rt, "e"), Mark: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(rt, "h"),
			IsCut: rapid.Bool().Draw(rt, "cut"), Finished: rapid.Bool().Draw(rt, "finished"),
		}
		got, ok := appendPlain([]byte("before"), r)
		if !ok {
			return
		}
		quick++
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(r); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff("before"+want.String(), string(got)); diff != "" {
			rt.Fatalf("(-json +quick):\n%s", diff)
		}
	})
	if got, ok := appendPlain(nil, row{Text: "plain"}); quick == 0 || !ok || string(got) != "{\"s\":\"plain\"}\n" {
		t.Errorf("%d rows were written the quick way; %q", quick, got)
	}
}
