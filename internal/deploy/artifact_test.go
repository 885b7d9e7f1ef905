// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
)

func TestFileName(t *testing.T) {
	for text, want := range map[string]string{
		"report of today.html": "report of today.html", "bericht-ä.txt": "bericht-ä.txt", ".bashrc": ".bashrc",
		"": "_", ".": "_", "..": "_", " . ": "_", "../../etc/passwd": ".._.._etc_passwd", `C:\boot.ini`: "C__boot.ini",
		"a\r\nSet-Cookie: x=1": "a__Set-Cookie_ x=1", "exe.\u202etxt": "exe._txt", "a\xffb": "a_b", "a\u2028b": "a_b",
		strings.Repeat("ä", 200): strings.Repeat("ä", 127),
	} {
		if got := deploy.FileName(text); got != want {
			t.Errorf("FileName(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestFileNameIsOne makes a name of any text: it is one below every folder, and making it again changes nothing.
func TestFileNameIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := deploy.FileName(rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("./\\ :a\n\u202e")))).Draw(t, "text"))
		if len(name) > deploy.MaxFileNameBytes || !utf8.ValidString(name) || !filepath.IsLocal(name) ||
			filepath.Base(name) != name || strings.ContainsFunc(name, unicode.IsControl) || deploy.FileName(name) != name {
			t.Errorf("FileName made %q", name)
		}
	})
}
