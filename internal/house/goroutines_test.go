// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import "go/ast"

func goroutineRule() rule {
	return rule{
		name: "goroutines",
		why:  "a goroutine that nobody waits for leaks, writes after close and makes runs differ",
		do:   "use (*sync.WaitGroup).Go and wait where it was started",
		check: func(tr *tree) []finding {
			var out []finding
			for _, f := range tr.gofs {
				if f.test {
					continue
				}
				ast.Inspect(f.ast, func(n ast.Node) bool {
					if s, ok := n.(*ast.GoStmt); ok {
						out = append(out, finding{f.path, f.line(s.Pos()), "a bare go statement"})
					}
					return true
				})
			}
			return out
		},
	}
}
