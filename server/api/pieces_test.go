// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPiecesBecomeLines(t *testing.T) {
	var p pieces
	var got []LogLine
	for _, l := range []LogLine{
		{Number: 1, Node: "1/a", Category: "Info", Text: "load", More: true},
		{Number: 2, Node: "1/b", Category: "Info", Text: "other machine"},
		{Number: 3, Node: "1/a", Category: "Error", Text: "other stream"},
		{Number: 4, Node: "1/a", Category: "Info", Text: "ing", More: true},
		{Number: 5, Node: "1/a", Category: "Info", Text: " done"},
		{Number: 6, Node: "1/a", Category: "Info", Text: "next"},
		{Number: 7, Node: "1/b", Category: "Info", Text: "cut off", More: true},
	} {
		if line, ok := p.add(l); ok {
			got = append(got, line)
		}
	}
	got = append(got, p.rest()...)
	want := []LogLine{
		{Number: 2, Node: "1/b", Category: "Info", Text: "other machine"},
		{Number: 3, Node: "1/a", Category: "Error", Text: "other stream"},
		{Number: 1, Node: "1/a", Category: "Info", Text: "loading done"},
		{Number: 6, Node: "1/a", Category: "Info", Text: "next"},
		{Number: 7, Node: "1/b", Category: "Info", Text: "cut off", More: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}
