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

// TestAnOrderThatIsTooLongIsNotTriedAgain: no attempt makes it shorter. The task says how long it is and may be.
func TestAnOrderThatIsTooLongIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(func(p *deploy.Plan) {
			p.Steps[0].Actions[0].Properties[deploy.PropScriptBody] = strings.Repeat("x", contract.MaxOrderBytes+1)
		}))
		defer b.store.Close()
		starts := 0
		b.run(&scripted{start: func(o contract.Order) error {
			starts++
			_, err := target.Line{}.Start(t.Context(), o)
			return err
		}}, nil, "", nil)
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
