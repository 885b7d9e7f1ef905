// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package variables

import (
	_ "embed"
	"strings"
)

// functions are the same for each order.
//
//go:embed functions.sh
var functions string

// exportPrefix marks what reaches the script in its environment.
const exportPrefix = "env:"

// shellName is the name under which a script finds a variable as one of its shell's, or "" when it
// does not: each byte that no such name has becomes "_". Names without a small letter belong to the
// shell and to the environment.
func shellName(name string) string {
	if strings.HasPrefix(name, exportPrefix) || name == "" || !isLetter(name[0]) {
		return ""
	}
	plain := []byte(name)
	hasSmall := false
	for i, c := range plain {
		hasSmall = hasSmall || c >= 'a' && c <= 'z'
		if !isLetter(c) && (c < '0' || c > '9') {
			plain[i] = '_'
		}
	}
	if !hasSmall {
		return ""
	}
	switch text := string(plain); text {
	case "auto_resume", "histchars": // bash obeys them
		return ""
	default:
		return text
	}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// shellVariables lists the assignments of an order; of names that become one, the first in byte order
// counts. What is exported under a name keeps it.
func shellVariables(names []string, vars map[string]string) []string {
	taken := make(map[string]bool, len(names))
	for _, name := range names {
		if exported, ok := strings.CutPrefix(name, exportPrefix); ok {
			taken[exported] = true
		}
	}
	var lines []string
	for _, name := range names {
		if plain := shellName(name); plain != "" && !taken[plain] {
			taken[plain] = true
			lines = append(lines, plain+"="+quote(vars[name])+"\n")
		}
	}
	return lines
}
