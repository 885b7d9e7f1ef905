// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"slices"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

func TestRetentionDeletesWhatTheLifecycleDoesNotKeep(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	ok(s.EditLifecycle(s.ctx, root(), "Lifecycles-1", catalog.LifecycleDraft{
		Name: "Default Lifecycle", Releases: deploy.Retention{
			Strategy: deploy.KeepCount, Quantity: 1,
			Unit: deploy.KeepItems,
		},
	}))(t)
	for _, version := range []string{"1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5"} {
		s.now = s.now.Add(time.Hour)
		ok(s.MakeRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web", Version: version}))(t)
		if version == "1.0.4" || version == "1.0.5" {
			continue // never deployed: the newest of them stays
		}
		made := ok(s.Deploy(s.ctx, root(), catalog.DeployRequest{
			Project: "Web", Release: version,
			Environments: []string{"Dev"},
		}))(t)
		if version != "1.0.1" { // whose deployment goes on
			s.finish(made[0].Task, deploy.TaskSuccess)
		}
	}
	if has := ok(s.HasExpired(s.ctx, root()))(t); !has {
		t.Error("nothing has expired")
	}
	said := ok(s.ApplyRetention(s.ctx, root()))(t)
	var left []string
	for _, r := range ok(s.Releases(s.ctx, root(), "Web"))(t) {
		left = append(left, r.Version)
	}
	slices.Sort(left)
	// 1.0.3 is there, 1.0.2 was before it, 1.0.1 is on its way, 1.0.5 is the newest that never went anywhere.
	if want := []string{"1.0.1", "1.0.2", "1.0.3", "1.0.5"}; !slices.Equal(left, want) || len(said) != 2 {
		t.Errorf("left are %v, want %v; it said %q", left, want, said)
	}
	events := ok(s.Events(s.ctx, root(), catalog.EventFilter{Category: "ReleaseDeleted"}))(t)
	if len(events) != 2 {
		t.Errorf("%d deletes were recorded, want 2", len(events))
	}
	if has := ok(s.HasExpired(s.ctx, root()))(t); has {
		t.Error("there is more to delete afterwards")
	}
	ok(s.QueueRetention(s.ctx, root()))(t)
	if _, err := s.QueueRetention(s.ctx, root()); errkind.Of(err) != errkind.Conflict {
		t.Errorf("a second retention task: %v, want Conflict", err)
	}
}
