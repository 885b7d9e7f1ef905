// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"

	"pgregory.net/rapid"
)

func version(t interface{ Fatal(...any) }, text string) deploy.Version {
	v, err := deploy.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVersionRange(t *testing.T) {
	for _, c := range []struct{ text, in, out string }{
		{"", "0 1.0-beta 99", ""},
		{"1.0", "1.0 1.0.0 2 1.0.1-a", "0.9 1.0-beta"},
		{"[1.0]", "1.0 1.0.0.0 1.0+meta", "1.0.1 0.9 1.0-rc"},
		{"[1.0,2.0)", "1.0 1.9.9 2.0-beta", "2.0 0.9"},
		{"(1.0, 2.0]", "1.0.1 2.0", "1.0 2.0.1"},
		{"(,1.0]", "0 1.0", "1.0.1"},
		{"(1.0,)", "1.0.1 9", "1.0 0.1"},
		{"(,)", "0 9", ""},
		{"(,1.0], [2,3)", "0.5 1.0 2.5", "1.5 3.0"},
		{"[1.0.Final]", "1.0.Final", "1.1"},
	} {
		r, err := deploy.ParseVersionRange(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		for _, in := range strings.Fields(c.in) {
			if !r.Contains(version(t, in)) {
				t.Errorf("%q does not hold %s", c.text, in)
			}
		}
		for _, out := range strings.Fields(c.out) {
			if r.Contains(version(t, out)) {
				t.Errorf("%q holds %s", c.text, out)
			}
		}
	}
	for _, bad := range []string{"[1.0", "[]", "(1.0)", "[1.0)", "[2,1]", "[1,2],", "[1,2] 3", "x", "[a,b]", strings.Repeat("1", 2000)} {
		if r, err := deploy.ParseVersionRange(bad); !errors.Is(err, errkind.Invalid) {
			t.Errorf("%.20q: got %v, %v, want an Invalid error", bad, r, err)
		}
	}
}

func TestVersionRule(t *testing.T) {
	for _, c := range []struct {
		versions, tag, version string
		want                   bool
	}{
		{"[1.0,2.0)", "^$", "1.5", true},
		{"[1.0,2.0)", "^$", "1.5-beta", false},
		{"", "^beta", "1.5-Beta.2+x", true},
		{"", "^beta", "1.5-alpha-beta", false},
		{"[2,)", "beta", "1.5-beta", false},
		{"", "", "1.5-x", true},
	} {
		rule, err := deploy.NewVersionRule(c.versions, c.tag)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
		} else if got := rule.Allows(version(t, c.version)); got != c.want {
			t.Errorf("%+v: got %t", c, got)
		}
	}
	if _, err := deploy.NewVersionRule("", "(?<a"); !errors.Is(err, errkind.Invalid) {
		t.Errorf("a pattern that cannot be read: %v", err)
	}
}

// TestVersionRangeAgainstModel holds intervals of whole numbers against comparisons of numbers.
func TestVersionRangeAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low, size := rapid.IntRange(0, 20).Draw(t, "low"), rapid.IntRange(0, 20).Draw(t, "size")
		withLow, withHigh := rapid.Bool().Draw(t, "with low"), rapid.Bool().Draw(t, "with high")
		v := rapid.IntRange(0, 45).Draw(t, "version")
		open, shut := "(", ")"
		if withLow {
			open = "["
		}
		if withHigh {
			shut = "]"
		}
		r, err := deploy.ParseVersionRange(fmt.Sprintf("%s%d,%d%s", open, low, low+size, shut))
		if err != nil {
			t.Fatal(err)
		}
		want := (v > low || withLow && v == low) && (v < low+size || withHigh && v == low+size)
		if got := r.Contains(version(t, fmt.Sprint(v))); got != want {
			t.Fatalf("%s and %d: got %t", r, v, got)
		}
	})
}
