// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"embed"
	"slices"

	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
	"fairlead/sim/plan"
)

// Mutant is one mistake.
type Mutant struct {
	Name string
	// Story says in a sentence what goes wrong.
	Story string
	Edits []Edit
	// Caught lists the statements that should find it, any of them.
	Caught []string
	// Plan names the plan in which it shows, for Hunt.
	Plan string
}

// Edit replaces the one place in a file where Old stands. New asks active.Is.
type Edit struct {
	File     string // from the root of the module
	Old, New string
}

// Table lists the mutants by what they harm: scripts, lines, trust, tasks, deployments.
func Table() []Mutant {
	return slices.Concat(scriptMutants, lineMutants, trustMutants, taskMutants, deploymentMutants)
}

// Named returns the mutant of a name. Errors: NotFound.
func Named(name string) (Mutant, error) {
	var names []string
	for _, m := range Table() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	err := errkind.NotFound.Errorf("there is no mutant %q", name)
	if near := nearest.Of(name, names); near != "" {
		return Mutant{}, errkind.Hinted(err, "did you mean %s?", near)
	}
	return Mutant{}, err
}

//go:embed hunt/*.toml
var hunts embed.FS

// Hunt returns the plan in which the mutant shows. Errors: NotFound, Invalid.
func (m Mutant) Hunt() (plan.Plan, error) {
	text, err := hunts.ReadFile("hunt/" + m.Plan + ".toml")
	if err != nil {
		return plan.Plan{}, errkind.NotFound.Errorf("mutant %s: there is no plan %q: %w", m.Name, m.Plan, err)
	}
	p, err := plan.Parse(text)
	if err != nil {
		return p, errkind.Invalid.Errorf("mutant %s: plan %s: %w", m.Name, m.Plan, err)
	}
	return p, nil
}
