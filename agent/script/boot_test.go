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
	claim, process := `{"process":{"pid":1,"start":"1","boot_id":"other"},"wall_ms":1}`, `{"pid":2,"start":"2","boot_id":"other"}`
	plant(t, home, bash("before", "true"), map[string]string{"claim": claim, "process": process})
	plant(t, home, bash("claimed-alone", "true"), map[string]string{"claim": claim})
	plant(t, home, bash("torn", "true"), map[string]string{"claim": "", "process": process})
	plant(t, home, bash("unclaimed", "true"), map[string]string{"launched": "other"})
	a := newAgent(t, home, script.Options{})
	a.start(t, bash("now", "true"))
	for id, want := range map[contract.TicketID]bool{
		"before": true, "claimed-alone": false, "torn": true, "unclaimed": false, "now": false,
	} {
		a.watch(t, id)
		status, err := a.Status(t.Context(), id)
		if known := id != "claimed-alone"; err != nil || status.Verdict == nil || status.Boot == "" || known != (status.StartedBoot != "") {
			t.Fatalf("%s: %+v, %v; want a verdict, and two boots where the start is proved", id, status, err)
		}
		if status.HasRestarted() != want {
			t.Errorf("%s: %+v, want restarted to be %v", id, status, want)
		}
	}
}
