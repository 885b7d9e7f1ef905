// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// TestFollowFramesSurvive sends records in any grouping, with statuses between, and reads the
// same back.
func TestFollowFramesSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var wire bytes.Buffer
		w := contract.FollowWriter{W: &wire}
		records, _ := drawRecords(t)
		start := rapid.Int64Range(0, 1<<40).Draw(t, "start")
		var want []string
		for len(records) > 0 {
			n := rapid.IntRange(1, len(records)).Draw(t, "group")
			var raw []byte
			for _, r := range records[:n] {
				raw = contract.AppendRecord(raw, r)
				want = append(want, string(r.Text))
			}
			must(t, w.Records(raw))
			records = records[n:]
			if rapid.Bool().Draw(t, "status") {
				must(t, w.Status(contract.TicketStatus{Ticket: "t-1", State: contract.Running}))
				want = append(want, "status")
			}
		}
		var got []string
		r := contract.FollowReader{R: &wire, Offset: start}
		end := start
		for {
			records, status, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			for _, record := range records {
				if record.Offset != end {
					t.Fatalf("a record at %d, want %d", record.Offset, end)
				}
				end = record.End()
				got = append(got, string(record.Text))
			}
			if status != nil {
				got = append(got, "status")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || r.Offset != end {
			t.Fatalf("offset %d, want %d (-want +got):\n%s", r.Offset, end, diff)
		}
	})
}

type fataler interface{ Fatal(...any) }

func must(t fataler, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func TestFollowFramesThatAreNone(t *testing.T) {
	record := string(contract.AppendRecord(nil, contract.Record{Source: contract.Stdout, Text: []byte("x")}))
	frame := func(kind byte, body string) string { return string(kind) + string(framed(body)) }
	for name, raw := range map[string]string{
		"W1 length 256 KiB + 1":      "\x01\x00\x04\x00\x01",
		"W1 length 2^32-1":           "\x01\xff\xff\xff\xff",
		"W2 half a prefix":           "\x01\x00",
		"W2 half a body":             frame(1, record)[:9],
		"W2 nothing after a length":  frame(1, record)[:5],
		"kind 0":                     frame(0, record),
		"W9 kind 3":                  frame(3, record),
		"half a record":              frame(1, record[:len(record)-1]),
		"a record and a byte":        frame(1, record+"x"),
		"status that is no document": frame(2, "{"),
		"W5 status, unknown member":  frame(2, `{"ticket":"t-1","state":"running","x":1}`),
		"status without a verdict":   frame(2, `{"ticket":"t-1","state":"finished"}`),
		"empty status":               frame(2, ""),
	} {
		r := contract.FollowReader{R: bytes.NewReader([]byte(raw))}
		if _, _, err := r.Next(); errkind.Of(err) != errkind.Corrupt || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want Corrupt", name, err)
		}
	}
}

// FuzzFollow reads anything: it ends with io.EOF or Corrupt, and the offset never goes back.
func FuzzFollow(f *testing.F) {
	var wire bytes.Buffer
	w := contract.FollowWriter{W: &wire}
	must(f, w.Records(contract.AppendRecord(nil, contract.Record{Source: contract.Stdout, Text: []byte("x")})))
	must(f, w.Status(contract.TicketStatus{Ticket: "t-1", State: contract.Running}))
	f.Add(wire.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := contract.FollowReader{R: bytes.NewReader(raw)}
		for {
			before := r.Offset
			records, status, err := r.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) && errkind.Of(err) != errkind.Corrupt {
					t.Fatalf("Next = %v", err)
				}
				return
			}
			if r.Offset < before || len(records) > 0 && status != nil {
				t.Fatalf("offset %d after %d, %d records beside a status", r.Offset, before, len(records))
			}
		}
	})
}
