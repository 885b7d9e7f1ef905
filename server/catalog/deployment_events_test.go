// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"strings"
	"testing"

	"fairlead/internal/store"
	"fairlead/server/catalog"
)

// TestEachDeploymentHasItsEvent, also of those that one request asked for.
func TestEachDeploymentHasItsEvent(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	ok(s.MakeRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web", Version: "1.0.0"}))(t)
	made := ok(s.Deploy(s.ctx, root(), catalog.DeployRequest{
		Project: "Web", Release: "1.0.0", Environments: []string{"Dev", "Production"},
	}))(t)
	for i, environment := range []string{"Dev", "Production"} {
		told := 0
		for _, e := range ok(s.Events(s.ctx, root(), store.EventFilter{Take: 100}))(t) {
			if e.Category != "DeploymentQueued" || e.Subject != string(made[i].ID) {
				continue
			}
			if told++; !strings.HasSuffix(e.Message, "was queued for "+environment) || e.User == "" || e.At.IsZero() {
				t.Errorf("the event of %s: %+v", e.Subject, e)
			}
		}
		if told != 1 {
			t.Errorf("%s has %d events, want 1", made[i].ID, told)
		}
	}
}
