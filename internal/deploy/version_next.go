// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"math"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

// DefaultVersionTemplate is what a project without a template uses.
const DefaultVersionTemplate = "#{Octopus.Version.LastMajor}.#{Octopus.Version.LastMinor}.#{Octopus.Version.NextPatch}"

// MaxTemplateBytes is the longest version template.
const MaxTemplateBytes = 500

// NextVersion fills a template with the numbers of the last release: #{Octopus.Version.LastMajor},
// LastMinor, LastPatch, LastRevision, and Next… for the number plus one, all without regard to
// case. Without a last release ("") every number is 0; an empty template is the default one.
// Errors: Invalid (unknown name, broken template, or a result that is no version).
func NextVersion(template, last string) (string, error) {
	if template == "" {
		template = DefaultVersionTemplate
	}
	if len(template) > MaxTemplateBytes {
		return "", errkind.Invalid.Errorf("version template has %d bytes: want at most %d", len(template), MaxTemplateBytes)
	}
	if last == "" {
		last = "0"
	}
	from, err := ParseVersion(last)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for rest := template; ; {
		literal, tail, found := strings.Cut(rest, "#{")
		out.WriteString(literal)
		if !found {
			break
		}
		name, after, closed := strings.Cut(tail, "}")
		if !closed {
			return "", errkind.Invalid.Errorf("version template %q: #{%s is not closed by }", template, name)
		}
		number, err := from.named(strings.TrimSpace(name))
		if err != nil {
			return "", err
		}
		out.WriteString(strconv.FormatInt(number, 10))
		rest = after
	}
	if _, err := ParseVersion(out.String()); err != nil {
		return "", errkind.Invalid.Errorf("version template %q makes no version: %w", template, err)
	}
	return out.String(), nil
}

// named returns the number that a template variable stands for.
func (v Version) named(name string) (int64, error) {
	for i, part := range []string{"Major", "Minor", "Patch", "Revision"} {
		isNext := strings.EqualFold(name, "Octopus.Version.Next"+part)
		if !isNext && !strings.EqualFold(name, "Octopus.Version.Last"+part) {
			continue
		}
		digits := at(v.numbers, i)
		if digits == "" {
			digits = "0"
		}
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || number == math.MaxInt64 {
			return 0, errkind.Invalid.Errorf("version %q: %s %s is too large to count on from",
				v.text, strings.ToLower(part), digits)
		}
		if isNext {
			number++
		}
		return number, nil
	}
	err := errkind.Invalid.Errorf("version template: unknown variable %q", name)
	return 0, errkind.Hinted(err, "use Octopus.Version.LastMajor, LastMinor, LastPatch, LastRevision, or Next… of these")
}
