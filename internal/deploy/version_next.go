// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"

	"fairlead/internal/errkind"
)

// DefaultVersionTemplate is what a project without a template uses.
const DefaultVersionTemplate = "#{Octopus.Version.LastMajor}.#{Octopus.Version.LastMinor}.#{Octopus.Version.NextPatch}"

// MaxTemplateBytes is the longest version template.
const MaxTemplateBytes = 500

// VersionRequest is what the version of a new release is made from.
type VersionRequest struct {
	// Template is text with #{...}, and then perhaps a VersionMask; "" is DefaultVersionTemplate. Beside
	// Variables it knows Octopus.Version.(Last|Next)(Major|Minor|Patch|Build|Revision|Suffix), the same
	// below Octopus.Version.Channel and Octopus.Version.Channel[Name], Octopus.Release.Channel.Name,
	// Octopus.Date.(Day|Month|Year|DayOfYear) and Octopus.Time.(Hour|Minute|Second).
	Template  string
	Channel   string            // name of the release's channel
	Existing  []ChannelVersion  // all releases of the project; what is no version does not count
	Now       time.Time         // for dates, in its own zone
	Variables map[string]string // the project's
}

// ChannelVersion is the version of a release and the name of its channel.
type ChannelVersion struct{ Channel, Version string }

// Next fills the template. "Last" is the highest version there is, 0 without any; a Next suffix counts
// a number at the suffix's end on. Errors: Invalid (unknown name, or a result that is no version).
func (r VersionRequest) Next() (string, error) {
	template := r.Template
	if template == "" {
		template = DefaultVersionTemplate
	}
	text, missing, huge, err := r.expand(template)
	switch {
	case err != nil:
		return "", errkind.Invalid.Errorf("version template %q: %w", template, err)
	case len(missing) > 0 && huge != nil:
		return "", huge
	case len(missing) > 0:
		return "", unknownInTemplate(missing[0])
	}
	version, err := MaskVersion(text, r.versions())
	if err == nil {
		_, err = ParseVersion(version)
	}
	if err != nil {
		return "", errkind.Invalid.Errorf("version template %q makes no version: %w", template, err)
	}
	return version, nil
}

func unknownInTemplate(name string) error {
	err := errkind.Invalid.Errorf("version template: unknown variable %q", name)
	return errkind.Hinted(err, "use Octopus.Version.LastMajor, LastMinor, LastPatch, LastRevision, or Next… of these")
}

func (r VersionRequest) expand(template string) (text string, missing []string, huge, err error) {
	if len(template) > MaxTemplateBytes {
		return "", nil, nil, errkind.Invalid.Errorf("has %d bytes: want at most %d", len(template), MaxTemplateBytes)
	}
	values, huge := r.values()
	text, missing, err = Expand(template, NewValues(values).At(r.Now))
	return strings.TrimSpace(strings.NewReplacer("\n", "", "\r", "").Replace(text)), missing, huge, err
}

// CheckVersionTemplate says what is wrong with a template whatever releases and variables there
// are. Errors: Invalid.
func CheckVersionTemplate(template string) error {
	r := VersionRequest{Template: template, Channel: "Default", Existing: []ChannelVersion{{"Default", "1.0.0"}}}
	_, missing, _, err := r.expand(template)
	if err != nil {
		return errkind.Invalid.Errorf("version template %q: %w", template, err)
	}
	for _, name := range missing {
		if !strings.HasPrefix(strings.ToLower(name), "octopus.") {
			return nil // a variable of the project may have this name
		}
		if !strings.Contains(name, "[") { // a channel may come later
			return unknownInTemplate(name)
		}
	}
	if len(missing) > 0 {
		return nil
	}
	_, err = r.Next()
	return err
}

func (r VersionRequest) versions() []Version {
	list := make([]Version, 0, len(r.Existing))
	for _, one := range r.Existing {
		if v, err := ParseVersion(one.Version); err == nil {
			list = append(list, v)
		}
	}
	return list
}

// values are what a template may name; huge says which number is too large to have a Next.
func (r VersionRequest) values() (values map[string]string, huge error) {
	values = maps.Clone(r.Variables)
	if values == nil {
		values = map[string]string{}
	}
	highest, last := map[string]Version{r.Channel: {}}, Version{}
	for _, one := range r.Existing {
		v, err := ParseVersion(one.Version)
		if err != nil {
			continue
		}
		if held, ok := highest[one.Channel]; !ok || held.text == "" || v.Compare(held) > 0 {
			highest[one.Channel] = v
		}
		if last.text == "" || v.Compare(last) > 0 {
			last = v
		}
	}
	for channel, v := range highest {
		_ = v.name(values, "Octopus.Version.Channel["+channel+"].")
	}
	_ = highest[r.Channel].name(values, "Octopus.Version.Channel.")
	huge = last.name(values, "Octopus.Version.")
	values["Octopus.Release.Channel.Name"] = r.Channel
	for name, number := range map[string]int{
		"Date.Day": r.Now.Day(), "Date.Month": int(r.Now.Month()), "Date.Year": r.Now.Year(),
		"Date.DayOfYear": r.Now.YearDay(), "Time.Hour": r.Now.Hour(), "Time.Minute": r.Now.Minute(),
		"Time.Second": r.Now.Second(),
	} {
		values["Octopus."+name] = strconv.Itoa(number)
	}
	return values, huge
}

