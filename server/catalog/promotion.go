// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"slices"

	"fairlead/internal/deploy"
)

// PhaseProgress is where a release stands in one phase of its lifecycle.
type PhaseProgress struct {
	Phase deploy.Phase
	// IsOpen is true when the release may go to the phase's environments now.
	IsOpen bool
	// IsComplete is true when enough of its environments have the release.
	IsComplete bool
}

// promote works out where a release stands. Reached are the environments that a deployment of it
// succeeded in. A lifecycle without phases gives none: everything is open.
func promote(l deploy.Lifecycle, reached []deploy.EnvironmentID) []PhaseProgress {
	list := make([]PhaseProgress, 0, len(l.Phases))
	open := true
	for _, phase := range l.Phases {
		done := 0
		for _, e := range phase.Environments {
			if slices.Contains(reached, e) {
				done++
			}
		}
		need := phase.Minimum
		if need <= 0 || need > len(phase.Environments) {
			need = len(phase.Environments)
		}
		p := PhaseProgress{Phase: phase, IsOpen: open, IsComplete: done >= need}
		open = open && (p.IsComplete || phase.IsOptional)
		list = append(list, p)
	}
	return list
}

// allowed adds a reason when the lifecycle keeps the release from the environment.
func (r *reasons) allowed(l deploy.Lifecycle, reached []deploy.EnvironmentID, e deploy.Environment) {
	phases := promote(l, reached)
	missing := ""
	for _, p := range phases {
		if slices.Contains(p.Phase.Environments, e.ID) {
			if !p.IsOpen {
				r.add("lifecycle %s: phase %s has to be completed before %s", l.Name, missing, e.Name)
			}
			return
		}
		if missing == "" && !p.IsComplete && !p.Phase.IsOptional {
			missing = p.Phase.Name
		}
	}
	if len(phases) > 0 {
		r.add("lifecycle %s has no phase with environment %s", l.Name, e.Name)
	}
}
