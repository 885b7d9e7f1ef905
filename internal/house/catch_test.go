// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// A sample is one case of testdata/catch.txt.
type sample struct {
	rule, name, want string
	files            map[string]string
}

const sampleModules = "# Modules\n| module | version | for | licence | adds | who |\n" +
	"| `example.org/sql` | v1.2.0 | rows | MIT | 1 MB | `internal/store/sqlite` |\n" +
	"| `example.org/cmp` | v0.1.0 | diffs | MIT | 0 | tests |\n"

func readSamples(t *testing.T) []sample {
	t.Helper()
	raw, err := os.ReadFile("testdata/catch.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(raw), "\n== ")
	var out []sample
	for block := range strings.SplitSeq(text, "\n== ") {
		head, body, _ := strings.Cut(block, "\n")
		s := sample{files: map[string]string{}}
		s.rule, s.name, _ = strings.Cut(head, ": ")
		if want, rest, ok := strings.Cut(body, "\n"); ok && strings.HasPrefix(want, "want ") {
			s.want, body = want[len("want "):], rest
		}
		for file := range strings.SplitSeq("\n"+body, "\n-- ") {
			if name, content, ok := strings.Cut(file, "\n"); ok && name != "" {
				s.files[name] = writeOut(t, content)
			}
		}
		out = append(out, s)
	}
	return out
}

// writeOut replaces the lines that begin with @.
func writeOut(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	last := ""
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		command, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.Atoi(argument)
		switch command {
		case "@licence":
			b.WriteString(licenceLine + "\n")
		case "@modules":
			b.WriteString(sampleModules)
		case "@line":
			b.WriteString("//" + strings.Repeat("é", n-2) + "\n")
		case "@repeat":
			b.WriteString(strings.Repeat(last, n-1))
		default:
			b.WriteString(line)
		}
		last = line
	}
	return b.String()
}

func (s sample) tree(t *testing.T) *tree {
	t.Helper()
	tr := newTree()
	for name, text := range s.files {
		if err := tr.add(name, text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		top, _, _ := strings.Cut(name, "/")
		tr.top = append(tr.top, top)
		tr.files[path.Dir(name)] = true
	}
	sort.Slice(tr.gofs, func(i, j int) bool { return tr.gofs[i].path < tr.gofs[j].path })
	return tr
}

func TestRulesCatch(t *testing.T) {
	byName := map[string]rule{}
	for _, r := range rules() {
		byName[r.name] = r
		if r.why == "" || r.do == "" {
			t.Errorf("rule %s does not say why, or what to do", r.name)
		}
	}
	caught := map[string]bool{}
	for _, s := range readSamples(t) {
		t.Run(s.rule+"/"+s.name, func(t *testing.T) {
			r, ok := byName[s.rule]
			if !ok {
				t.Fatalf("no rule %q", s.rule)
			}
			var found []string
			for _, f := range r.check(s.tree(t)) {
				found = append(found, f.String())
			}
			got := strings.Join(found, "\n")
			if s.want == "" && got != "" || !strings.Contains(got, s.want) {
				t.Errorf("found %q, want %q in it (empty wants nothing found)", got, s.want)
			}
			caught[s.rule] = caught[s.rule] || s.want != ""
		})
	}
	for name := range byName {
		if !caught[name] {
			t.Errorf("rule %s has no bad example in testdata/catch.txt", name)
		}
	}
}
