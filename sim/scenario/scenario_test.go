// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"regexp"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/sim/check"
	"fairlead/sim/scenario"
)

// TestScenariosAreWhole: each has a story and a title of its own, and settles long enough to be judged.
func TestScenariosAreWhole(t *testing.T) {
	all, err := scenario.All()
	if err != nil {
		t.Fatal(err)
	}
	const least = 30
	if len(all) < least {
		t.Errorf("%d scenarios, want at least %d", len(all), least)
	}
	titles, numbers := map[string]string{}, map[string]string{}
	for _, s := range all {
		if other := titles[s.Plan.Name]; other != "" || s.Plan.Story == "" {
			t.Errorf("%s: it has the title of %q, or no story: %q", s.Name, other, s.Plan.Story)
		}
		titles[s.Plan.Name] = s.Name
		if s.Regression && !regexp.MustCompile(`^\d{4}-[a-z0-9-]+$`).MatchString(s.Name) {
			t.Errorf("regression %s: want a name as 0001-what-went-wrong", s.Name)
		}
		if number := s.Name[:min(4, len(s.Name))]; s.Regression {
			if other := numbers[number]; other != "" {
				t.Errorf("%s has the number of %s", s.Name, other)
			}
			numbers[number] = s.Name
		}
		if bound := check.Bounds(s.Plan)["L1"]; s.Plan.Expect.Online == "all" && s.Plan.Settle.D() < bound {
			t.Errorf("%s settles for %s, and L1 is judged after %s", s.Name, s.Plan.Settle, bound)
		}
	}
}

func TestNamed(t *testing.T) {
	if s, err := scenario.Named("ward-nat-forgets"); err != nil || s.Plan.Seed == 0 {
		t.Errorf("got %+v, %v", s, err)
	}
	_, err := scenario.Named("ward-nat-forgts")
	if errkind.Of(err) != errkind.NotFound || !strings.Contains(errkind.Hint(err), "ward-nat-forgets") {
		t.Errorf("got %v (%s), want the nearest", err, errkind.Hint(err))
	}
	_, err = scenario.Named("x")
	if errkind.Of(err) != errkind.NotFound || errkind.Hint(err) == "" {
		t.Errorf("got %v (%s), want a hint", err, errkind.Hint(err))
	}
}
