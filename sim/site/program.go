// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package site

import (
	"fairlead/internal/errkind"
	"fairlead/netem"
)

// program is a box that ends connections.
type program interface{ Close() error }

func (s *site) addPrograms() error {
	for _, spec := range s.plan.Programs {
		return errkind.Invalid.Errorf("program %s: a %s cannot be built yet", spec.Name, spec.Kind)
	}
	return nil
}

// intercepts are boxes that lead connections over an edge to a program.
func (s *site) intercepts(string) []netem.Box { return nil }

func (s *site) startPrograms() {}

func (s *site) stopPrograms() {}
