// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"embed"
	"path"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
	"fairlead/sim/plan"
)

//go:embed workload/*.toml
var files embed.FS

// Workload is a plan without a death: what people do.
type Workload struct {
	Name string
	Plan plan.Plan
}

// Workloads lists them by name. Errors: Invalid, for a plan that does not pass its check.
func Workloads() (all []Workload, err error) {
	entries, err := files.ReadDir("workload")
	if err != nil {
		return nil, errkind.Internal.Errorf("list the workloads: %w", err)
	}
	for _, e := range entries {
		text, err := files.ReadFile(path.Join("workload", e.Name()))
		if err != nil {
			return nil, errkind.Internal.Errorf("workload %s: %w", e.Name(), err)
		}
		p, err := plan.Parse(text)
		if err != nil {
			return nil, errkind.Invalid.Errorf("workload %s: %w", e.Name(), err)
		}
		all = append(all, Workload{strings.TrimSuffix(e.Name(), ".toml"), p})
	}
	return all, nil
}

// Named picks one of the workloads. Errors: NotFound, with the nearest.
func Named(all []Workload, name string) ([]Workload, error) {
	var names []string
	for _, w := range all {
		if w.Name == name {
			return []Workload{w}, nil
		}
		names = append(names, w.Name)
	}
	return nil, errkind.Hinted(
		errkind.NotFound.Errorf("there is no workload %q: there are %s", name, strings.Join(names, ", ")),
		"did you mean %s?", nearest.Of(name, names))
}
