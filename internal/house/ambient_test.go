// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"go/ast"
	"regexp"
	"strconv"
	"strings"
)

// ambient maps a package to the names that reach past the seam, and what to use instead. "*" is every name.
var ambient = map[string]map[string]string{
	"context": {"Background": "the caller's ctx, or context.WithoutCancel(ctx)", "TO" + "DO": "the caller's ctx"},
	"fmt":     {"Print": "the writer you were given", "Printf": "the writer you were given", "Println": "the writer you were given"},
	"log":     {"*": "env.Log (log/slog)"},
	"log/slog": {
		"Default": "env.Log", "SetDefault": "env.Log", "Debug": "env.Log", "Info": "env.Log", "Warn": "env.Log",
		"Error": "env.Log", "Log": "env.Log",
	},
	"math/rand": {"*": "env.Rand(purpose) of math/rand/v2"},
	"math/rand/v2": {
		"Int": "env.Rand(purpose)", "IntN": "env.Rand(purpose)", "Int64": "env.Rand(purpose)", "Int64N": "env.Rand(purpose)",
		"Uint32": "env.Rand(purpose)", "Uint64": "env.Rand(purpose)", "N": "env.Rand(purpose)", "Float64": "env.Rand(purpose)",
		"Perm": "env.Rand(purpose)", "Shuffle": "env.Rand(purpose)",
	},
	"net": {
		"Dial": "env.Net", "DialTimeout": "env.Net", "DialTCP": "env.Net", "DialUDP": "env.Net", "DialUnix": "env.Net or env.Bells",
		"Dialer": "env.Net", "Listen": "env.Net", "ListenTCP": "env.Net", "ListenUDP": "env.Net", "ListenPacket": "env.Net",
		"ListenUnix": "env.Net", "ListenUnixgram": "env.Bells", "ListenConfig": "env.Net", "LookupHost": "env.Net",
		"LookupIP": "env.Net", "LookupAddr": "env.Net", "DefaultResolver": "env.Net", "Interfaces": "env.Facts",
	},
	"net/http": {
		"DefaultClient": "an http.Client over env.Net", "DefaultTransport": "a Transport over env.Net", "Get": "a client over env.Net",
		"Post": "a client over env.Net", "Head": "a client over env.Net", "ListenAndServe": "http.Server.Serve on env.Net.Listen",
		"Handle": "a ServeMux of your own", "HandleFunc": "a ServeMux of your own", "DefaultServeMux": "a ServeMux of your own",
	},
	"os": {
		"Getenv": "a setting, or IO.Env", "LookupEnv": "a setting, or IO.Env", "Environ": "a setting", "Setenv": "a setting",
		"Exit": "a returned error or code", "Stdin": "IO.In", "Stdout": "IO.Out", "Stderr": "IO.Err", "Args": "the arguments you were given",
		"Hostname": "env.Facts", "StartProcess": "env.Exec", "FindProcess": "env.Exec", "Executable": "env.Exec.Self",
		"Chdir": "full paths",
	},
	"os/exec":   {"*": "env.Exec"},
	"os/signal": {"*": "the ctx that main ends"},
	"syscall":   {"Fsync": "env.Disk", "Fdatasync": "env.Disk", "Sync": "env.Disk.SyncAll"},
	"time": {
		"Sleep": "a timer and ctx.Done() in one select", "Local": "time.UTC; people's time zones belong to the browser",
		"Tick": "time.NewTicker, stopped",
	},
}

// durations are the methods of a time.Time and the functions that make durations and deadlines of it. A time.Now used
// in these only is the monotonic clock.
var durations = map[string]bool{
	"Add": true, "Sub": true, "After": true, "Before": true, "Compare": true, "Equal": true, "IsZero": true,
	"Since": true, "Until": true, "Step": true, "step": true, "SetDeadline": true, "SetReadDeadline": true, "SetWriteDeadline": true,
}

