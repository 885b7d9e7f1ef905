// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

const (
	maxNameCharacters        = 200
	maxDescriptionCharacters = 10_000
	maxTagCharacters         = 100
	maxTags                  = 50
	maxNotesBytes            = 256 << 10
	maxKeptBytes             = 64 << 10
	// maxReasons is how many broken rules one answer tells of.
	maxReasons = 100
)

// ValidationError lists every rule that a request breaks. Its kind is Invalid; Because is what all the reasons
// have in common: NotFound when each names a thing that there is not, Conflict when each names one that is
// taken, else Invalid.
type ValidationError struct {
	Reasons []string
	Because errkind.Kind
}

func (e *ValidationError) Error() string { return strings.Join(e.Reasons, "; ") }

// Unwrap gives the kind.
func (e *ValidationError) Unwrap() error { return errkind.Invalid }

// reasons collects broken rules.
type reasons struct {
	list    []string
	because errkind.Kind // of all so far
}

func (r *reasons) add(format string, args ...any) {
	r.put(errkind.Invalid, fmt.Sprintf(format, args...))
}

// taken adds that there is such a thing already.
func (r *reasons) taken(format string, args ...any) {
	r.put(errkind.Conflict, fmt.Sprintf(format, args...))
}

func (r *reasons) put(because errkind.Kind, text string) {
	if len(r.list) > 0 && r.because != because {
		because = errkind.Invalid
	}
	switch {
	case len(r.list) == maxReasons:
		text = "and more: mend these first"
	case len(r.list) > maxReasons:
		return
	}
	r.list, r.because = append(r.list, text), because
}

// addErr adds an Invalid or NotFound error as a reason and returns any other.
func (r *reasons) addErr(err error) error {
	switch kind := errkind.Of(err); kind {
	case errkind.Invalid, errkind.NotFound:
		r.put(kind, err.Error())
		return nil
	default:
		return err
	}
}

func (r reasons) none() bool { return len(r.list) == 0 }

func (r reasons) err() error {
	if r.none() {
		return nil
	}
	return &ValidationError{Reasons: r.list, Because: r.because}
}

// name checks the name of a thing and returns it without outer space.
func (r *reasons) name(what, name string) string {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		r.add("%s needs a name", what)
	case utf8.RuneCountInString(name) > maxNameCharacters:
		r.add("the name of %s has more than %d characters", what, maxNameCharacters)
	case !printable(name):
		r.add("the name %q of %s holds characters that cannot be shown", name, what)
	}
	return name
}

func (r *reasons) description(text string) string {
	if utf8.RuneCountInString(text) > maxDescriptionCharacters {
		r.add("the description has more than %d characters", maxDescriptionCharacters)
	}
	return text
}

// kept lays what a caller names over what was kept before.
func (r *reasons) kept(held, given deploy.Kept) deploy.Kept {
	if len(given) == 0 {
		return held
	}
	merged, size := deploy.Kept{}, 0
	maps.Copy(merged, held)
	maps.Copy(merged, given)
	for name, text := range merged {
		size += len(name) + len(text)
	}
	if size > maxKeptBytes {
		r.add("the members that are only kept have %d bytes: limit is %d", size, maxKeptBytes)
	}
	return merged
}

// printable refuses control and format characters: they hide or reorder what people read.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == utf8.RuneError
	})
}

// tags checks target tags and returns them sorted, without repeats.
func (r *reasons) tags(tags []string) []string {
	clean := make([]string, 0, len(tags))
	for _, tag := range tags {
		tag = strings.TrimSpace(tag)
		switch {
		case tag == "":
			r.add("a tag is empty")
		case utf8.RuneCountInString(tag) > maxTagCharacters:
			r.add("the tag %.40q… has more than %d characters", tag, maxTagCharacters)
		case !printable(tag) || strings.ContainsAny(tag, ",;"):
			r.add("the tag %q holds a comma, a semicolon or a character that cannot be shown", tag)
		default:
			clean = append(clean, tag)
		}
	}
	if len(clean) > maxTags {
		r.add("%d tags are more than the limit of %d", len(clean), maxTags)
	}
	return sortedSet(clean)
}
