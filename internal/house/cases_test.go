// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The page lists every case of the security catalogue once and names the tests that cover it. The names
// are written by this test, so that the page cannot claim what the tree does not hold:
//
//	CASES=rewrite go test -count=1 -run TestSecurityCases ./internal/house
const casesPage = "docs/security-cases.md"

// catalogue says how many cases each letter has.
func catalogue() map[string]int {
	return map[string]int{
		"P": 9, "T": 13, "E": 8, "W": 10, "Q": 9, "F": 10, "S": 11, "A": 11, "Z": 10, "X": 9,
		"R": 6, "L": 5, "H": 8, "SSH": 5, "U": 8, "C": 2, "D": 3, "B": 3,
	}
}

const notYet = "not yet"

// caseRow is "| id | input | expected | tests or "not yet (what is missing)" — note |".
type caseRow struct {
	line  int
	id    string
	cells []string // as they stand, without the outer bars
}

func (r caseRow) tests() []string {
	var names []string
	claimed, _, _ := strings.Cut(r.cells[3], " — ")
	for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(claimed, -1) {
		names = append(names, match[1])
	}
	return names
}

func TestSecurityCases(t *testing.T) {
	tr := readTree(t)
	page := tr.texts[casesPage]
	held := casesInTree(tr)
	if os.Getenv("CASES") == "rewrite" {
		page = rewriteCases(page, held)
		if err := os.WriteFile(filepath.Join(root, casesPage), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, problem := range checkCases(page, held) {
		t.Errorf("%s:%s", casesPage, problem)
	}
	if t.Failed() {
		t.Log("do: name a test after the case it covers (TestF1…, t.Run(\"F1 …\")), then run\n" +
			"    CASES=rewrite go test -count=1 -run TestSecurityCases ./internal/house")
	}
}

func checkCases(page string, held map[string][]string) []string {
	var problems []string
	seen := map[string]bool{}
	for _, row := range caseRows(page) {
		report := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("%d: %s: %s", row.line, row.id, fmt.Sprintf(format, args...)))
		}
		if seen[row.id] {
			report("listed twice")
		}
		seen[row.id] = true
		claimed := row.tests()
		for _, name := range claimed {
			if !slices.Contains(held[row.id], name) {
				report("the page claims %s, which does not exist or does not name the case", name)
			}
		}
		waits := strings.HasPrefix(row.cells[3], notYet)
		switch {
		case waits && len(held[row.id]) > 0:
			report("the page says %q, but %s covers it", notYet, held[row.id][0])
		case !waits && len(claimed) == 0:
			report("neither a test nor %q", notYet)
		}
	}
	for letter, count := range catalogue() {
		for n := range count {
			if id := letter + strconv.Itoa(n+1); !seen[id] {
				problems = append(problems, " "+id+" is missing")
			}
		}
	}
	slices.Sort(problems)
	return problems
}

func caseRows(page string) []caseRow {
	var rows []caseRow
	for i, line := range strings.Split(page, "\n") {
		if row, ok := parseCase(line); ok {
			row.line = i + 1
			rows = append(rows, row)
		}
	}
	return rows
}

func parseCase(line string) (caseRow, bool) {
	body, ok := strings.CutPrefix(line, "| ")
	cells := strings.Split(strings.TrimSuffix(body, " |"), " | ")
	if !ok || len(cells) != 4 || !isCase(cells[0]) {
		return caseRow{}, false
	}
	return caseRow{id: cells[0], cells: cells}, true
}

func isCase(id string) bool {
	letters := strings.TrimRight(id, "0123456789")
	n, err := strconv.Atoi(id[len(letters):])
	return err == nil && n >= 1 && n <= catalogue()[letters] && letters+strconv.Itoa(n) == id
}

// rewriteCases fills the last column and keeps what stands after its dash.
func rewriteCases(page string, held map[string][]string) string {
	lines := strings.Split(page, "\n")
	for i, line := range lines {
		row, ok := parseCase(line)
		if !ok {
			continue
		}
		claimed, note, noted := strings.Cut(row.cells[3], " — ")
		if names := held[row.id]; len(names) > 0 {
			claimed = "`" + strings.Join(names, "`, `") + "`"
		} else if !strings.HasPrefix(claimed, notYet) {
			claimed = notYet
		}
		if noted {
			claimed += " — " + note
		}
		row.cells[3] = claimed
		lines[i] = "| " + strings.Join(row.cells, " | ") + " |"
	}
	return strings.Join(lines, "\n")
}

// casesInTree maps a case to the tests that name it, as "internal/trust.TestT1UnknownCertificate".
func casesInTree(tr *tree) map[string][]string {
	held := map[string][]string{}
	for _, file := range tr.gofs {
		if !file.test || file.dir == "internal/house" {
			continue
		}
		for _, declaration := range file.ast.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Recv != nil || !strings.HasPrefix(function.Name.Name, "Test") || function.Body == nil {
				continue
			}
			for _, id := range casesOf(function) {
				held[id] = append(held[id], file.dir+"."+function.Name.Name)
			}
		}
	}
	for _, names := range held {
		slices.Sort(names)
	}
	return held
}

var (
	namePattern    = regexp.MustCompile(`^Test((?:[A-Z]+[0-9]+)+)`)
	idPattern      = regexp.MustCompile(`[A-Z]+[0-9]+`)
	subtestPattern = regexp.MustCompile(`^([A-Z]+[0-9]+)(?: |$)`)
)

// casesOf lists the cases that a test names: in its own name, or at the start of a string in it.
func casesOf(test *ast.FuncDecl) []string {
	var ids []string
	if match := namePattern.FindStringSubmatch(test.Name.Name); match != nil {
		ids = idPattern.FindAllString(match[1], -1)
	}
	ast.Inspect(test.Body, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err := strconv.Unquote(literal.Value)
			if match := subtestPattern.FindStringSubmatch(text); err == nil && match != nil {
				ids = append(ids, match[1])
			}
		}
		return true
	})
	ids = slices.DeleteFunc(ids, func(id string) bool { return !isCase(id) })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// claim puts another word into the last cell of T2.
func claim(page, word string) string {
	return strings.Replace(page, "| T2 | in | out | not yet (sim) |", "| T2 | in | out | "+word+" |", 1)
}

func TestSecurityCasesCatch(t *testing.T) {
	var page strings.Builder
	for letter, count := range catalogue() {
		for n := range count {
			fmt.Fprintf(&page, "| %s%d | in | out | not yet (sim) |\n", letter, n+1)
		}
	}
	good := page.String()
	held := map[string][]string{"T1": {"internal/trust.TestT1"}}
	covered := rewriteCases(good, held)
	for name, row := range map[string]struct {
		page string
		held map[string][]string
		want string // "" when nothing is wrong
	}{
		"nothing covered":  {good, nil, ""},
		"covered":          {covered, held, ""},
		"page lags":        {good, held, "T1: the page says"},
		"test gone":        {covered, nil, "T1: the page claims internal/trust.TestT1"},
		"case missing":     {strings.Replace(good, "| W3 |", "| W33 |", 1), nil, "W3 is missing"},
		"case twice":       {strings.Replace(good, "| W3 |", "| W2 |", 1), nil, "W2: listed twice"},
		"nothing said":     {claim(good, "yes"), nil, "T2: neither"},
		"claim without id": {claim(covered, "`internal/trust.TestT1`"), held, "T2: the page claims"},
	} {
		problems := strings.Join(checkCases(row.page, row.held), "\n")
		if row.want == "" && problems != "" || !strings.Contains(problems, row.want) {
			t.Errorf("%s: %q, want %q", name, problems, row.want)
		}
	}
}