// ambientHomes may touch everything: the implementation of the seam, and what is no part of the product.
var ambientHomes = []string{
	"internal/host", "internal/demo", "internal/bench", "internal/torture", "internal/headless", "internal/house", "netem/netns", "sim",
}

func ambientRule() rule {
	return rule{
		name: "ambient",
		why: "whatever reaches the machine past host.Env cannot be put into the simulator or replayed; time.Now is the wall " +
			"clock unless it only makes durations and deadlines",
		do: "take what you need from host.Env or from an argument: the finding names it. A shell that hands the monotonic " +
			"clock to a pure machine is an exception with a reason",
		check: func(tr *tree) []finding {
			var out []finding
			mates := map[string][]*goFile{}
			for _, f := range tr.gofs {
				if !f.test {
					mates[f.dir] = append(mates[f.dir], f)
				}
			}
			for _, f := range tr.gofs {
				if f.test || f.main || isHome(f.dir) {
					continue
				}
				out = append(out, ambientUses(f)...)
				out = append(out, syncUses(f)...)
				out = append(out, wallClockUses(f, mates[f.dir])...)
			}
			return out
		},
	}
}

func isHome(dir string) bool {
	for _, home := range ambientHomes {
		if under(dir, home) {
			return true
		}
	}
	return false
}

func ambientUses(f *goFile) []finding {
	var out []finding
	imports := f.imports()
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		names := ambient[imports[pkg.Name]]
		instead, banned := names[sel.Sel.Name]
		if all, every := names["*"]; every && !banned {
			instead, banned = all, true
		}
		if banned {
			out = append(out, finding{f.path, f.line(sel.Pos()), fmt.Sprintf("%s.%s: use %s", pkg.Name, sel.Sel.Name, instead)})
		}
		return true
	})
	return out
}

// syncUses finds each file that is made durable past the simulated disk, which would then lose it.
func syncUses(f *goFile) []finding {
	var out []finding
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) > 0 {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sync" {
			out = append(out, finding{f.path, f.line(sel.Pos()), "Sync(): use env.Disk.Sync, or a method of another name"})
		}
		return true
	})
	return out
}

// wallClockUses finds each time.Now whose value may be used for more than durations. A field that holds one is
// followed through its package by name.
func wallClockUses(f *goFile, mates []*goFile) []finding {
	if f.imports()["time"] != "time" {
		return nil
	}
	var out []finding
	for _, decl := range f.ast.Decls {
		parents := parentsOf(decl)
		ast.Inspect(decl, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !isName(sel.X, "time") || sel.Sel.Name != "Now" {
				return true
			}
			call, called := parents[sel].(*ast.CallExpr)
			if method, shown := parents[call].(*ast.SelectorExpr); called && shown && !durations[method.Sel.Name] {
				what := "the wall clock by time.Now()." + method.Sel.Name + ": use env.Wall"
				out = append(out, finding{f.path, f.line(sel.Pos()), what})
				return true
			}
			if !called || call.Fun != sel || !onlyDuration(decl, call, parents, mates) {
				what := "time.Now: use env.Wall for display and dates; keep it to Since, Until, Sub, Add and deadlines otherwise"
				out = append(out, finding{f.path, f.line(sel.Pos()), what})
			}
			return true
		})
	}
	return out
}

func onlyDuration(decl ast.Decl, e ast.Expr, parents map[ast.Node]ast.Node, mates []*goFile) bool {
	switch p := parents[e].(type) {
	case *ast.AssignStmt:
		if len(p.Lhs) != 1 {
			return false
		}
		switch to := p.Lhs[0].(type) {
		case *ast.Ident:
			return nameOnlyDuration(decl, to, parents)
		case *ast.SelectorExpr:
			return fieldOnlyDuration(to.Sel.Name, mates)
		}
		return false
	case *ast.KeyValueExpr:
		key, ok := p.Key.(*ast.Ident)
		return ok && fieldOnlyDuration(key.Name, mates)
	}
	return inDuration(e, parents)
}

