// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/sim/check"
	"fairlead/sim/mutant"
)

const root = "../.."

// TestTableIsWhole: each mutant says what it does, asks for itself alone, and names statements and a
// plan that there are.
func TestTableIsWhole(t *testing.T) {
	var statements []string
	for _, s := range check.All() {
		statements = append(statements, s.ID)
	}
	seen := map[string]bool{}
	for _, m := range mutant.Table() {
		if seen[m.Name] || m.Name == "" || m.Story == "" || len(m.Edits) == 0 || len(m.Caught) == 0 {
			t.Errorf("%q is there twice, or lacks something: %+v", m.Name, m)
		}
		seen[m.Name] = true
		for _, id := range m.Caught {
			if !slices.Contains(statements, id) {
				t.Errorf("%s is caught by %s: there is no such statement", m.Name, id)
			}
		}
		asks := 0
		for _, e := range m.Edits {
			asks += strings.Count(e.New, `active.Is("`+m.Name+`")`)
			if all := strings.Count(e.New, "active.Is("); all != strings.Count(e.New, `active.Is("`+m.Name+`")`) {
				t.Errorf("%s asks for another mutant in %s", m.Name, e.File)
			}
		}
		if asks == 0 {
			t.Errorf("%s never asks whether it is its turn", m.Name)
		}
		p, err := m.Hunt()
		if err != nil {
			t.Error(err)
			continue
		}
		if settle, bound := p.Settle.D(), check.Bounds(p); p.Expect.Online == "all" && settle < bound["L1"] {
			t.Errorf("plan %s settles for %s: L1 is judged after %s", m.Plan, settle, bound["L1"])
		}
	}
	const least = 20
	if len(seen) < least {
		t.Errorf("%d mutants, want at least %d", len(seen), least)
	}
}

func TestNamed(t *testing.T) {
	if m, err := mutant.Named("claim-rename"); err != nil || m.Name != "claim-rename" {
		t.Errorf("got %+v, %v", m, err)
	}
	_, err := mutant.Named("claim-renam")
	if errkind.Of(err) != errkind.NotFound || !strings.Contains(errkind.Hint(err), "claim-rename") {
		t.Errorf("got %v (%s)", err, errkind.Hint(err))
	}
}

// TestOverlayCompiles: each text stands in the product once, and the product compiles with all
// mutants in it. It takes as long as a build of both programs.
func TestOverlayCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("builds both programs")
	}
	dir := t.TempDir()
	overlay, err := mutant.Overlay(root, dir)
	if err != nil {
		t.Fatal(err)
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to build with")
	}
	build := exec.Command(goTool, "build", "-tags", "mutant", "-overlay", overlay, "-o", dir, "./agent", "./server")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, program := range []string{"agent", "server"} {
		raw, err := os.ReadFile(filepath.Join(dir, program))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(raw, []byte("FAIRLEAD_MUTANT")) {
			t.Errorf("%s knows nothing of mutants", program)
		}
	}
}

// TestOverlayRefuses a product whose text has changed.
func TestOverlayRefuses(t *testing.T) {
	_, err := mutant.Overlay(t.TempDir(), t.TempDir())
	if errkind.Of(err) != errkind.NotFound {
		t.Errorf("an empty folder: %v, want NotFound", err)
	}
	changed := t.TempDir()
	first := mutant.Table()[0].Edits[0].File
	if err := os.MkdirAll(filepath.Dir(filepath.Join(changed, first)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(changed, first), []byte("package engine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mutant.Overlay(changed, t.TempDir()); errkind.Of(err) != errkind.Conflict {
		t.Errorf("a changed file: %v, want Conflict", err)
	}
}
