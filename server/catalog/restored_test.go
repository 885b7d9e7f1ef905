// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"strings"
	"testing"

	"fairlead/internal/store"
	"fairlead/server/catalog"
)

// TestB2NothingGoesOnInSafeMode covers case B2: a release that is made then goes nowhere by itself either.
func TestB2NothingGoesOnInSafeMode(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	ok(s.EditLifecycle(s.ctx, root(), "default-lifecycle", catalog.LifecycleDraft{
		Name: "Default Lifecycle", Phases: []catalog.PhaseDraft{{Name: "Test", Automatic: []string{"Dev"}}},
	}))(t)
	err := s.store.Update(s.ctx, func(w store.Writer) error {
		row, err := w.Installation()
		if err != nil {
			return err
		}
		row.Restores, row.BackupAt = 1, s.now
		return w.PutInstallation(row)
	})
	if err != nil {
		t.Fatal(err)
	}
	if made := ok(s.MakeRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"}))(t); len(made.Automatic) != 0 {
		t.Errorf("a release in safe mode goes to %+v", made.Automatic)
	}
	events := ok(s.Events(s.ctx, root(), catalog.EventFilter{Category: "AutomaticDeploymentSkipped"}))(t)
	if len(events) != 1 || !strings.Contains(events[0].Message, "safe mode") {
		t.Errorf("the audit trail says %+v", events)
	}
	ok(s.AcceptRestore(s.ctx, root(), 1))(t)
	if made := ok(s.MakeRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"}))(t); len(made.Automatic) != 1 {
		t.Errorf("a release after that goes to %+v", made.Automatic)
	}
}
