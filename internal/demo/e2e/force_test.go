// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/internal/archive"
	"fairlead/internal/demo"
)

// TestForcedPackagesComeAnew: what lies on a machine, and has been damaged there, is used again by a deployment that
// does not force its packages, and replaced by one that does.
func TestForcedPackagesComeAnew(t *testing.T) {
	t.Parallel()
	site, agent, _ := startSite(t)
	path := filepath.Join(site.Dir, "tool.1.0.0.zip")
	file, err := os.Create(path)
	must(t, err)
	tree := filepath.Join(site.Dir, "tree")
	must(t, os.Mkdir(tree, 0o755))
	must(t, os.WriteFile(filepath.Join(tree, "data"), []byte(strings.Repeat("content", 1000)), 0o600))
	must(t, errors.Join(archive.Create(t.Context(), file, archive.Zip, os.DirFS(tree)), file.Close()))
	must(t, site.REST.PushFile(t.Context(), filepath.Base(path), path))
	must(t, site.REST.CreateProject(t.Context(), "Tool", []demo.Step{{Name: "Install", Tag: tag, Package: "tool"}}, nil))
	must(t, site.REST.CreateRelease(t.Context(), "Tool", "1.0.0"))
	deploy := func(call func() (string, error)) (state, log string) {
		t.Helper()
		task, err := call()
		must(t, err)
		ended, err := site.REST.Follow(t.Context(), task, func(l demo.LogLine) error {
			log += l.Text + "\n"
			return nil
		})
		must(t, err)
		return ended.State, log
	}
	plain := func() (string, error) { return site.REST.Deploy(t.Context(), "Tool", "1.0.0", environment) }
	forced := func() (string, error) { return site.REST.DeployForced(t.Context(), "Tool", "1.0.0", environment) }
	if state, log := deploy(plain); state != "Success" {
		t.Fatalf("the first deployment: %s\n%s", state, log)
	}
	damage(t, agent.Home)
	if state, log := deploy(plain); state == "Success" || !strings.Contains(log, "lies on the machine already") {
		t.Errorf("with what was damaged: %s\n%s", state, log)
	}
	if state, log := deploy(forced); state != "Success" || strings.Count(log, "Sent package tool 1.0.0") != 2 {
		t.Errorf("forced: %s, want a package sent to each of two machines\n%s", state, log)
	}
	if state, log := deploy(plain); state != "Success" || strings.Contains(log, "Sent package") {
		t.Errorf("afterwards: %s\n%s", state, log)
	}
}

// damage empties each package that an agent keeps: zeros in its length.
func damage(t *testing.T, home string) {
	t.Helper()
	kept, err := filepath.Glob(filepath.Join(home, "blobs", "*"))
	must(t, err)
	if len(kept) == 0 {
		t.Fatalf("%s keeps no package", home)
	}
	for _, path := range kept {
		must(t, os.WriteFile(path, make([]byte, len(read(t, path))), 0o600))
	}
}
