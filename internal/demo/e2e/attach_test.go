// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"strings"
	"testing"
	"time"

	"fairlead/internal/demo"
)

// attachLimit is how long after its start an agent may take until the log of a script that ran on without it goes on.
const attachLimit = 2 * time.Second

// TestKilledAgentTakesUpItsScript: the script runs on while its agent is away, and what it says comes in soon after the
// agent is back, on a line that it dials and on one that the server does.
func TestKilledAgentTakesUpItsScript(t *testing.T) {
	t.Parallel()
	site, polling, listening := startSite(t)
	for _, agent := range []*demo.Agent{polling, listening} {
		const body = `for n in $(seq 100); do echo "tick $n"; sleep 0.05; done`
		task, err := site.REST.RunScript(t.Context(), "tick", body, agent.Name)
		must(t, err)
		var back time.Time // when the agent was started again
		var took time.Duration
		ticks := 0
		end, err := site.REST.Follow(t.Context(), task, func(l demo.LogLine) error {
			if !strings.HasPrefix(l.Text, "tick ") {
				return nil
			}
			ticks++
			switch {
			case ticks == 10:
				site.KillAgent(agent)
				back = time.Now()
				return site.StartAgent(agent)
			case took == 0 && !back.IsZero() && l.At.After(back):
				took = time.Since(back)
			}
			return nil
		})
		must(t, err)
		if end.State != "Success" || ticks != 100 || took == 0 || took > attachLimit {
			t.Errorf("%s: %s with %d of 100 lines; the first that was said after the agent was back came %s after it, want at most %s",
				agent.Name, end.State, ticks, took, attachLimit)
		}
		t.Logf("%s: the log went on after %s", agent.Name, took)
	}
}
