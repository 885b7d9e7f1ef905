// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"embed"
	"path"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
	"fairlead/sim/plan"
)

// Scenario is one plan with the name of its file.
type Scenario struct {
	Name string
	// Regression says that it once violated a statement.
	Regression bool
	Plan       plan.Plan
}

//go:embed curated/*.toml regression
var files embed.FS

// All returns the curated scenarios and then the regressions, each by name. Errors: Invalid, for a plan
// that does not pass its check.
func All() (all []Scenario, err error) {
	for _, folder := range []string{"curated", "regression"} {
		entries, err := files.ReadDir(folder)
		if err != nil {
			return nil, errkind.Internal.Errorf("list the scenarios: %w", err)
		}
		for _, e := range entries {
			name, is := strings.CutSuffix(e.Name(), ".toml")
			if !is {
				continue
			}
			text, err := files.ReadFile(path.Join(folder, e.Name()))
			if err != nil {
				return nil, errkind.Internal.Errorf("scenario %s: %w", name, err)
			}
			p, err := plan.Parse(text)
			if err != nil {
				return nil, errkind.Invalid.Errorf("scenario %s: %w", name, err)
			}
			all = append(all, Scenario{Name: name, Regression: folder == "regression", Plan: p})
		}
	}
	return all, nil
}

// Named returns the scenario of a name. Errors: NotFound, with the nearest; Invalid.
func Named(name string) (Scenario, error) {
	all, err := All()
	if err != nil {
		return Scenario{}, err
	}
	var names []string
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	err = errkind.NotFound.Errorf("there is no scenario %q, and no such file", name)
	if near := nearest.Of(name, names); near != "" {
		return Scenario{}, errkind.Hinted(err, "did you mean %s?", near)
	}
	return Scenario{}, errkind.Hinted(err, "fairlead-sim list names them")
}
