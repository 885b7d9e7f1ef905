// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"slices"
	"strings"

	"fairlead/internal/errkind"
)

// MaxVersionBytes is the longest version text.
const MaxVersionBytes = 200

// Version is a version as Octopus and NuGet know it: one to four numbers (more are taken too),
// then "-prerelease" and "+build metadata". What has another tail, such as 5.6.0.Final or 1.0.SP1,
// is ordered by the qualifiers of Maven. Only ParseVersion makes one; the zero Version is the
// release 0. No library orders all three: SemVer libraries refuse the fourth number, and those
// for Maven put 1.0-foo above 1.0.
//
// The order is that of NuGet's VersionComparer: numbers by value, missing ones are 0, a
// prerelease before its release, labels as SemVer 2.0.0 orders them but without regard to case,
// build metadata without weight. A Maven qualifier lies above every "-prerelease" of the same
// numbers.
type Version struct {
	text       string
	numbers    []string // decimal digits without leading zeros, so zero is ""
	prerelease bool     // labels are a "-prerelease"; else they are Maven qualifiers
	labels     []versionLabel
}

// versionLabel is one dot-separated label, or one token of a Maven qualifier.
type versionLabel struct {
	rank   int
	digits string // of a number, without leading zeros
	text   string // of anything else, in lower case
}

// Ranks of prerelease labels. Source: SemVer 2.0.0 clause 11.4.
const (
	labelNumber = 1
	labelText   = 2
)

// Ranks of Maven tokens; rankRelease is also what is missing. Source: Maven's ComparableVersion.
const (
	rankAlpha = iota - 5
	rankBeta
	rankMilestone
	rankCandidate
	rankSnapshot
	rankRelease // 0
	rankServicePack
	rankOther
	rankNumber
)

// ParseVersion reads a version. Letters, digits and ".", "-", "_", "+" are all it may hold, and it
// begins with a digit, after a "v" if there is one. Errors: Invalid.
func ParseVersion(text string) (Version, error) {
	if len(text) == 0 || len(text) > MaxVersionBytes {
		return Version{}, errkind.Invalid.Errorf("version %.80q has %d bytes: want 1 to %d", text, len(text), MaxVersionBytes)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !isVersionRune(r) }); i >= 0 {
		return Version{}, errkind.Invalid.Errorf("version %q: byte %d is none of letter, digit, '.', '-', '_', '+'", text, i)
	}
	core := text
	if core[0] == 'v' || core[0] == 'V' {
		core = core[1:]
	}
	core, metadata, hasMetadata := strings.Cut(core, "+")
	if hasMetadata && (strings.Contains(metadata, "+") || slices.Contains(strings.Split(metadata, "."), "")) {
		return Version{}, errkind.Invalid.Errorf("version %q: build metadata %q has an empty part or a second '+'",
			text, metadata)
	}
	numbers, rest := cutNumbers(core)
	if len(numbers) == 0 {
		return Version{}, errkind.Invalid.Errorf("version %q does not begin with a number", text)
	}
	v := Version{text: text, numbers: numbers}
	labels, prerelease := strings.CutPrefix(rest, "-")
	switch {
	case prerelease && slices.Contains(strings.Split(labels, "."), ""):
		return Version{}, errkind.Invalid.Errorf("version %q has an empty prerelease label", text)
	case prerelease:
		v.prerelease, v.labels = true, prereleaseLabels(labels)
	case strings.Contains(rest, "..") || strings.HasSuffix(rest, "."):
		return Version{}, errkind.Invalid.Errorf("version %q has an empty part", text)
	default:
		v.labels = mavenTokens(rest)
	}
	return v, nil
}

func isVersionRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(".-_+", r)
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// cutNumbers takes digits joined by dots from the front.
func cutNumbers(text string) (numbers []string, rest string) {
	for len(text) > 0 && isDigit(text[0]) {
		n := 1
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		numbers = append(numbers, strings.TrimLeft(text[:n], "0"))
		text = text[n:]
		if len(text) < 2 || text[0] != '.' || !isDigit(text[1]) {
			break
		}
		text = text[1:]
	}
	return numbers, text
}

