// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"strings"

	"fairlead/internal/errkind"
)

// checkTarget accepts the target of a symbolic link at path when it cannot leave the tree: it is
// relative, steps up only at its very beginning and by no more folders than there are, and goes
// down by checked names. Parents of entries are real folders (see index), so the steps up are
// exact; the way down may cross other links, which keep to the same rule. The target need not
// exist. Errors: Invalid.
func checkTarget(path, target string) error {
	down, ups := target, 0
	for down == ".." || strings.HasPrefix(down, "../") {
		down = strings.TrimPrefix(down[2:], "/")
		ups++
	}
	if ups > strings.Count(path, "/") {
		return errkind.Invalid.Errorf("link %.200q points outside the package: %.200q", path, target)
	}
	if ups > 0 && down == "" || down == "." {
		return nil
	}
	down = strings.TrimPrefix(strings.TrimSuffix(down, "/"), "./")
	if why := pathFault(down); why != "" {
		return errkind.Invalid.Errorf("link %.200q has the target %.200q, which %s", path, target, why)
	}
	return nil
}
