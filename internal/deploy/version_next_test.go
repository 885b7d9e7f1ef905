// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

func parsed(t *testing.T, texts ...string) []deploy.Version {
	t.Helper()
	list := []deploy.Version{}
	for _, text := range texts {
		v, err := deploy.ParseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

func TestMasks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mask, existing, want string }{
		{"1.0", "0.9", "1.0"},
		{"1.0.0-i", "1.0.0-4", "1.0.0-i"}, // a single label is a word
		{"0.i", "0.0", "0.1"},
		{"1.1.i", "1.1.1234", "1.1.1235"},
		{"c.c.i", "1.0.1", "1.0.2"},
		{"1.i", "1.1.5", "1.2.0"},
		{"1.i.1", "1.1.5", "1.2.1"},
		{"1.c.i", "1.1", "1.1.1"},
		{"1.i.i", "1.1.5", "1.2.0"},
		{"1.i.c", "1.1.5", "1.2.0"},
		{"2.19.i-channel", "2.19.30-baz", "2.19.31-channel"},
		{"2.19.i", "2.19.30-baz", "2.19.31"},
		{"1.2.c-alpha.i", "1.2.3-alpha.4", "1.2.3-alpha.5"},
		{"1.2.0-alpha.i", "1.2.0", "1.2.0-alpha.1"},
		{"1.2.0-alpha.c.i.i", "1.2.0-alpha.2.3.4", "1.2.0-alpha.2.4.0"},
		{"1.c.i", "", "1.0.0"},
		{"c.i.1-foo", "", "0.0.1-foo"},
		{"2.2.i", "1.1.1 2.2.1 2.2.3 2.3", "2.2.4"},
		{"1.2.i", "1.1.1 2.2.1", "1.2.0"},
		{"2026.11.27.i", "2026.11.27.3 2026.11.26.9", "2026.11.27.4"},
		{"2026.11.28.i", "2026.11.27.3", "2026.11.28.0"},
	} {
		got, err := deploy.MaskVersion(c.mask, parsed(t, strings.Fields(c.existing)...))
		if err != nil || got != c.want {
			t.Errorf("MaskVersion(%q, %q) = %q, %v, want %q", c.mask, c.existing, got, err, c.want)
		}
	}
	_, err := deploy.MaskVersion("1.i", parsed(t, "1.9223372036854775807"))
	if errkind.Of(err) != errkind.Invalid {
		t.Errorf("a huge number: %v", err)
	}
}

func TestVersionTemplatesKnowDatesChannelsAndVariables(t *testing.T) {
	t.Parallel()
	r := deploy.VersionRequest{
		Channel: "Hotfix", Now: time.Date(2026, 11, 7, 9, 5, 3, 0, time.UTC), Variables: map[string]string{"Base": "7.1"},
		Existing: []deploy.ChannelVersion{
			{Channel: "Default", Version: "2.0.4"},
			{Channel: "Hotfix", Version: "1.3.9-rc.2"},
			{Channel: "Hotfix", Version: "1.3.8"},
			{Channel: "Hotfix", Version: "no version"},
		},
	}
	const o = "#{Octopus.Version."
	for template, want := range map[string]string{
		o + "LastMajor}." + o + "NextBuild}":                                    "2.5",
		o + "Channel.LastMajor}." + o + "Channel.NextMinor}.0":                  "1.4.0",
		"1.3.9" + o + "Channel.NextSuffix}":                                     "1.3.9-rc.3",
		"1.0.0" + o + "LastSuffix}":                                             "1.0.0",
		o + "Channel[Default].LastMajor}." + o + "Channel[Hotfix].LastMinor}.0": "2.3.0",
		"#{Octopus.Date.Year}.#{Octopus.Date.Month}.#{Octopus.Date.Day}.i":      "2026.11.7.0",
		"#{Octopus.Date.DayOfYear}.#{Octopus.Time.Hour}.#{Octopus.Time.Minute}": "311.9.5",
		"#{Base}.#{Octopus.Time.Second}-#{Octopus.Release.Channel.Name}":        "7.1.3-Hotfix",
		"#{if Octopus.Version.LastMajor == \"2\"}3.0.0#{else}1.0.0#{/if}":       "3.0.0",
		"1.\n0.i": "1.0.0",
	} {
		r.Template = template
		if got, err := r.Next(); err != nil || got != want {
			t.Errorf("%q = %q, %v, want %q", template, got, err, want)
		}
	}
}

func TestTemplatesAreCheckedBeforeUse(t *testing.T) {
	t.Parallel()
	for template, word := range map[string]string{
		"": "", "1.2.i": "", "#{Mine}.0": "", "#{Octopus.Version.Channel[Later].LastMajor}.0": "",
		"#{Octopus.Version.NextYear}.0": "NextYear", "x.y": "makes no version", "#{Octopus.Nope}.0": "Octopus.Nope",
		strings.Repeat("1", deploy.MaxTemplateBytes+1): "501 bytes",
	} {
		err := deploy.CheckVersionTemplate(template)
		if (err == nil) != (word == "") || err != nil && !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v, want %q", template, err, word)
		}
	}
}

// TestMaskedVersionsAreNew draws masks whose letters are at their end, with an i among them. They make
// a version above all that have the mask's numbers.
func TestMaskedVersionsAreNew(t *testing.T) {
	t.Parallel()
	numbers := rapid.SliceOfN(rapid.SampledFrom([]string{"0", "1", "2", "07"}), 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.Map(numbers, func(parts []string) string { return strings.Join(parts, ".") }), 0, 6).
			Draw(t, "existing")
		fixed := rapid.SliceOfN(rapid.SampledFrom([]string{"0", "1", "2"}), 0, 3).Draw(t, "fixed")
		letters := rapid.SliceOfN(rapid.SampledFrom([]string{"i", "c"}), max(1, 2-len(fixed)), 4-len(fixed)).
			Filter(func(letters []string) bool { return slices.Contains(letters, "i") }).Draw(t, "letters")
		existing := []deploy.Version{}
		for _, text := range texts {
			v, err := deploy.ParseVersion(text)
			if err != nil {
				t.Fatal(err)
			}
			existing = append(existing, v)
		}
		mask := strings.Join(append(slices.Clone(fixed), letters...), ".")
		text, err := deploy.MaskVersion(mask, existing)
		if err != nil {
			t.Fatal(err)
		}
		made, err := deploy.ParseVersion(text)
		if err != nil {
			t.Fatalf("%s makes %q: %v", mask, text, err)
		}
		for _, v := range existing {
			parts := strings.Split(v.String()+".0.0.0", ".")
			fits := true
			for i, number := range fixed {
				fits = fits && strings.TrimLeft(parts[i], "0") == strings.TrimLeft(number, "0")
			}
			if fits && made.Compare(v) <= 0 {
				t.Fatalf("%s after %v is %s, not above %s", mask, texts, text, v)
			}
		}
	})
}
