// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"strings"
	"testing"
)

const module = "fairlead"

// A layer says what the packages at and below a folder may import of ours. The longest folder wins. A name that ends
// in "/..." means the folder and all below it.
type layer struct {
	folder string
	may    []string
}

// The table goes from the programs down to the leaves. Everything points down. Loosening a row needs an ADR.
var layers = []layer{
	// programs
	{"agent", []string{"agent/daemon", "internal/host", "internal/cli"}},
	{"server", []string{"server/daemon", "internal/host", "internal/cli"}},

	// daemons: composition roots
	{"agent/daemon", []string{
		"agent/...", "internal/archive", "internal/cli", "internal/contract", "internal/deploy", "internal/diagnosis",
		"internal/durable", "internal/errkind", "internal/home", "internal/host", "internal/link", "internal/port", "internal/proxy",
		"internal/redial", "internal/settings", "internal/tasklog", "internal/trust",
	}},
	{"server/daemon", []string{
		"server/...", "internal/archive", "internal/cli", "internal/contract", "internal/deploy", "internal/durable",
		"internal/errkind", "internal/halibut/...", "internal/home", "internal/host", "internal/link", "internal/port", "internal/redial",
		"internal/secret", "internal/settings", "internal/store/...", "internal/tasklog", "internal/trust",
	}},

	// edges
	{"server/api", []string{
		"server/catalog", "server/download", "server/engine", "server/feed", "server/fleet", "server/identity",
		"server/target", "server/tasks", "internal/deploy", "internal/errkind", "internal/tasklog", "internal/trust", "internal/contract",
	}},
	{"server/portal", []string{
		"server/catalog", "server/download", "server/engine", "server/feed", "server/fleet", "server/identity",
		"server/target", "server/tasks", "internal/contract", "internal/deploy", "internal/errkind", "internal/markdown", "internal/tasklog",
		"internal/trust",
	}},

	{"server/download", nil},

	// use cases
	{"server/engine", []string{
		"server/artifact", "server/catalog", "server/feed", "server/identity", "server/target", "server/tasks", "internal/archive",
		"internal/contract", "internal/deploy", "internal/errkind", "internal/host", "internal/markdown", "internal/masking",
		"internal/secret", "internal/store", "internal/tasklog",
	}},
	{"server/tasks", []string{
		"server/catalog", "server/identity", "internal/contract", "internal/deploy", "internal/errkind", "internal/host",
		"internal/store", "internal/tasklog",
	}},
	{"server/catalog", []string{
		"server/feed", "server/identity", "internal/contract", "internal/deploy", "internal/errkind", "internal/host",
		"internal/masking", "internal/nearest", "internal/secret", "internal/store", "internal/trust",
	}},
	{"server/artifact", []string{
		"internal/archive", "internal/contract", "internal/deploy", "internal/durable", "internal/errkind", "internal/host",
		"internal/store",
	}},
	{"server/feed", []string{
		"server/identity", "internal/archive", "internal/contract", "internal/delta", "internal/deploy", "internal/durable",
		"internal/errkind", "internal/home", "internal/host", "internal/store",
	}},
	{"server/identity", []string{
		"internal/deploy", "internal/errkind", "internal/host", "internal/store", "internal/trust",
	}},
	{"server/target", []string{
		"internal/contract", "internal/deploy", "internal/errkind", "internal/halibut/...", "internal/host",
		"internal/link", "internal/trust",
	}},
	{"server/fleet", []string{
		"server/identity", "server/target", "internal/contract", "internal/deploy", "internal/errkind", "internal/host", "internal/link",
		"internal/port", "internal/redial", "internal/store", "internal/trust",
	}},
	{"agent/step", []string{
		"agent/transfer", "agent/variables", "internal/archive", "internal/contract", "internal/deploy", "internal/durable",
		"internal/errkind", "internal/host", "internal/structured",
	}},
	{"agent/script", []string{
		"agent/variables", "internal/contract", "internal/durable", "internal/errkind", "internal/host", "internal/masking",
		"internal/servicemessage",
	}},
	{"agent/transfer", []string{
		"internal/archive", "internal/contract", "internal/delta", "internal/durable", "internal/errkind", "internal/host",
	}},
	{"agent/variables", []string{"internal/deploy", "internal/errkind"}},

	// machinery
	{"internal/halibut", []string{
		"internal/contract", "internal/errkind", "internal/halibut/...", "internal/host", "internal/trust",
	}},
	{"internal/redial", []string{
		"internal/diagnosis", "internal/errkind", "internal/host", "internal/httphead", "internal/link", "internal/trust",
	}},
	{"internal/port", []string{
		"internal/diagnosis", "internal/errkind", "internal/host", "internal/link", "internal/trust",
	}},
	{"internal/proxy", []string{"internal/diagnosis", "internal/errkind", "internal/host", "internal/httphead"}},
	{"internal/link", []string{"internal/contract", "internal/errkind", "internal/host"}},
	{"internal/store/sqlite", []string{
		"internal/contract", "internal/deploy", "internal/errkind", "internal/home", "internal/host", "internal/store", "internal/trust",
	}},
	{"internal/store/postgres", []string{
		"internal/contract", "internal/deploy", "internal/errkind", "internal/home", "internal/host", "internal/store", "internal/trust",
	}},
	{"internal/store/storetest", []string{
		"internal/contract", "internal/deploy", "internal/errkind", "internal/home", "internal/host", "internal/store", "internal/trust",
	}},
	{"internal/settings", []string{"internal/nearest", "internal/durable", "internal/errkind", "internal/host"}},
	{"internal/tasklog", []string{
		"internal/contract", "internal/deploy", "internal/durable", "internal/errkind", "internal/host",
	}},
	{"internal/archive", []string{"internal/errkind"}},
	{"internal/markdown", []string{"internal/deploy"}},

	// pure core and contracts
	{"internal/store", []string{"internal/contract", "internal/deploy", "internal/errkind", "internal/trust"}},
	{"internal/trust", []string{
		"internal/contract", "internal/diagnosis", "internal/durable", "internal/errkind", "internal/host",
	}},
	{"internal/deploy", []string{"internal/contract", "internal/errkind"}},
	{"internal/servicemessage", []string{"internal/contract"}},
	{"internal/structured", []string{"internal/errkind"}},
	{"internal/contract", []string{"internal/errkind"}},

	// the seam and the leaves
	{"internal/host", []string{"internal/errkind"}},
	{"internal/home", []string{"internal/durable", "internal/errkind", "internal/host"}},
	{"internal/durable", []string{"internal/errkind", "internal/host"}},
	{"internal/cli", []string{"internal/errkind", "internal/nearest"}},
	{"internal/delta", []string{"internal/errkind"}},
	{"internal/diagnosis", []string{"internal/errkind"}},
	{"internal/httphead", []string{"internal/errkind"}},
	{"internal/masking", []string{"internal/errkind"}},
	{"internal/secret", []string{"internal/durable", "internal/errkind", "internal/host"}},
	{"internal/errkind", nil},
	{"internal/nearest", nil},

	// beside the product
	{"netem", []string{"internal/host", "internal/errkind", "netem/..."}},
	{"sim", []string{"agent/...", "server/...", "netem/...", "fixtures", "sim/...", "internal/..."}},
	{"fixtures", nil},
	{"internal/demo", []string{"agent/...", "server/...", "fixtures", "internal/..."}},
	{"internal/bench", []string{"agent/...", "server/...", "fixtures", "internal/..."}},
	{"internal/torture", []string{"agent/...", "server/...", "fixtures", "internal/..."}},
	{"internal/headless", nil},
	{"internal/house", nil},
}

