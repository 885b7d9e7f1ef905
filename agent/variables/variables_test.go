// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package variables_test

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fairlead/agent/variables"
	"fairlead/internal/errkind"

	"pgregory.net/rapid"
)

// get runs a bash script that was given the preamble and returns its output.
func get(t testing.TB, dir string, vars map[string]string, locale, script string, args ...string) string {
	t.Helper()
	preamble, err := variables.Write(dir, vars)
	if err != nil {
		t.Fatal(err)
	}
	body := filepath.Join(dir, "body.sh")
	if err := os.WriteFile(body, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("bash", append([]string{body}, args...)...)
	c.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=" + locale, variables.Setting(preamble)}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("bash: %v: %s", err, out)
	}
	return string(out)
}

func TestEveryByteArrives(t *testing.T) {
	var all []byte
	for b := 1; b < 256; b++ {
		all = append(all, byte(b))
	}
	value := string(all) + "é€😀'\"$(touch x)`id`\\\n\n"
	for _, locale := range []string{"C", "C.UTF-8"} {
		got := get(t, t.TempDir(), map[string]string{"V": value}, locale, `get_octopusvariable V`)
		if got != value {
			t.Errorf("%s: got %q, want %q", locale, got, value)
		}
	}
}

func TestNamesAndAnswers(t *testing.T) {
	vars := map[string]string{
		"Plain": "p", "A.B[0].C": "indexed", "it's $(id)": "odd", "*": "star", "": "empty", "Case": "one", "case": "two",
	}
	for name, want := range map[string]string{
		"Plain": "p", "pLAIN": "p", "a.b[0].c": "indexed", "it's $(id)": "odd", "*": "star", "nothing here": "",
		"Case": "one", "case": "two", "CASE": "one",
	} {
		script := "set -euo pipefail\nx=$(get_octopusvariable \"$1\")\nprintf %s \"$x\""
		if got := get(t, t.TempDir(), vars, "C.UTF-8", script, name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestScriptKeepsItsPlace(t *testing.T) {
	got := get(t, t.TempDir(), map[string]string{"A": "1"}, "C",
		"echo \"$0 $# $LINENO ${BASH_ENV-unset}\"\nshopt -q nocasematch && echo leaked\n"+
			"bash -c 'type get_octopusvariable' 2>/dev/null\ntrue", "x")
	if want := " 1 1 unset\n"; !strings.HasSuffix(got, want) || strings.Contains(got, "\nl") {
		t.Errorf("got %q, want it to end with %q", got, want)
	}
}

func TestFolderNamesAreNotExpanded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a $(touch pwned) `id` \"q\" \\ $HOME é")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := get(t, dir, map[string]string{"A": "1"}, "C.UTF-8", "get_octopusvariable A"); got != "1" {
		t.Errorf("got %q, want 1", got)
	}
}

func TestH4PreambleIsMadeExclusively(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(dir, variables.FileName)
	for _, trap := range []func() error{
		func() error { return os.Symlink(victim, place) },
		func() error { return syscall.Mkfifo(place, 0o666) },
	} {
		os.Remove(place)
		if err := trap(); err != nil {
			t.Fatal(err)
		}
		if _, err := variables.Write(dir, map[string]string{"A": "1"}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(place)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("mode %v, %v: want a plain file with 0600", info.Mode(), err)
		}
	}
	if text, _ := os.ReadFile(victim); string(text) != "untouched" {
		t.Errorf("the link was followed: %q", text)
	}
}

func TestNULIsRefused(t *testing.T) {
	_, err := variables.Write(t.TempDir(), map[string]string{"A": "x\x00y"})
	if !errors.Is(err, errkind.Invalid) {
		t.Errorf("got %v, want an Invalid error", err)
	}
}

func TestAnyVariableRoundTrips(t *testing.T) {
	dir := t.TempDir()
	text := rapid.StringMatching(`[^\x00]{0,12}`)
	rapid.Check(t, func(r *rapid.T) {
		vars := rapid.MapOfN(text, text, 1, 5).Draw(r, "vars")
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(vars))).Draw(r, "name")
		if got := get(t, dir, vars, "C.UTF-8", `get_octopusvariable "$1"`, name); got != vars[name] {
			r.Fatalf("%q: got %q, want %q", name, got, vars[name])
		}
	})
}
