// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

const root = "../.."

// A tree is the repository, or a few made-up files of it. Paths are relative to its root, with slashes.
type tree struct {
	fset  *token.FileSet
	gofs  []*goFile         // sorted by path
	texts map[string]string // Markdown, shell, Makefile, go.mod
	files map[string]bool   // every file and folder
	top   []string          // entries of the root
}

type goFile struct {
	path string // "internal/link/frame.go"
	dir  string // "internal/link"
	test bool
	main bool // package main
	text string
	ast  *ast.File
	fset *token.FileSet
}

func (f *goFile) line(p token.Pos) int { return f.fset.Position(p).Line }

func newTree() *tree {
	return &tree{fset: token.NewFileSet(), texts: map[string]string{}, files: map[string]bool{}}
}

// readTree reads the repository as it lies on disk, committed or not.
func readTree(t *testing.T) *tree {
	t.Helper()
	tr := newTree()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil || rel == "." {
			return err
		}
		rel = filepath.ToSlash(rel)
		if !strings.Contains(rel, "/") {
			tr.top = append(tr.top, rel)
		}
		tr.files[rel] = true
		if d.IsDir() {
			if rel == ".git" || rel == "bin" || rel == "dist" {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
				return fs.SkipDir // a module of its own, which no program of ours is built from
			}
			return nil
		}
		if !tr.wants(rel) {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return tr.add(rel, string(text))
	})
	if err != nil {
		t.Fatalf("read the tree: %v", err)
	}
	sort.Slice(tr.gofs, func(i, j int) bool { return tr.gofs[i].path < tr.gofs[j].path })
	return tr
}

func (tr *tree) wants(rel string) bool {
	if strings.Contains(rel, "/testdata/") && !strings.HasSuffix(rel, ".md") {
		return false
	}
	switch path.Ext(rel) {
	case ".go", ".md", ".sh", ".mod":
		return true
	}
	return rel == "Makefile" || strings.HasPrefix(rel, ".ci/")
}

// add takes one file in. A Go file that does not parse is an error.
func (tr *tree) add(rel, text string) error {
	tr.files[rel] = true
	if path.Ext(rel) != ".go" {
		tr.texts[rel] = text
		return nil
	}
	parsed, err := parser.ParseFile(tr.fset, rel, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	tr.gofs = append(tr.gofs, &goFile{
		path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"),
		main: parsed.Name.Name == "main", text: text, ast: parsed, fset: tr.fset,
	})
	return nil
}

// imports maps the name under which a file knows each package to its path.
func (f *goFile) imports() map[string]string {
	names := map[string]string{}
	for _, spec := range f.ast.Imports {
		full := strings.Trim(spec.Path.Value, "\"`")
		name := path.Base(full)
		if name == "v2" || name == "v5" {
			name = path.Base(path.Dir(full))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = full
	}
	return names
}

// under reports whether the path p is prefix or lies below it.
func under(p, prefix string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }
