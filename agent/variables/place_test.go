// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package variables_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/agent/variables"
)

// TestHereIsWhatTheAgentKnows, however an order spells what it says of it.
func TestHereIsWhatTheAgentKnows(t *testing.T) {
	got := variables.Here("/home", map[string]string{"octopus.tentacle.agent.applicationdirectorypath": "/elsewhere", "A": "b"})
	want := map[string]string{variables.ApplicationsPath: "/home/applications", "A": "b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