func nameOnlyDuration(decl ast.Decl, name *ast.Ident, parents map[ast.Node]ast.Node) bool {
	fine := true
	ast.Inspect(decl, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || id.Name != name.Name || id == name {
			return true
		}
		if a, assigned := parents[id].(*ast.AssignStmt); assigned && contains(a.Lhs, id) {
			return true
		}
		if sel, isField := parents[id].(*ast.SelectorExpr); isField && sel.Sel == id {
			return true
		}
		if pair, isPair := parents[id].(*ast.KeyValueExpr); isPair && pair.Key == id {
			return true
		}
		fine = fine && inDuration(id, parents)
		return true
	})
	return fine
}

func fieldOnlyDuration(name string, mates []*goFile) bool {
	fine := true
	for _, f := range mates {
		for _, decl := range f.ast.Decls {
			parents := parentsOf(decl)
			ast.Inspect(decl, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok || sel.Sel.Name != name {
					return true
				}
				if a, assigned := parents[sel].(*ast.AssignStmt); assigned && contains(a.Lhs, sel) {
					return true
				}
				fine = fine && inDuration(sel, parents)
				return true
			})
		}
	}
	return fine
}

// inDuration reports whether e is used as x in x.Sub(…), or as an argument of such a method or function.
func inDuration(e ast.Expr, parents map[ast.Node]ast.Node) bool {
	switch p := parents[e].(type) {
	case *ast.SelectorExpr:
		return durations[p.Sel.Name]
	case *ast.CallExpr:
		sel, ok := p.Fun.(*ast.SelectorExpr)
		return ok && durations[sel.Sel.Name]
	}
	return false
}

func contains(list []ast.Expr, e ast.Expr) bool {
	for _, x := range list {
		if x == e {
			return true
		}
	}
	return false
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func parentsOf(top ast.Node) map[ast.Node]ast.Node {
	parents := map[ast.Node]ast.Node{}
	var stack []ast.Node
	ast.Inspect(top, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return false
		}
		if len(stack) > 0 {
			parents[n] = stack[len(stack)-1]
		}
		stack = append(stack, n)
		return true
	})
	return parents
}

func sleepRule() rule {
	return rule{
		name: "sleeps",
		why:  "a test that sleeps is slow when the machine is fast and fails when it is slow",
		do:   "wait for the condition itself, or run in a bubble of testing/synctest, where time is virtual",
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				if !f.test || f.imports()["time"] != "time" || f.imports()["synctest"] == "testing/synctest" {
					continue // in a bubble a sleep takes no time and wakes when all others wait
				}
				ast.Inspect(f.ast, func(n ast.Node) bool {
					sel, ok := n.(*ast.SelectorExpr)
					if ok && isName(sel.X, "time") && sel.Sel.Name == "Sleep" {
						out = append(out, finding{f.path, f.line(sel.Pos()), "time.Sleep in a test"})
					}
					return true
				})
			}
			return out
		},
	}
}

var vagueWords = regexp.MustCompile(`(?i)\b(failed to|unable to|error while)\b`)

func wordingRule() rule {
	return rule{
		name: "error-words",
		why:  "the chain already says that it failed; people need what was tried, with what value, and why not",
		do:   "write \"open %q: %w\" instead of \"failed to open\"; lower case, no full stop; the next step goes into errkind.Hinted",
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				if f.test {
					continue
				}
				ast.Inspect(f.ast, func(n ast.Node) bool {
					if text, ok := errorText(n); ok {
						if what := badWording(text); what != "" {
							out = append(out, finding{f.path, f.line(n.Pos()), fmt.Sprintf("%q %s", text, what)})
						}
					}
					return true
				})
			}
			return out
		},
	}
}

// errorText is the first argument of Errorf or errors.New.
func errorText(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Errorf" && !(sel.Sel.Name == "New" && isName(sel.X, "errors")) {
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

func badWording(text string) string {
	switch {
	case vagueWords.MatchString(text):
		return "says that it failed instead of what was tried"
	case strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "..."):
		return "ends in a full stop"
	}
	return ""
}
