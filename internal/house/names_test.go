// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package house

import (
	"path"
	"strings"
)

// drawers are names that say nothing about what is inside.
var drawers = map[string]bool{
	"util": true, "utils": true, "common": true, "helper": true, "helpers": true, "types": true, "misc": true,
	"manager": true, "base": true, "shared": true, "lib": true, "stuff": true, "mock": true, "mocks": true,
}

func nameRule() rule {
	return rule{
		name: "names",
		why:  "a file is found by the noun a reader would search for; a drawer collects what nobody wanted to name",
		do:   "name it after what it holds; five lines that two packages need are written twice",
		check: func(tr *tree) []finding {
			var out []finding
			dirs := map[string]bool{}
			for _, f := range tr.gofs {
				base := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".go"), "_test")
				if drawers[base] || strings.HasSuffix(base, "_helpers") || strings.HasSuffix(base, "_utils") {
					out = append(out, finding{f.path, 0, "the file is named as a drawer"})
				}
				if drawers[path.Base(f.dir)] && !dirs[f.dir] {
					dirs[f.dir] = true
					out = append(out, finding{f.dir, 0, "the folder is named as a drawer"})
				}
			}
			return out
		},
	}
}
