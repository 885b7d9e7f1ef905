// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestExitCodes runs each command of the server into each kind of failure it can meet, and compares with
// the table in docs/operations.md; with a server that runs, and with none.
func TestExitCodes(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	rows := []struct {
		args string
		code int
		kind string
	}{
		{"environment create Test", 0, ""},
		{"environment create Test", 6, "conflict"},
		{"environment create  ", 2, "invalid"},
		{"environment create " + strings.Repeat("n", 201), 2, "invalid"},
		{"token create --environment Test --lifetime 1h", 0, ""},
		{"token create --environment Moon", 3, "not-found"},
		{"token create --environment Moon --environment Mars", 3, "not-found"},
		{"token create --environment Moon --tag a,b", 2, "invalid"},
		{"token create --lifetime 9999h", 2, "invalid"},
		{"token create --environment Test --space Moon", 3, "not-found"},
		{"machine enable nobody", 3, "not-found"},
		{"admin api-key --purpose CI", 0, ""},
		{"accept-restore", 6, "conflict"},
		{"backup BACKUP", 0, ""},
		{"backup BACKUP", 6, "conflict"},
		{"restore BACKUP", 6, "conflict"},
		{"restore " + filepath.Join(empty, "none"), 6, "conflict"},
		{"nonsense", 2, "invalid"},
	}
	none := []struct {
		args string
		code int
	}{
		{"environment create Test", 3},
		{"token create", 3},
		{"machine enable nobody", 3},
		{"admin api-key", 3},
		{"accept-restore", 3},
		{"status", 3},
		{"backup " + filepath.Join(empty, "backup"), 3},
		{"restore " + filepath.Join(empty, "none"), 3},
	}
	try := func(t *testing.T, home, line string, code int, kind string) {
		t.Helper()
		got := command(t, append(strings.Split(line, " "), "--home", home)...)
		if got.code != code || kind != "" && got.kind != kind {
			t.Errorf("%s: code %d, kind %q, want %d, %q: %s", line, got.code, got.kind, code, kind, got.err)
		}
	}
	t.Run("no server has run there", func(t *testing.T) {
		for _, row := range none {
			try(t, empty, row.args, row.code, "")
		}
	})
	for name, run := range map[string]bool{"while none runs": false, "while it runs": true} {
		t.Run(name, func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "home")
			newDaemon(t, home).Close()
			if run {
				_, stop := start(t, home)
				defer stop()
			}
			for _, row := range rows {
				try(t, home, strings.Replace(row.args, "BACKUP", home+".backup", 1), row.code, row.kind)
			}
		})
	}
}

// TestTokenHints: the hint names what is missing, and the command that makes it there.
func TestTokenHints(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	newDaemon(t, home).Close()
	command(t, "environment", "create", "Test", "--home", home)
	const hint = `make the environment with: fairlead-server environment create "Moon"`
	for space, want := range map[string]string{
		"Spaces-1":  hint,
		"Default":   hint + ` --space "Default"`,
		"Elsewhere": "",
	} {
		got := command(t, "token", "create", "--environment", "Moon", "--space", space, "--home", home)
		if got.code != 3 || got.hint != want {
			t.Errorf("--space %s: code %d, %s, hint %q, want %q", space, got.code, got.err, got.hint, want)
		}
	}
	got := command(t, "token", "create", "--environment", "Test", "--space", "Defualt", "--home", home)
	if want := `did you mean "Default"?`; got.code != 3 || got.hint != want {
		t.Errorf("a slip in the space: code %d, hint %q, want %q", got.code, got.hint, want)
	}
	got = command(t, "token", "create", "--environment", "Tset", "--home", home)
	if want := `did you mean "Test"?`; got.hint != want {
		t.Errorf("a slip: hint %q, want %q", got.hint, want)
	}
}
