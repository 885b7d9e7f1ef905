// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"path"
	"strings"

	"fairlead/internal/errkind"
)

// checkGlobs refuses patterns that cannot be read.
func checkGlobs(globs []string) error {
	for _, glob := range globs {
		if glob == "" || glob[0] == '/' || len(glob) > 1024 {
			return errkind.Invalid.Errorf("pattern %.200q: want a path relative to the package, of 1 to 1,024 bytes", glob)
		}
		for part := range strings.SplitSeq(glob, "/") {
			if _, err := path.Match(part, ""); err != nil || part == ".." || part == "" {
				return errkind.Invalid.Errorf("pattern %.200q: %.80q is no pattern for a name", glob, part)
			}
		}
	}
	return nil
}

// matchGlob reports whether a path fits a checked pattern. "*", "?" and "[…]" stay inside one
// name, as in path.Match; "**" stands for any number of folders.
func matchGlob(glob, name string) bool {
	globs, names := strings.Split(strings.TrimPrefix(glob, "./"), "/"), strings.Split(name, "/")
	// fits[j]: the patterns so far match the first j names.
	fits := make([]bool, len(names)+1)
	fits[0] = true
	for _, g := range globs {
		next := make([]bool, len(names)+1)
		for j := range next {
			if g == "**" {
				next[j] = fits[j] || j > 0 && next[j-1]
			} else if j > 0 && fits[j-1] {
				next[j], _ = path.Match(g, names[j-1])
			}
		}
		fits = next
	}
	return fits[len(names)]
}
