// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"fairlead/internal/errkind"
)

const (
	// MaxPathBytes is the longest path of a file.
	MaxPathBytes = 1024
	// MaxNameBytes is the longest component of a path; no Linux file system takes more.
	MaxNameBytes = 255
	// MaxPathDepth is the largest number of components.
	MaxPathDepth = 128
)

// CheckPath reports whether path may name a file below some folder: relative, slashes between
// components, no empty, "." or ".." component, none that ends in a dot, no backslash, drive
// letter or control character, valid UTF-8, and the lengths above. It is stricter than
// filepath.IsLocal, which accepts NUL, backslashes and drive letters on Linux. Errors: Invalid.
func CheckPath(path string) error {
	if why := pathFault(path); why != "" {
		return errkind.Invalid.Errorf("path %.200q %s", path, why)
	}
	return nil
}

func pathFault(path string) string {
	switch {
	case path == "":
		return "is empty"
	case len(path) > MaxPathBytes:
		return "is longer than 1,024 bytes"
	case !utf8.ValidString(path):
		return "is not UTF-8"
	case path[0] == '/':
		return "is absolute"
	case strings.IndexByte(path, '\\') >= 0:
		return "holds a backslash"
	case strings.IndexFunc(path, unicode.IsControl) >= 0:
		return "holds a control character"
	case len(path) > 1 && path[1] == ':' && unicode.IsLetter(rune(path[0])):
		return "begins with a drive letter"
	case strings.Count(path, "/") >= MaxPathDepth:
		return "has more than 128 components"
	}
	for name := range strings.SplitSeq(path, "/") {
		switch {
		case name == "":
			return "has an empty component"
		case name == ".." || name == ".":
			return "has a component of dots only"
		case len(name) > MaxNameBytes:
			return "has a component longer than 255 bytes"
		case name[len(name)-1] == '.':
			return "has a component that ends in a dot"
		}
	}
	return ""
}
