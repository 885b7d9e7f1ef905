// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

const dependencyPage = "docs/dependencies.md"

// A moduleRow is a row of the table in docs/dependencies.md: | module | version | for | licence | adds | importers |.
type moduleRow struct {
	module, version string
	importers       []string // folders in backticks in the last column
	tests           bool     // the last column says "tests"
	agent           bool     // the last column says "agent"
	line            int
}

var quoted = regexp.MustCompile("`([^`]+)`")

func moduleRows(tr *tree) []moduleRow {
	var rows []moduleRow
	for i, line := range strings.Split(tr.texts[dependencyPage], "\n") {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		if len(cells) != 6 || !strings.Contains(cells[0], ".") {
			continue
		}
		last := cells[5]
		row := moduleRow{
			module: strings.Trim(cells[0], " `"), version: strings.TrimSpace(cells[1]), line: i + 1,
			tests: strings.Contains(last, "tests"), agent: strings.Contains(last, "agent"),
		}
		for _, m := range quoted.FindAllStringSubmatch(last, -1) {
			row.importers = append(row.importers, m[1])
		}
		rows = append(rows, row)
	}
	return rows
}

var directModule = regexp.MustCompile(`(?m)^(?:require)?\s+([a-z0-9.]+\.[a-z]+/\S+|[a-z.]+\.[a-z]+\S*) (v\S+)( // indirect)?$`)

// moduleTableRule compares go.mod with the page.
func moduleTableRule() rule {
	return rule{
		name: "modules",
		why:  "each foreign module is code we answer for: someone said what for, under which licence, at what price",
		do:   "write its row in docs/dependencies.md (module, version, for, licence, adds, who may import), or remove it",
		check: func(tr *tree) []finding {
			var out []finding
			wanted := map[string]string{}
			for _, m := range directModule.FindAllStringSubmatch(tr.texts["go.mod"], -1) {
				if m[3] == "" {
					wanted[m[1]] = m[2]
				}
			}
			if strings.Contains(tr.texts["go.mod"], "replace ") {
				out = append(out, finding{"go.mod", 0, "has a replace line, which builds differ by"})
			}
			for _, row := range moduleRows(tr) {
				switch version, ok := wanted[row.module]; {
				case !ok:
					out = append(out, finding{dependencyPage, row.line, row.module + " is not a direct module of go.mod"})
				case version != row.version:
					what := fmt.Sprintf("%s is %s here and %s in go.mod", row.module, row.version, version)
					out = append(out, finding{dependencyPage, row.line, what})
				}
				delete(wanted, row.module)
			}
			missing := make([]string, 0, len(wanted))
			for m := range wanted {
				missing = append(missing, m)
			}
			sort.Strings(missing)
			for _, m := range missing {
				out = append(out, finding{dependencyPage, 0, m + " of go.mod has no row"})
			}
			return out
		},
	}
}

// moduleUseRule checks who imports a foreign module.
func moduleUseRule() rule {
	return rule{
		name: "module-users",
		why:  "a foreign module that stays in one folder can be replaced; SQL drivers and SSH have one home each",
		do:   "import the package of ours that wraps it, or name the folder in its row of docs/dependencies.md",
		check: func(tr *tree) []finding {
			var out []finding
			rows := moduleRows(tr)
			for _, f := range tr.gofs {
				for _, spec := range f.ast.Imports {
					target := strings.Trim(spec.Path.Value, "\"")
					first, _, _ := strings.Cut(target, "/")
					if !strings.Contains(first, ".") || mayUse(rows, f, target) {
						continue
					}
					out = append(out, finding{f.path, f.line(spec.Pos()), fmt.Sprintf("%s may not import %s", f.dir, target)})
				}
			}
			return out
		},
	}
}

func mayUse(rows []moduleRow, f *goFile, target string) bool {
	for _, row := range rows {
		if !under(target, row.module) {
			continue
		}
		if row.tests && (f.test || strings.HasSuffix(f.dir, "test")) {
			return true
		}
		for _, folder := range row.importers {
			if under(f.dir, folder) {
				return true
			}
		}
	}
	return false
}
