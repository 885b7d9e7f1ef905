// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"encoding/json"
	"testing"

	"fairlead/internal/deploy"
)

// TestOldLifecyclesAreRead reads a body as it was written before there were kinds of retention.
func TestOldLifecyclesAreRead(t *testing.T) {
	t.Parallel()
	var body lifecycleBody
	text := `{"name":"L","phases":[{"id":"1","name":"P","environments":["Environments-1"],"minimum":1}],"keep_on_machine":5}`
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatal(err)
	}
	var l deploy.Lifecycle
	body.fill(&l)
	if l.OnMachine.OnMachineItems() != 5 || len(l.Phases) != 1 || l.Phases[0].Minimum != 1 {
		t.Errorf("%+v", l)
	}
}
