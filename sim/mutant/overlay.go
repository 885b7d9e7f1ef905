// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

// activePath is what the changed files import.
const activePath = "fairlead/sim/mutant/active"

// Overlay writes the changed files of all mutants into dir and returns the path of the list that
// "go build -overlay" takes. root is the module's folder. Errors: Conflict (the text that a mutant
// replaces does not stand in its file exactly once), or the file system's.
func Overlay(root, dir string) (overlayPath string, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return "", errkind.Internal.Errorf("overlay: %w", err)
	}
	texts, err := weave(root, Table())
	if err != nil {
		return "", err
	}
	var list struct{ Replace map[string]string }
	list.Replace = map[string]string{}
	for number, file := range slices.Sorted(maps.Keys(texts)) {
		copyPath := filepath.Join(dir, strconv.Itoa(number)+"-"+filepath.Base(file))
		if err := os.WriteFile(copyPath, []byte(texts[file]), 0o600); err != nil {
			return "", errkind.Internal.Errorf("overlay of %s: %w", file, err)
		}
		list.Replace[filepath.Join(root, filepath.FromSlash(file))] = copyPath
	}
	raw, err := json.MarshalIndent(list, "", "\t")
	if err != nil {
		return "", errkind.Internal.Errorf("encode the overlay: %w", err)
	}
	overlayPath = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayPath, raw, 0o600); err != nil {
		return "", errkind.Internal.Errorf("write the overlay: %w", err)
	}
	return overlayPath, nil
}

// weave returns the changed files with all mutants in them.
func weave(root string, mutants []Mutant) (texts map[string]string, err error) {
	texts = map[string]string{}
	for _, m := range mutants {
		for _, e := range m.Edits {
			text, have := texts[e.File]
			if !have {
				raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File)))
				if err != nil {
					return nil, errkind.NotFound.Errorf("mutant %s: %w", m.Name, err)
				}
				text = string(raw)
			}
			if n := strings.Count(text, e.Old); n != 1 {
				err := errkind.Conflict.Errorf("mutant %s: %s holds %d times, want once:\n%s", m.Name, e.File, n, e.Old)
				return nil, errkind.Hinted(err, "the product has changed: look for the place again, in sim/mutant")
			}
			texts[e.File] = strings.Replace(text, e.Old, e.New, 1)
		}
	}
	for file, text := range texts {
		texts[file] = imported(text)
	}
	return texts, nil
}

// imported makes a file that asks package active import it, on the line of its package clause, so that
// the numbers of all lines before a change stay.
func imported(text string) string {
	if !strings.Contains(text, "active.Is(") {
		return text
	}
	var out strings.Builder
	done := false
	for line := range strings.Lines(text) {
		if !done && strings.HasPrefix(line, "package ") {
			line, done = strings.TrimSuffix(line, "\n")+"; import "+strconv.Quote(activePath)+"\n", true
		}
		out.WriteString(line)
	}
	return out.String()
}
