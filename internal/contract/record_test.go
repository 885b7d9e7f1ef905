// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

func drawRecords(t *rapid.T) (list []contract.Record, raw []byte) {
	for range rapid.IntRange(0, 8).Draw(t, "count") {
		r := contract.Record{
			Offset: int64(len(raw)),
			Source: contract.Source(rapid.Uint8Range(1, 3).Draw(t, "source")),
			Flags:  rapid.Uint8Range(0, 13).Draw(t, "flags"),
			WallMS: rapid.Int64().Draw(t, "wall"),
			MonoUS: rapid.Int64Min(0).Draw(t, "mono"),
			Text:   rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "text"),
		}
		list, raw = append(list, r), contract.AppendRecord(raw, r)
	}
	return list, raw
}

// TestRecordsSurvive writes records and reads them back, from any cut of the bytes.
func TestRecordsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, raw := drawRecords(t)
		cut := rapid.IntRange(0, len(raw)).Draw(t, "cut")
		var got []contract.Record
		rest, offset := raw[:cut], int64(0)
		for {
			r, after, ok, err := contract.ParseRecord(rest, offset)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			got, rest, offset = append(got, r), after, r.End()
		}
		whole := 0
		for whole < len(want) && want[whole].End() <= int64(cut) {
			whole++
		}
		if diff := cmp.Diff(want[:whole], got, cmp.Comparer(bytes.Equal), cmp.Transformer("list",
			func(l []contract.Record) []any { return anys(l) })); diff != "" {
			t.Fatalf("cut at %d of %d (-want +got):\n%s", cut, len(raw), diff)
		}
	})
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

func TestRecordsThatAreNone(t *testing.T) {
	good := contract.AppendRecord(nil, contract.Record{Source: contract.Stdout, Text: []byte("x")})
	longest := contract.AppendRecord(nil, contract.Record{
		Source: contract.Stdout, Text: make([]byte, contract.MaxRecordText),
	})
	if _, rest, ok, err := contract.ParseRecord(longest, 0); !ok || err != nil || len(rest) != 0 {
		t.Fatalf("the longest record: %v, %v, %d bytes left", ok, err, len(rest))
	}
	for name, change := range map[string]func([]byte){
		"W1 length MaxRecordText+1": func(b []byte) { copy(b, []byte{0, 1, 0, 1}) },
		"W1 length 2^31-1":          func(b []byte) { copy(b, []byte{0x7f, 0xff, 0xff, 0xff}) },
		"W1 length 2^32-1":          func(b []byte) { copy(b, []byte{0xff, 0xff, 0xff, 0xff}) },
		"source 0":                  func(b []byte) { b[4] = 0 },
		"source 4":                  func(b []byte) { b[4] = 4 },
		"unknown flag":              func(b []byte) { b[5] = 16 },
		"level 7":                   func(b []byte) { b[5] = 14 },
		"reserved byte 6":           func(b []byte) { b[6] = 1 },
		"reserved byte 7":           func(b []byte) { b[7] = 1 },
		"time before the log":       func(b []byte) { b[16] = 0x80 },
	} {
		raw := bytes.Clone(good)
		change(raw)
		if _, _, ok, err := contract.ParseRecord(raw, 7); ok || errkind.Of(err) != errkind.Corrupt {
			t.Errorf("%s: %v, %v, want Corrupt", name, ok, err)
		}
	}
}

// FuzzParseRecord: what is taken is the same bytes when written anew; nothing panics.
func FuzzParseRecord(f *testing.F) {
	f.Add(contract.AppendRecord(nil, contract.Record{Source: contract.Agent, Flags: contract.FlagMore, Text: []byte("text")}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, rest, ok, err := contract.ParseRecord(raw, 5)
		if err != nil && errkind.Of(err) != errkind.Corrupt || err != nil && ok {
			t.Fatalf("ParseRecord = %v, %v", ok, err)
		}
		if !ok {
			return
		}
		if again := append(contract.AppendRecord(nil, r), rest...); !bytes.Equal(again, raw) {
			t.Fatalf("%x became %x", raw, again)
		}
		if want := 5 + int64(len(raw)-len(rest)); r.End() != want {
			t.Fatalf("ends at %d, want %d", r.End(), want)
		}
	})
}
