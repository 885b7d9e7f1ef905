// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package settings_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/settings"
)

type sample struct {
	Server string `toml:"server"`
	Limit  int    `toml:"limit,omitempty"`
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       sample
		says       string // part of the error
	}{
		{"empty keeps the defaults", "", sample{"default:1", 7}, ""},
		{"values win", "server = 'a:1'\nlimit = 3", sample{"a:1", 3}, ""},
		{
			"unknown key names the nearest", "servr = 'a:1'\nfoo = 1",
			sample{},
			"line 1: unknown key servr (did you mean server?); line 2: unknown key foo",
		},
		{"wrong type names the place", "\nlimit = 'x'", sample{}, "line 2, column"},
		{"not TOML", "server", sample{}, "line 1, column"},
		{
			"everything at once", "servr = 'a:1'\nlimit = 'x'\nserver = [\n1]\nfoo = 1",
			sample{},
			"line 1: unknown key servr (did you mean server?); line 2, column 9: limit: want a whole number, and this is a string; " +
				"line 3, column 10: server: want text, and this is a list; line 5: unknown key foo",
		},
		{"beside what is no TOML", "server\nlimit = 'x'", sample{}, "line 2, column"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := sample{"default:1", 7}
			err := settings.Parse([]byte(c.text), &got)
			if c.says != "" {
				if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("Parse = %v, want Invalid with %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.toml")
	if err := settings.Load(path, &sample{}); errkind.Of(err) != errkind.NotFound {
		t.Fatalf("Load of nothing = %v, want NotFound", err)
	}
	want := sample{"a:1", 9}
	if err := settings.Save(host.Fsync{}, path, want); err != nil {
		t.Fatal(err)
	}
	var got sample
	below := filepath.Join(path, "below") // a file is in the way, as a folder of another user would be
	if err := settings.Load(below, &sample{}); errkind.Of(err) != errkind.Denied || errkind.Hint(err) == "" {
		t.Errorf("Load(%s) = %v, hint %q; want Denied with a hint", below, err, errkind.Hint(err))
	}
	if err := settings.Load(path, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}