// Nobody may import these, whatever his row says.
var unimportable = []string{"internal/house", "internal/bench", "internal/torture"}

func layerOf(dir string) (layer, bool) {
	best, found := layer{}, false
	for _, l := range layers {
		// A program is its own folder only: a new folder below it needs a row.
		whole := l.folder != "agent" && l.folder != "server"
		if (dir == l.folder || whole && under(dir, l.folder)) && len(l.folder) >= len(best.folder) {
			best, found = l, true
		}
	}
	return best, found
}

func (l layer) allows(target string) bool {
	for _, u := range unimportable {
		if under(target, u) {
			return false
		}
	}
	for _, may := range l.may {
		tree, isTree := strings.CutSuffix(may, "/...")
		if target == may || isTree && under(target, tree) {
			return true
		}
	}
	return false
}

func importRule() rule {
	return rule{
		name: "imports",
		why: "imports point down (programs, daemons, edges, use cases, machinery, pure core, seam), so that a part can be " +
			"read, tested and simulated without what lies above it",
		do: "move the code to the layer that needs it, or declare the interface where it is used; a new folder needs a " +
			"row in imports_test.go, a looser row an ADR",
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				if f.test {
					continue
				}
				l, ok := layerOf(f.dir)
				if !ok {
					out = append(out, finding{f.path, 0, "folder " + f.dir + " has no row in the table of layers"})
					continue
				}
				for _, spec := range f.ast.Imports {
					target, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, "\""), module+"/")
					if ours && !l.allows(target) {
						out = append(out, finding{f.path, f.line(spec.Pos()), fmt.Sprintf("%s imports %s", f.dir, target)})
					}
				}
			}
			return out
		},
	}
}

// testMeetRule holds for tests and product code alike.
func testMeetRule() rule {
	return rule{
		name: "programs-apart",
		why:  "agent and server are released and upgraded apart; what they share is what they say, in internal/contract",
		do:   "test the two together in sim or internal/demo; put shared types into internal/contract",
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				for _, spec := range f.ast.Imports {
					target, _ := strings.CutPrefix(strings.Trim(spec.Path.Value, "\""), module+"/")
					meet := under(f.dir, "agent") && under(target, "server") || under(f.dir, "server") && under(target, "agent")
					if meet || under(target, "internal/house") {
						out = append(out, finding{f.path, f.line(spec.Pos()), fmt.Sprintf("%s imports %s", f.dir, target)})
					}
				}
			}
			return out
		},
	}
}

func TestLayersNameNoFolderTwiceAndPointAtRows(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range layers {
		if seen[l.folder] {
			t.Errorf("folder %s has two rows", l.folder)
		}
		seen[l.folder] = true
	}
	for _, l := range layers {
		for _, may := range l.may {
			target := strings.TrimSuffix(may, "/...")
			if _, ok := layerOf(target); !ok && target != "internal" {
				t.Errorf("row %s allows %s, which has no row itself", l.folder, may)
			}
			if target != may || !strings.HasPrefix(l.folder, "internal/") {
				continue
			}
			if back, ok := layerOf(target); ok && back.folder != l.folder && back.allows(l.folder) {
				t.Errorf("rows %s and %s allow each other: imports must point one way", l.folder, target)
			}
		}
	}
}
