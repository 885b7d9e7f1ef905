// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckTellsWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ ldflags, want string }{
		"fairlead-server": {"-s -w", ""},
		"debug":           {"", "debug tables"},
	} {
		path := filepath.Join(dir, name)
		cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", c.ldflags, "-o", path, source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
		expect(t, path, c.want)
	}
	expect(t, source, "bad magic number")

	big := filepath.Join(dir, "fairlead-agent-big")
	if err := os.Rename(filepath.Join(dir, "fairlead-server"), big); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, maxAgentBytes+1); err != nil {
		t.Fatal(err)
	}
	expect(t, big, "its budget is")
}

func expect(t *testing.T, path, want string) {
	t.Helper()
	_, err := check(path)
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("check(%s) = %v, want %q", filepath.Base(path), err, want)
	}
}
