// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// TestAgentClosure looks at everything that is linked into the agent, however it came there.
func TestAgentClosure(t *testing.T) {
	tr := readTree(t)
	if !tr.files["agent/main.go"] && !tr.files["agent/daemon"] {
		t.Fatal("no agent in the tree: this test looks in the wrong place")
	}
	known := map[string]bool{}
	for _, row := range moduleRows(tr) {
		if row.agent {
			known[row.module] = true
		}
	}
	target := "./agent"
	if !tr.files["agent/main.go"] {
		target = "./agent/daemon"
	}
	for _, p := range listDeps(t, target) {
		ours, isOurs := strings.CutPrefix(p.ImportPath, module+"/")
		switch {
		case p.ImportPath == "net/http":
			t.Errorf("the agent links net/http through %s\nwhy: it costs 2 MB and an attack surface, and the line is not HTTP\n"+
				"do:  move what needs it into the server; go mod why -m does not show it, go list -deps ./agent does",
				strings.Join(importersOf(t, target, "net/http"), ", "))
		case isOurs && under(ours, "internal/store"):
			t.Errorf("the agent links %s\nwhy: the agent keeps plain files, a database would triple its size\n"+
				"do:  keep storage words out of what the agent imports", ours)
		case isOurs && under(ours, "server"):
			t.Errorf("the agent links %s\nwhy: the programs are released apart\ndo:  share by internal/contract", ours)
		case p.Module != nil && !p.Module.Main && !known[p.Module.Path]:
			t.Errorf("the agent links %s of module %s\nwhy: each byte and each line in the agent runs as root on the user's hosts\n"+
				"do:  do without it, or say \"agent\" in its row of docs/dependencies.md and what it costs", p.ImportPath, p.Module.Path)
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Module     *struct {
		Path string
		Main bool
	}
}

func listDeps(t *testing.T, target string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Imports,Standard,Module", target)
	cmd.Dir = root
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", target, err)
	}
	var all []listed
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("decode go list -deps %s: %v", target, err)
		}
		all = append(all, p)
	}
}

func importersOf(t *testing.T, target, wanted string) []string {
	t.Helper()
	var out []string
	for _, p := range listDeps(t, target) {
		for _, i := range p.Imports {
			if i == wanted && !p.Standard {
				out = append(out, p.ImportPath)
			}
		}
	}
	return out
}
