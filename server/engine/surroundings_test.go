// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// TestOrdersShareWhatIsAround: what grows with the machines of a step is read once for the step.
func TestOrdersShareWhatIsAround(t *testing.T) {
	s, task := outputsOfStep(t, 3)
	defer s.Close()
	w := &worker{plan: task.Plan}
	err := s.View(t.Context(), func(r store.Reader) error {
		counted := &machinesReader{Reader: r}
		for step, want := range []int{1, 2} {
			for range task.Plan.Steps[step].Machines {
				if _, err := w.around(counted, facts{}, step, make([]deploy.StepProgress, 2)); err != nil {
					return err
				}
			}
			if counted.looks != want {
				t.Errorf("machines were listed %d times after step %d, want %d", counted.looks, step, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// machinesReader counts how often machines are listed.
type machinesReader struct {
	store.Reader
	looks int
}

func (m *machinesReader) Machines(f store.MachineFilter) ([]deploy.Machine, error) {
	m.looks++
	return m.Reader.Machines(f)
}
