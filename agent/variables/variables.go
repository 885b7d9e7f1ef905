// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package variables hands an order's variables to the scripts that run for it.
//
// It writes one file of shell, the preamble, that defines get_octopusvariable and the functions that
// write service messages (functions.sh); package script loads it before an order's script and package
// step before each hook of a package. Shown expands values beforehand; then each reaches the script byte for byte.
//
//  1. No variable is ever part of an argument or of the environment: the preamble has mode 0600.
//  2. The file is made exclusively; a link or FIFO that lies under its name is replaced, never followed.
//  3. get_octopusvariable finds names whatever their case; of names that differ only in case each is
//     found exactly, and the first in byte order stands for the other spellings.
//  4. A variable is also one of the shell's, not exported, with "_" for what its name may not hold
//     ($Octopus_Environment_Name), unless that name belongs to the shell, the environment or another.
//
// Functions may be called concurrently for different folders.
package variables

import (
	"bufio"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fairlead/internal/errkind"
)

// FileName is the preamble's name in its folder.
const FileName = "variables.sh"

// Write makes the preamble in dir, which must belong to this order alone, and returns its path.
// The preamble runs under bash 3.1 and later and calls no other program; the functions that write service
// messages call base64 or openssl. get_octopusvariable prints the value without a newline; an unknown
// name prints nothing and is no error, as in Octopus.
// Errors: Invalid (a name or value holds NUL, which no shell variable can), or the file system's.
func Write(dir string, vars map[string]string) (preamblePath string, err error) {
	names := slices.Sorted(maps.Keys(vars))
	for _, name := range names {
		if strings.IndexByte(name, 0) >= 0 || strings.IndexByte(vars[name], 0) >= 0 {
			return "", errkind.Invalid.Errorf("variable %.80q holds a NUL byte, which bash cannot keep", name)
		}
	}
	path := filepath.Join(dir, FileName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriterSize(f, 32<<10)
	render(w, names, vars)
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

// Setting returns the environment entry that makes bash load the preamble before a script, so
// that the script keeps its own $0, line numbers and arguments. The preamble takes the entry out
// again: programs the script starts do not see it. sh knows no such entry; a text for sh begins
// with ". <path>".
func Setting(preamblePath string) string {
	return "BASH_ENV=" + expandSafe.Replace(preamblePath)
}

// expandSafe protects what bash would expand in the value of BASH_ENV, as between double quotes.
var expandSafe = strings.NewReplacer(`\`, `\\`, `$`, `\$`, "`", "\\`", `"`, `\"`)

// render writes the file. The function's body is a subshell, so nocasematch stays inside.
func render(w *bufio.Writer, names []string, vars map[string]string) {
	w.WriteString("unset BASH_ENV\nget_octopusvariable() (\n  set +eux\n")
	var first, exact []string
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		folded := strings.ToLower(name)
		if seen[folded] {
			exact = append(exact, name)
			continue
		}
		seen[folded] = true
		first = append(first, name)
	}
	if len(exact) > 0 {
		arms(w, exact, vars)
	}
	w.WriteString("  shopt -s nocasematch\n")
	arms(w, first, vars)
	w.WriteString("  exit 0\n)\n" + functions)
	for _, line := range shellVariables(names, vars) {
		w.WriteString(line)
	}
}

func arms(w *bufio.Writer, names []string, vars map[string]string) {
	w.WriteString("  case \"${1-}\" in\n")
	for _, name := range names {
		w.WriteString("  " + quote(name) + ") printf %s " + quote(vars[name]) + "; exit 0 ;;\n")
	}
	w.WriteString("  esac\n")
}

// quote makes one literal word. Between single quotes only the quote itself is special.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
