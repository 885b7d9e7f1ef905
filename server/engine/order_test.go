// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/server/target"
)

// TestAnOrderThatIsTooLongIsNotTriedAgain: no attempt makes it shorter. The task says how long it is and may be. An
// output variable goes along under four names.
func TestAnOrderThatIsTooLongIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(twoSteps))
		defer b.store.Close()
		m, starts := handing(contract.Output{Name: "Long", Value: strings.Repeat("x", contract.MaxOrderBytes/4)}), 0
		m.start = func(o contract.Order) error {
			if o.Variables["Octopus.Step.Number"] == "1" {
				return nil
			}
			starts++
			_, err := target.Line{}.Start(t.Context(), o)
			return err
		}
		b.run(m, nil, "", nil)
		if state := b.task().State; starts != 1 || state != deploy.TaskFailed {
			t.Errorf("the task is %s after %d starts, want Failed after 1\n%s", state, starts, b.log())
		}
		for _, want := range []string{fmt.Sprint("limit is ", contract.MaxOrderBytes), "bytes", "package"} {
			if !strings.Contains(b.task().Error, want) {
				t.Errorf("the task says %q, want %q in it", b.task().Error, want)
			}
		}
	})
}
