// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/server/api"
)

const (
	tableBegin = "<!-- routes: written by go test ./server/api -update -->\n"
	tableEnd   = "<!-- end of routes -->\n"
)

// TestDocumentListsEveryRoute compares docs/api.md with the table of routes.
func TestDocumentListsEveryRoute(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "api.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, after, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("%s has lost the marks around its table", path)
	}
	var b strings.Builder
	b.WriteString("\n| Method | Path | Needs | What it does |\n|---|---|---|---|\n")
	for _, r := range api.Routes() {
		need := string(r.Need)
		if r.Public {
			need = "public"
		}
		pattern := strings.Replace(r.Pattern, "/api/S/", "S/", 1)
		b.WriteString("| " + r.Method + " | `" + pattern + "` | " + need + " | " +
			strings.ReplaceAll(r.Summary, "|", "\\|") + " |\n")
	}
	b.WriteString("\n")
	want := before + tableBegin + b.String() + tableEnd + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s is not what the routes are: go test ./server/api -update", path)
	}
}
