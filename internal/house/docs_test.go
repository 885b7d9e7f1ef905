// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"sort"
	"strings"
)

const licenceLine = "// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0\n"

func licenceRule() rule {
	return rule{
		name: "licence",
		why:  "each file says by itself whose it is and under what terms it may be used",
		do:   "make this the first line, followed by an empty one: " + strings.TrimSpace(licenceLine),
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				if !strings.HasPrefix(f.text, licenceLine+"\n") && !strings.HasPrefix(f.text, licenceLine+"//go:build") {
					out = append(out, finding{f.path, 1, "the licence line is missing"})
				}
			}
			return out
		},
	}
}

func packageDocRule() rule {
	return rule{
		name: "package-comments",
		why:  "a reader decides by the package comment whether to read on",
		do: "write one comment before one package clause (doc.go or the main file): \"Package x …\" or \"Command x …\", " +
			"what it does not do, numbered invariants, concurrency, map of files",
		check: func(tr *tree) []finding {
			comments := map[string][]string{}
			dirs := map[string]*goFile{}
			for _, f := range tr.gofs {
				if f.test {
					continue
				}
				dirs[f.dir] = f
				if f.ast.Doc != nil {
					comments[f.dir] = append(comments[f.dir], f.ast.Doc.Text())
				}
			}
			var out []finding
			for dir, f := range dirs {
				begin := "Package " + f.ast.Name.Name + " "
				if f.main {
					begin = "Command "
				}
				switch all := comments[dir]; {
				case len(all) != 1:
					out = append(out, finding{dir, 0, fmt.Sprintf("has %d package comments, want 1", len(all))})
				case !strings.HasPrefix(all[0], begin):
					out = append(out, finding{dir, 0, fmt.Sprintf("its package comment does not begin with %q", begin)})
				}
			}
			return out
		},
	}
}

func exportedDocRule() rule {
	return rule{
		name: "exported-comments",
		why:  "an exported name is a promise: shapes, units, ranges, error kinds and what ends a wait stand in its comment",
		do:   "write the comment, or unexport the name",
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				if f.test || f.main {
					continue
				}
				for _, decl := range f.ast.Decls {
					out = append(out, undocumented(f, decl)...)
				}
			}
			return out
		},
	}
}

func undocumented(f *goFile, decl ast.Decl) []finding {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil && !wellKnown[d.Name.Name] {
			return []finding{{f.path, f.line(d.Pos()), "func " + d.Name.Name + " has no comment"}}
		}
	case *ast.GenDecl:
		var out []finding
		for _, spec := range d.Specs {
			if name := undocumentedSpec(d, spec); name != "" {
				out = append(out, finding{f.path, f.line(spec.Pos()), d.Tok.String() + " " + name + " has no comment"})
			}
		}
		return out
	}
	return nil
}

// wellKnown methods say what they do by implementing an interface of the standard library.
var wellKnown = map[string]bool{
	"Error": true, "Unwrap": true, "String": true, "Len": true, "Less": true, "Swap": true, "Push": true, "Pop": true,
	"MarshalText": true, "UnmarshalText": true, "MarshalJSON": true, "UnmarshalJSON": true, "LogValue": true,
	"Read": true, "Write": true, "Close": true, "ServeHTTP": true, "Scan": true, "Value": true,
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	exported := true
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			exported = id.IsExported()
			return false
		}
		return true
	})
	return exported
}

func undocumentedSpec(d *ast.GenDecl, spec ast.Spec) string {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
			return s.Name.Name
		}
	case *ast.ValueSpec:
		if d.Doc != nil || s.Doc != nil || s.Comment != nil || d.Tok == token.IMPORT {
			return ""
		}
		for _, name := range s.Names {
			if name.IsExported() {
				return name.Name
			}
		}
	}
	return ""
}

// prose yields the lines of a Markdown text that stand outside fenced code; line numbers begin with 1.
func prose(text string, yield func(number int, line string)) {
	fenced := false
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if !fenced {
			yield(number, line)
		}
	}
}

func pages(tr *tree) []string {
	var out []string
	for p := range tr.texts {
		if path.Ext(p) == ".md" {
			out = append(out, p)
		}
	}
	sort.Strings(out)
	return out
}

func titleRule() rule {
	return rule{
		name: "titles",
		why:  "a page answers one question, and its title says which",
		do:   "give it exactly one line that begins with \"# \"; split it or use ## for the rest",
		check: func(tr *tree) []finding {
			var out []finding
			for _, page := range pages(tr) {
				titles := 0
				prose(tr.texts[page], func(_ int, line string) {
					if strings.HasPrefix(line, "# ") {
						titles++
					}
				})
				if titles != 1 {
					out = append(out, finding{page, 0, fmt.Sprintf("has %d titles, want 1", titles)})
				}
			}
			return out
		},
	}
}

var (
	mdLink   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inlineMD = regexp.MustCompile("`[^`]*`")
)

func linkRule() rule {
	return rule{
		name: "links",
		why:  "a dead link tells the reader that nobody reads the page",
		do:   "point it at a file that exists, relative to the page",
		check: func(tr *tree) []finding {
			var out []finding
			for _, page := range pages(tr) {
				prose(tr.texts[page], func(number int, line string) {
					for _, m := range mdLink.FindAllStringSubmatch(inlineMD.ReplaceAllString(line, ""), -1) {
						target, _, _ := strings.Cut(m[1], "#")
						if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
							continue
						}
						if file := path.Join(path.Dir(page), target); !tr.files[file] {
							out = append(out, finding{page, number, "links to " + m[1] + ", which does not exist"})
						}
					}
				})
			}
			return out
		},
	}
}
