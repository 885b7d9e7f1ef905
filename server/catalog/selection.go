// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// choice is one entry of the packages list of a release: which version which package gets.
type choice struct {
	name      string // package id, step name or action name; "*" for all
	reference string // name of the package reference; "*" for all
	version   string
	text      string // as the caller wrote it
	used      bool
}

// parseChoice reads "<name>:<version>" or "<name>:<reference>:<version>". The separators are ':',
// '/' and '='; a backslash makes the next character plain. Source: octopus-rest.md d.1.
// Errors: Invalid.
func parseChoice(text string) (choice, error) {
	parts := []string{""}
	escaped := false
	for _, r := range text {
		last := len(parts) - 1
		switch {
		case escaped:
			parts[last] += string(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == ':' || r == '/' || r == '=':
			parts = append(parts, "")
		default:
			parts[last] += string(r)
		}
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	c := choice{text: text, reference: "*"}
	switch {
	case escaped || len(parts) < 2 || len(parts) > 3 || parts[len(parts)-1] == "" || parts[0] == "":
		return choice{}, errkind.Invalid.Errorf("package %q: want name:version or name:reference:version", text)
	case len(parts) == 3:
		c.reference = parts[1]
	}
	c.name, c.version = parts[0], parts[len(parts)-1]
	return c, nil
}

// weight says how exactly the entry fits a package of an action; 0 means not at all.
func (c choice) weight(step, action string, reference deploy.PackageReference) int {
	weight := 1
	switch {
	case c.name == "*":
	case strings.EqualFold(c.name, reference.PackageID):
		weight += 2
	case strings.EqualFold(c.name, step), strings.EqualFold(c.name, action):
		weight += 4
	default:
		return 0
	}
	switch {
	case c.reference == "*":
	case strings.EqualFold(c.reference, reference.Name):
		weight += 8
	default:
		return 0
	}
	return weight
}

// selection is how the versions of a release are chosen.
type selection struct {
	choices    []choice
	version    string // for every package without an entry; "" means the newest
	prerelease string // newest may be a prerelease with this word; "" means none if there is another
}

// pick returns the version asked for; "" means the newest. The more specific entry wins, then the
// later one.
func (s *selection) pick(step, action string, reference deploy.PackageReference) string {
	best, version := 0, s.version
	for i := range s.choices {
		weight := s.choices[i].weight(step, action, reference)
		if weight == 0 {
			continue
		}
		s.choices[i].used = true
		if weight >= best {
			best, version = weight, s.choices[i].version
		}
	}
	return version
}

// newest picks among versions, highest first: the highest that is no prerelease, or the highest
// of all when there is none; with a prerelease word the highest with that word.
func (s *selection) newest(versions []deploy.Version) (deploy.Version, bool) {
	for _, v := range versions {
		switch {
		case s.prerelease != "" && v.IsPrerelease() && prereleaseWord(v, s.prerelease):
			return v, true
		case s.prerelease == "" && !v.IsPrerelease():
			return v, true
		}
	}
	if s.prerelease == "" && len(versions) > 0 {
		return versions[0], true
	}
	return deploy.Version{}, false
}

func prereleaseWord(v deploy.Version, word string) bool {
	text, _, _ := strings.Cut(v.String(), "+")
	_, label, _ := strings.Cut(text, "-")
	return strings.HasPrefix(strings.ToLower(label), strings.ToLower(word))
}
