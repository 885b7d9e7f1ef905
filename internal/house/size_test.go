// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"unicode/utf8"
)

const (
	maxFunctionLines = 70
	maxFileLines     = 600
	maxTestFileLines = 1000
	maxLineRunes     = 120
	maxTestLineRunes = 140 // a case of a table stays on one line
)

func functionSizeRule() rule {
	return rule{
		name: "function-size",
		why:  "a function that does not fit on a screen is not read, it is believed",
		do:   fmt.Sprintf("split it by what its parts decide; 30 lines are the aim, %d the end", maxFunctionLines),
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				if f.test {
					continue
				}
				for _, decl := range f.ast.Decls {
					d, ok := decl.(*ast.FuncDecl)
					if !ok {
						continue
					}
					if n := f.line(d.End()) - f.line(d.Pos()) + 1; n > maxFunctionLines {
						out = append(out, finding{f.path, f.line(d.Pos()), fmt.Sprintf("func %s has %d lines", d.Name.Name, n)})
					}
				}
			}
			return out
		},
	}
}

func fileSizeRule() rule {
	return rule{
		name: "file-size",
		why:  "a file that is a drawer cannot be held in mind, and every change conflicts in it",
		do:   fmt.Sprintf("split it by the noun a reader would search for; at most %d lines, tests %d", maxFileLines, maxTestFileLines),
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				limit := maxFileLines
				if f.test {
					limit = maxTestFileLines
				}
				if n := strings.Count(f.text, "\n"); n > limit {
					out = append(out, finding{f.path, 0, fmt.Sprintf("has %d lines", n)})
				}
			}
			return out
		},
	}
}

func lineRule() rule {
	return rule{
		name: "line-length",
		why:  "two files side by side fit on a screen",
		do:   fmt.Sprintf("break it: at most %d characters, in tests %d; a tab counts as one", maxLineRunes, maxTestLineRunes),
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				limit, number := maxLineRunes, 0
				if f.test {
					limit = maxTestLineRunes
				}
				for line := range strings.Lines(f.text) {
					number++
					if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > limit {
						out = append(out, finding{f.path, number, fmt.Sprintf("has %d characters", n)})
					}
				}
			}
			return out
		},
	}
}

func initRule() rule {
	return rule{
		name: "init",
		why:  "init runs before anyone asked for it, in an order nobody chose, and two systems in one process share what it did",
		do:   "do it in a constructor, or in the literal of a table",
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				for _, decl := range f.ast.Decls {
					if d, ok := decl.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
						out = append(out, finding{f.path, f.line(d.Pos()), "func init"})
					}
				}
			}
			return out
		},
	}
}

func variableRule() rule {
	return rule{
		name: "package-variables",
		why:  "the simulator runs many systems in one process; a variable of the package is shared by all of them",
		do: "make it a field, a constant or an argument. What stays: Err… values, tables written as literals, " +
			"compiled patterns and templates, embedded files, sync.Pool",
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				if f.test {
					continue
				}
				for _, decl := range f.ast.Decls {
					d, ok := decl.(*ast.GenDecl)
					if !ok || d.Tok != token.VAR {
						continue
					}
					for _, spec := range d.Specs {
						out = append(out, mutable(f, d, spec.(*ast.ValueSpec))...)
					}
				}
			}
			return out
		},
	}
}

func mutable(f *goFile, d *ast.GenDecl, s *ast.ValueSpec) []finding {
	var out []finding
	for i, name := range s.Names {
		lower := strings.ToLower(name.Name)
		switch {
		case name.Name == "_", strings.HasPrefix(lower, "err"):
		case f.main && name.Name == "version": // set by the linker
		case strings.Contains(commentOf(d, s), "go:embed"):
		case i < len(s.Values) && isTable(s.Values[i]):
		default:
			out = append(out, finding{f.path, f.line(name.Pos()), "var " + name.Name})
		}
	}
	return out
}

func commentOf(d *ast.GenDecl, s *ast.ValueSpec) string {
	var b strings.Builder
	for _, group := range []*ast.CommentGroup{d.Doc, s.Doc} {
		if group != nil {
			for _, c := range group.List {
				b.WriteString(c.Text)
			}
		}
	}
	return b.String()
}

// constants are the functions whose results are made once and only read.
var constants = map[string]bool{
	"regexp.MustCompile": true, "template.Must": true, "errors.New": true, "netip.MustParsePrefix": true,
	"netip.MustParseAddr": true, "strings.NewReplacer": true, "sha256.Sum256": true, "crc32.MakeTable": true,
}

// isTable reports whether e is a value that nobody writes to: a literal (of no type that is made to be written to),
// a conversion of one, a closure, or the result of one of constants.
func isTable(e ast.Expr) bool {
	switch v := e.(type) {
	case *ast.CompositeLit:
		sel, ok := v.Type.(*ast.SelectorExpr)
		return !ok || !isName(sel.X, "sync") && !isName(sel.X, "atomic") || sel.Sel.Name == "Pool"
	case *ast.FuncLit:
		return true
	case *ast.UnaryExpr:
		return isTable(v.X)
	case *ast.CallExpr:
		if sel, ok := v.Fun.(*ast.SelectorExpr); ok {
			pkg, _ := sel.X.(*ast.Ident)
			return pkg != nil && (constants[pkg.Name+"."+sel.Sel.Name] || sel.Sel.Name == "Errorf")
		}
		_, bytes := v.Fun.(*ast.ArrayType) // []byte("…")
		return bytes
	}
	return false
}
