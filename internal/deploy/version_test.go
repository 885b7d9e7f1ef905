// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

func mustVersion(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string,
) deploy.Version {
	t.Helper()
	v, err := deploy.ParseVersion(text)
	if err != nil {
		t.Fatalf("ParseVersion(%q): %v", text, err)
	}
	return v
}

// TestVersionVectors holds the order against the published examples.
func TestVersionVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/versions.txt")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		checked++
		mark, text, _ := strings.Cut(line, " ")
		switch mark {
		case "!":
			if _, err := deploy.ParseVersion(text); errkind.Of(err) != errkind.Invalid || err == nil {
				t.Errorf("ParseVersion(%q) = %v, want Invalid", text, err)
			}
		case "p", "r":
			if got := mustVersion(t, text).IsPrerelease(); got != (mark == "p") {
				t.Errorf("IsPrerelease(%q) = %v", text, got)
			}
		default:
			checkChain(t, strings.Fields(line))
		}
	}
	if checked < 60 {
		t.Fatalf("only %d vectors read", checked)
	}
}

func checkChain(t *testing.T, words []string) {
	t.Helper()
	for i := 0; i < len(words); i += 2 {
		want := 0
		for j := i + 2; j < len(words); j += 2 {
			if words[j-1] == "<" {
				want = -1
			}
			a, b := mustVersion(t, words[i]), mustVersion(t, words[j])
			if got := a.Compare(b); got != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
			}
			if got := b.Compare(a); got != -want {
				t.Errorf("Compare(%s, %s) = %d, want %d", b, a, got, -want)
			}
		}
	}
}

func drawVersion(t *rapid.T, label string) deploy.Version {
	part := rapid.SampledFrom([]string{"0", "00", "1", "01", "2", "10", "99999999999999999999"})
	text := strings.Join(rapid.SliceOfN(part, 1, 5).Draw(t, label+" numbers"), ".")
	word := rapid.SampledFrom([]string{"a", "A", "rc", "RC", "final", "sp", "x", "1", "01", "2", "10", "0", "-", "a1", "alpha"})
	tail := rapid.SliceOfN(word, 0, 3).Draw(t, label+" labels")
	if len(tail) > 0 {
		text += rapid.SampledFrom([]string{"-", ".", "_", "+", "x"}).Draw(t, label+" mark") + strings.Join(tail, ".")
	}
	return mustVersion(t, text)
}

// TestVersionOrderIsTotal checks that any three versions agree on their order, and that texts come
// back as written.
func TestVersionOrderIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawVersion(t, "a"), drawVersion(t, "b"), drawVersion(t, "c")
		if a.Compare(a) != 0 {
			t.Fatalf("%s differs from itself", a)
		}
		if a.Compare(b) != -b.Compare(a) {
			t.Fatalf("%s and %s: %d and %d", a, b, a.Compare(b), b.Compare(a))
		}
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Fatalf("%s <= %s <= %s but not %s <= %s", a, b, c, a, c)
		}
		if a.Compare(b) == 0 && a.IsPrerelease() != b.IsPrerelease() {
			t.Fatalf("%s and %s are equal and only one is a prerelease", a, b)
		}
		if again := mustVersion(t, a.String()); again.Compare(a) != 0 || again.String() != a.String() {
			t.Fatalf("%s read again is %s", a, again)
		}
	})
}

func TestSortDescendingSettlesTiesByText(t *testing.T) {
	var versions []deploy.Version
	for _, text := range []string{"1.0.0", "1.10.0", "1.0", "1.9.0", "1.10.0-rc.1", "1.0.0.0"} {
		versions = append(versions, mustVersion(t, text))
	}
	deploy.SortDescending(versions)
	var got []string
	for _, v := range versions {
		got = append(got, v.String())
	}
	if want := []string{"1.10.0", "1.10.0-rc.1", "1.9.0", "1.0", "1.0.0", "1.0.0.0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func next(template, last string) (string, error) {
	r := deploy.VersionRequest{Template: template, Channel: "Default"}
	if last != "" {
		r.Existing = []deploy.ChannelVersion{{Channel: "Default", Version: last}}
	}
	return r.Next()
}

func TestNextVersion(t *testing.T) {
	const o = "#{Octopus.Version."
	for _, c := range []struct{ template, last, want string }{
		{"", "", "0.0.1"},
		{"", "1.4.9", "1.4.10"},
		{deploy.DefaultVersionTemplate, "2.3.4-rc.1+x", "2.3.5"},
		{o + "NextMajor}.0.0", "1.4.9", "2.0.0"},
		{o + "LastMajor}." + o + "NextMinor}.0", "1.4.9", "1.5.0"},
		{o + "LastMajor}." + o + "LastMinor}." + o + "LastPatch}." + o + "NextRevision}", "1.4.9", "1.4.9.1"},
		{o + "lastmajor}.#{ octopus.version.nextminor }-beta", "7", "7.1-beta"},
		{"1.2." + o + "NextPatch}", "1.2.0007", "1.2.8"},
		{"3.0.0", "1.2.0", "3.0.0"},
	} {
		if got, err := next(c.template, c.last); err != nil || got != c.want {
			t.Errorf("NextVersion(%q, %q) = %q, %v, want %q", c.template, c.last, got, err, c.want)
		}
	}
}

func TestNextVersionRefusals(t *testing.T) {
	for _, c := range []struct{ template, last, word string }{
		{"#{Octopus.Version.NextYear}", "1.0", "NextYear"},
		{"1.#{Octopus.Version.NextMinor", "1.0", "makes no version"},
		{"1.#{if X}2", "1.0", "makes no version"},
		{"x#{Octopus.Version.NextMinor}", "1.0", "makes no version"},
		{"", "1.0.99999999999999999999", "too large"},
		{"", "1.0.9223372036854775807", "too large"},
		{strings.Repeat("1", deploy.MaxTemplateBytes+1), "1.0", "501 bytes"},
	} {
		_, err := next(c.template, c.last)
		if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), c.word) {
			t.Errorf("NextVersion(%q, %q) = %v, want Invalid with %q", c.template, c.last, err, c.word)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, seed := range []string{"1.0.0-rc.1+b", "1.0.Final", "v2", "1.2.3.4.5", "", "1..2", "1.0\x00"} {
		f.Add(seed, "1.0.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, err := deploy.ParseVersion(a)
		if err != nil {
			if errkind.Of(err) != errkind.Invalid {
				t.Fatalf("%q: kind %v", a, errkind.Of(err))
			}
			return
		}
		if x.String() != a || x.Compare(x) != 0 || strings.ContainsAny(a, "/\\%\x00\n ") {
			t.Fatalf("%q read as %q", a, x)
		}
		if y, err := deploy.ParseVersion(b); err == nil && x.Compare(y) != -y.Compare(x) {
			t.Fatalf("%q and %q: %d and %d", a, b, x.Compare(y), y.Compare(x))
		}
	})
}