// name adds the parts of a version to values, below a prefix. Errors: Invalid (a number so large
// that it has no Next, which is left out).
func (v Version) name(values map[string]string, prefix string) (huge error) {
	for _, part := range []struct {
		name string
		at   int
	}{{"Major", 0}, {"Minor", 1}, {"Patch", 2}, {"Build", 2}, {"Revision", 3}} {
		digits := v.digits(part.at)
		values[prefix+"Last"+part.name] = digits
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || number == math.MaxInt64 {
			huge = errkind.Invalid.Errorf("version %q: %s %s is too large to count on from",
				v.text, strings.ToLower(part.name), digits)
			continue
		}
		values[prefix+"Next"+part.name] = strconv.FormatInt(number+1, 10)
	}
	suffix := ""
	if label := v.prereleaseText(); label != "" {
		suffix = "-" + label
	}
	values[prefix+"LastSuffix"], values[prefix+"NextSuffix"] = suffix, suffix
	end := strings.LastIndexByte(suffix, '.') + 1
	if number, err := strconv.ParseUint(suffix[end:], 10, 32); err == nil && end > 0 {
		values[prefix+"NextSuffix"] = suffix[:end] + strconv.FormatUint(number+1, 10)
	}
	return huge
}

// digits is the number at a place, "0" when it is missing.
func (v Version) digits(place int) string {
	if digits := at(v.numbers, place); digits != "" {
		return digits
	}
	return "0"
}

// MaskVersion fills the letters i and c of a mask such as 2.1.c.i or 1.0.0-beta.i: c is the number
// that the latest version has at this place and i the next one, but 0 behind an i. The latest is the
// highest version that has the mask's numbers before its first letter; without one the letters are
// 0, in a prerelease i is 1. A text without such letters stays as it is. Source: the behaviour of
// Octopus Deploy's semantic version masks. Errors: Invalid (a number too large to count on from).
func MaskVersion(mask string, existing []Version) (string, error) {
	core, label, hasLabel := strings.Cut(mask, "-")
	numbers, labels := strings.Split(core, "."), strings.Split(label, ".")
	first := firstMasked(numbers)
	isMask := first < len(numbers) || hasLabel && len(labels) > 1 && firstMasked(labels) < len(labels)
	if !isMask || len(numbers) < 2 || len(numbers) > 4 || strings.Contains(mask, "+") {
		return mask, nil
	}
	latest, found := latestMasked(numbers[:first], existing, first == len(numbers))
	held := []string{}
	for place := range numbers {
		held = append(held, latest.digits(place))
	}
	if !found {
		for place := first; place < len(numbers); place++ {
			if isMasked(numbers[place]) {
				numbers[place] = "0"
			}
		}
	}
	filled, err := fillMask(numbers, held)
	if err != nil {
		return "", err
	}
	if found && first < len(numbers) && len(latest.numbers) > len(numbers) {
		filled = append(filled, "0") // 1.i after 1.1.5 is 1.2.0
	}
	text := strings.Join(filled, ".")
	if hasLabel {
		if filled, err = fillMask(labels, strings.Split(latest.prereleaseText(), ".")); err != nil {
			return "", err
		}
		text += "-" + strings.Join(filled, ".")
	}
	return text, nil
}

func isMasked(part string) bool { return part == "i" || part == "c" }

func firstMasked(parts []string) int {
	for i, part := range parts {
		if isMasked(part) {
			return i
		}
	}
	return len(parts)
}

// latestMasked is the highest version with these numbers first, or with exactly these.
func latestMasked(numbers []string, existing []Version, exactly bool) (latest Version, found bool) {
	for _, v := range existing {
		fits := !exactly || len(v.numbers) <= len(numbers)
		for place, number := range numbers {
			fits = fits && strings.TrimLeft(number, "0") == at(v.numbers, place)
		}
		if fits && (!found || v.Compare(latest) > 0) {
			latest, found = v, true
		}
	}
	return latest, found
}

// fillMask puts numbers in the place of letters.
func fillMask(parts, held []string) ([]string, error) {
	filled, counted := []string{}, false
	for place, part := range parts {
		if !isMasked(part) {
			filled = append(filled, part)
			continue
		}
		number := uint64(0)
		if place < len(held) && isNumber(held[place]) && held[place] != "" {
			var err error
			if number, err = strconv.ParseUint(held[place], 10, 63); err != nil || number == math.MaxInt64 {
				return nil, errkind.Invalid.Errorf("the number %.40s is too large to count on from", held[place])
			}
		}
		switch {
		case counted:
			number = 0
		case part == "i":
			number++
			counted = true
		}
		filled = append(filled, fmt.Sprint(number))
	}
	return filled, nil
}
