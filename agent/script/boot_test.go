// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script_test

import (
	"testing"

	"fairlead/agent/script"
	"fairlead/internal/contract"
)

// TestStatusTellsTheBoot: the server learns from a status whether the machine has restarted since.
func TestStatusTellsTheBoot(t *testing.T) {
	home := t.TempDir()
	plant(t, home, bash("before", "true"), map[string]string{
		"claim": `{"process":{"pid":1,"start":"1","boot_id":"other"},"wall_ms":1}`,
	})
	plant(t, home, bash("torn", "true"), map[string]string{"claim": ""})
	plant(t, home, bash("unclaimed", "true"), map[string]string{"launched": "other"})
	a := newAgent(t, home, script.Options{})
	a.start(t, bash("now", "true"))
	for id, want := range map[contract.TicketID]bool{"before": true, "torn": true, "unclaimed": false, "now": false} {
		a.watch(t, id)
		status, err := a.Status(t.Context(), id)
		if err != nil || status.Verdict == nil || status.Boot == "" || status.StartedBoot == "" {
			t.Fatalf("%s: %+v, %v; want a verdict and two boots", id, status, err)
		}
		if status.HasRestarted() != want {
			t.Errorf("%s: %+v, want restarted to be %v", id, status, want)
		}
	}
}
