// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import "strings"

const topLevel = "agent server sim netem fixtures internal docs go.mod go.sum Makefile README.md LICENSE CHANGELOG.md .ci" +
	" .git .gitignore .gitattributes bin dist"

func layoutRule() rule {
	return rule{
		name: "layout",
		why:  "the top level is the table of contents: a reader sees the whole product in one look",
		do:   "put it below one of: " + topLevel,
		check: func(tr *tree) []finding {
			allowed := map[string]bool{}
			for _, name := range strings.Fields(topLevel) {
				allowed[name] = true
			}
			var out []finding
			for _, name := range tr.top {
				if !allowed[name] {
					out = append(out, finding{name, 0, "does not belong on the top level"})
				}
			}
			return out
		},
	}
}
