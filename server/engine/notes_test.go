// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/server/target"
)

// TestNotesOfAPlanBeginTheLog, once, whatever dies afterwards.
func TestNotesOfAPlanBeginTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(func(p *deploy.Plan) { p.Notes = []string{"Left out: machine web-3 is disabled."} }))
		defer b.store.Close()
		m := &scripted{follow: func(_ context.Context, f target.FollowFunc) error {
			return f(nil, verdictOf(contract.Succeeded, 0))
		}}
		b.run(m, nil, "engine.ticket.sent", nil)
		b.run(m, nil, "", nil)
		if log := b.log(); !strings.HasPrefix(log, "Warning Left out: machine web-3 is disabled.\n") ||
			strings.Count(log, "Left out") != 1 {
			t.Errorf("the log:\n%s", log)
		}
		if task := b.task(); task.State != deploy.TaskSuccess || !task.HasWarnings {
			t.Errorf("the task is %s, with warnings: %v", task.State, task.HasWarnings)
		}
	})
}
