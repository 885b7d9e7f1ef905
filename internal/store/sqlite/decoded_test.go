// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/errkind"
)

// TestDecodedIsWhatTheTextSays, whatever was remembered of the row before, and no text is decoded twice in a row.
func TestDecodedIsWhatTheTextSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var d decoded[string]
		last := map[string]string{}
		for range rapid.IntRange(1, 40).Draw(t, "reads") {
			id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
			text := rapid.SampledFrom([]string{"x", "y", "damaged"}).Draw(t, "text")
			s := sealed{text: []byte(text), sum: sealedSum{Int64: checksum([]byte(text)), Valid: true}}
			calls := 0
			got, err := d.open(id, s, func() (string, error) {
				calls++
				if text == "damaged" {
					return "", errkind.Corrupt.Errorf("damaged")
				}
				return "decoded " + text, nil
			})
			if text == "damaged" {
				if errkind.Of(err) != errkind.Corrupt {
					t.Fatalf("a damaged row: %q, %v", got, err)
				}
				continue
			}
			if err != nil || got != "decoded "+text {
				t.Fatalf("%s: %q, %v", text, got, err)
			}
			if again := last[id] == text; again != (calls == 0) {
				t.Fatalf("row %s, %q after %q, was decoded %d times", id, text, last[id], calls)
			}
			last[id] = text
		}
	})
}

func TestDecodedIsBounded(t *testing.T) {
	t.Parallel()
	var d decoded[int]
	for i := range maxDecoded + 10 {
		got, err := d.open(fmt.Sprint(i), sealed{text: []byte("x")}, func() (int, error) { return i, nil })
		if got != i || err != nil || len(d.rows) > maxDecoded {
			t.Fatalf("%d, %v, %d rows are remembered", got, err, len(d.rows))
		}
	}
}
