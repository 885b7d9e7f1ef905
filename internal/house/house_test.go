// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"sort"
	"strings"
	"testing"
)

// A finding is one place where a rule is broken.
type finding struct {
	path string
	line int // 0 when the whole file is meant
	what string
}

// A rule is checked on the whole tree.
type rule struct {
	name  string
	why   string
	do    string
	check func(*tree) []finding
}

func rules() []rule {
	return []rule{
		importRule(), moduleUseRule(), testMeetRule(),
		ambientRule(), wordingRule(), sleepRule(), goroutineRule(),
		packageDocRule(), exportedDocRule(), licenceRule(), titleRule(), linkRule(),
		functionSizeRule(), fileSizeRule(), lineRule(), initRule(), variableRule(),
		nameRule(), layoutRule(), moduleTableRule(), markRule(),
	}
}

func TestHouse(t *testing.T) {
	tr := readTree(t)
	used := make([]bool, len(exceptions))
	all := rules()
	ran := 0
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			ran++
			findings := r.check(tr)
			sort.Slice(findings, func(i, j int) bool {
				a, b := findings[i], findings[j]
				return a.path < b.path || a.path == b.path && a.line < b.line
			})
			var left []string
			for _, f := range findings {
				if !excepted(r.name, f, used) {
					left = append(left, f.String())
				}
			}
			if len(left) > 0 {
				t.Errorf("%s: %d findings\n  %s\n\nwhy: %s\ndo:  %s", r.name, len(left), strings.Join(left, "\n  "), r.why, r.do)
			}
		})
	}
	if ran < len(all) {
		return // with -run of one rule, the others' exceptions look unused
	}
	for i, e := range exceptions {
		if !used[i] && tr.files[strings.TrimSuffix(e.path, "/")] {
			t.Errorf("exception %s for %s (%q) excepts nothing: remove it from exceptions_test.go", e.rule, e.path, e.what)
		}
	}
}

func (f finding) String() string {
	if f.line == 0 {
		return f.path + ": " + f.what
	}
	return fmt.Sprintf("%s:%d: %s", f.path, f.line, f.what)
}

func excepted(rule string, f finding, used []bool) bool {
	found := false
	for i, e := range exceptions {
		inPath := f.path == e.path || strings.HasSuffix(e.path, "/") && strings.HasPrefix(f.path, e.path)
		if e.rule == rule && inPath && strings.Contains(f.what, e.what) {
			used[i], found = true, true
		}
	}
	return found
}
