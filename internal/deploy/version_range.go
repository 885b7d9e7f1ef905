// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"regexp"
	"strings"

	"fairlead/internal/errkind"
)

// maxRangeBytes is the longest text of a range or of a pattern.
const maxRangeBytes = 1024

// VersionRange is a set of versions, in the notation of NuGet and Maven:
//
//	1.0          1.0 and above
//	[1.0]        1.0 alone
//	[1.0,2.0)    from 1.0 to below 2.0; either end may be open or missing
//	(,1.0],[2,)  one of several, as Maven has it
//
// The zero VersionRange holds every version. Source: NuGet's and Maven's documentation of version
// ranges.
type VersionRange struct {
	text      string
	intervals []interval // none: everything
}

type interval struct {
	low, high         *Version // nil: no end
	withLow, withHigh bool
}

// ParseVersionRange reads a range; the empty text is every version. Errors: Invalid.
func ParseVersionRange(text string) (VersionRange, error) {
	text = strings.TrimSpace(text)
	r := VersionRange{text: text}
	if len(text) > maxRangeBytes {
		return r, errkind.Invalid.Errorf("version range has %d bytes: limit is %d", len(text), maxRangeBytes)
	}
	for rest := text; rest != ""; {
		one, after, err := cutInterval(rest)
		if err != nil {
			return VersionRange{}, errkind.Invalid.Errorf("version range %.80q: %w", text, err)
		}
		r.intervals = append(r.intervals, one)
		rest = after
	}
	return r, nil
}

// cutInterval takes one interval, and the comma that parts it from the next.
func cutInterval(text string) (one interval, rest string, err error) {
	if text[0] != '[' && text[0] != '(' {
		low, err := ParseVersion(text)
		return interval{low: &low, withLow: true}, "", err
	}
	end := strings.IndexAny(text, "])")
	if end < 0 {
		return one, "", errkind.Invalid.Errorf("%.20q is not closed: end it with ] or )", text)
	}
	one.withLow, one.withHigh = text[0] == '[', text[end] == ']'
	lowText, highText, isPair := strings.Cut(text[1:end], ",")
	if one.low, err = bound(lowText); err != nil {
		return one, "", err
	}
	if one.high, err = bound(highText); err != nil {
		return one, "", err
	}
	if !isPair {
		one.high = one.low
	}
	switch {
	case !isPair && (one.low == nil || !one.withLow || !one.withHigh):
		return one, "", errkind.Invalid.Errorf("%q is no interval: write [1.0] for one version", text[:end+1])
	case one.low != nil && one.high != nil && one.low.Compare(*one.high) > 0:
		return one, "", errkind.Invalid.Errorf("%s lies above %s: swap them", one.low, one.high)
	}
	rest = strings.TrimSpace(text[end+1:])
	if rest == "" {
		return one, "", nil
	}
	rest, isNext := strings.CutPrefix(rest, ",")
	if rest = strings.TrimSpace(rest); !isNext || rest == "" || rest[0] != '[' && rest[0] != '(' {
		return one, "", errkind.Invalid.Errorf("%.20q cannot follow an interval: go on with a comma and ( or [", rest)
	}
	return one, rest, nil
}

func bound(text string) (*Version, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	v, err := ParseVersion(text)
	return &v, err
}

// Contains reports whether a version lies in the range.
func (r VersionRange) Contains(v Version) bool {
	for _, one := range r.intervals {
		if one.contains(v) {
			return true
		}
	}
	return len(r.intervals) == 0
}

func (i interval) contains(v Version) bool {
	if i.low != nil {
		if c := v.Compare(*i.low); c < 0 || c == 0 && !i.withLow {
			return false
		}
	}
	if i.high != nil {
		if c := v.Compare(*i.high); c > 0 || c == 0 && !i.withHigh {
			return false
		}
	}
	return true
}

// String is the text it was read from.
func (r VersionRange) String() string { return r.text }

// VersionRule is what a channel asks of the versions of some packages.
type VersionRule struct {
	Range VersionRange
	tag   *regexp.Regexp // of the prerelease part; nil for any
}

// NewVersionRule makes a rule of a range and a pattern for the prerelease part, without its dash: "^$"
// wants none, "beta.*" one that has beta in it. The pattern is a regular expression of Go's, in
// which case has no weight. Both may be empty. Errors: Invalid.
func NewVersionRule(versions, tag string) (r VersionRule, err error) {
	if r.Range, err = ParseVersionRange(versions); err != nil || tag == "" {
		return r, err
	}
	if len(tag) > maxRangeBytes {
		return r, errkind.Invalid.Errorf("prerelease pattern has %d bytes: limit is %d", len(tag), maxRangeBytes)
	}
	if r.tag, err = regexp.Compile("(?i)" + tag); err != nil {
		return r, errkind.Invalid.Errorf("prerelease pattern %.80q: %w", tag, err)
	}
	return r, nil
}

// Allows reports whether a version passes.
func (r VersionRule) Allows(v Version) bool {
	return r.Range.Contains(v) && (r.tag == nil || r.tag.MatchString(v.prereleaseText()))
}

// prereleaseText is what follows the numbers, without a dash and without build metadata.
func (v Version) prereleaseText() string {
	_, label, _ := versionParts(v.text)
	return label
}