func isNumber(text string) bool { return strings.Trim(text, "0123456789") == "" }

func prereleaseLabels(text string) []versionLabel {
	var labels []versionLabel
	for part := range strings.SplitSeq(text, ".") {
		if isNumber(part) {
			labels = append(labels, versionLabel{rank: labelNumber, digits: strings.TrimLeft(part, "0")})
		} else {
			labels = append(labels, versionLabel{rank: labelText, text: strings.ToLower(part)})
		}
	}
	return labels
}

// mavenTokens splits at separators and between letters and digits. Tokens that mean "the release
// itself" stay, so that 1.0.Final.1 is above 1.0.Final.
func mavenTokens(text string) []versionLabel {
	var labels []versionLabel
	for text = strings.ToLower(text); text != ""; {
		n := 1
		switch {
		case strings.ContainsRune(".-_", rune(text[0])):
			text = text[1:]
			continue
		case isDigit(text[0]):
			for n < len(text) && isDigit(text[n]) {
				n++
			}
			labels = append(labels, mavenNumber(text[:n]))
		default:
			for n < len(text) && !isDigit(text[n]) && !strings.ContainsRune(".-_", rune(text[n])) {
				n++
			}
			labels = append(labels, mavenWord(text[:n], n < len(text) && isDigit(text[n])))
		}
		text = text[n:]
	}
	return labels
}

func mavenNumber(text string) versionLabel {
	if digits := strings.TrimLeft(text, "0"); digits != "" {
		return versionLabel{rank: rankNumber, digits: digits}
	}
	return versionLabel{rank: rankRelease}
}

func mavenWord(word string, beforeDigit bool) versionLabel {
	switch {
	case word == "alpha" || word == "a" && beforeDigit:
		return versionLabel{rank: rankAlpha}
	case word == "beta" || word == "b" && beforeDigit:
		return versionLabel{rank: rankBeta}
	case word == "milestone" || word == "m" && beforeDigit:
		return versionLabel{rank: rankMilestone}
	case word == "rc" || word == "cr":
		return versionLabel{rank: rankCandidate}
	case word == "snapshot":
		return versionLabel{rank: rankSnapshot}
	case word == "ga" || word == "final" || word == "release":
		return versionLabel{rank: rankRelease}
	case word == "sp":
		return versionLabel{rank: rankServicePack}
	}
	return versionLabel{rank: rankOther, text: word}
}

// String is the version as it was written.
func (v Version) String() string { return v.text }

// IsPrerelease reports whether the version comes before the release of its numbers.
func (v Version) IsPrerelease() bool {
	return v.prerelease || compareLabels(v.labels, nil) < 0
}

// Compare returns -1, 0 or 1. Versions that are written differently may be equal: 1.0 and 1.0.0,
// 1.0.0-RC and 1.0.0-rc, 1.0.0+a and 1.0.0+b.
func (v Version) Compare(other Version) int {
	for i := range max(len(v.numbers), len(other.numbers)) {
		if c := compareDigits(at(v.numbers, i), at(other.numbers, i)); c != 0 {
			return c
		}
	}
	if v.prerelease != other.prerelease {
		if v.prerelease {
			return -1
		}
		return 1
	}
	return compareLabels(v.labels, other.labels)
}

func at[T any](list []T, i int) (v T) {
	if i < len(list) {
		return list[i]
	}
	return v
}

func compareDigits(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// compareLabels goes label by label and fills the shorter list up with the zero label: below every
// prerelease label, and the same as "release" among Maven's.
func compareLabels(a, b []versionLabel) int {
	for i := range max(len(a), len(b)) {
		x, y := at(a, i), at(b, i)
		c := cmp.Or(cmp.Compare(x.rank, y.rank), compareDigits(x.digits, y.digits), strings.Compare(x.text, y.text))
		if c != 0 {
			return c
		}
	}
	return 0
}

// SortDescending puts the highest version first; equal ones are settled by their text.
func SortDescending(versions []Version) {
	slices.SortFunc(versions, func(a, b Version) int {
		return cmp.Or(b.Compare(a), strings.Compare(a.text, b.text))
	})
}
