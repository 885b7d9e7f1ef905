// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
	"fairlead/server/tasks"
)

// end carries the newest waiting task to its end, as the engine does.
func (s *site) end(queue *tasks.Queue, state deploy.TaskState) {
	s.t.Helper()
	claimed, _, err := queue.Claim(s.ctx)
	if err != nil || len(claimed) != 1 {
		s.t.Fatalf("claimed %d tasks, %v", len(claimed), err)
	}
	if err := queue.Finish(s.ctx, claimed[0].ID, claimed[0].LeaseEpoch, tasks.End{State: state}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) been(release string) string {
	s.t.Helper()
	names := []string{}
	for _, d := range ok(s.ReleaseProgress(s.ctx, root(), release))(s.t).Deployments {
		names = append(names, d.Deployment.Name+" "+string(d.State))
	}
	return strings.Join(names, ", ")
}

func TestReleasesGoOnByThemselves(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	ok(s.CreateEnvironment(s.ctx, root(), catalog.EnvironmentDraft{Name: "Empty"}))(t)
	ok(s.EditLifecycle(s.ctx, root(), "default-lifecycle", catalog.LifecycleDraft{
		Name: "Default Lifecycle", Phases: []catalog.PhaseDraft{
			{Name: "Test", Automatic: []string{"Dev", "Empty"}, Minimum: 1}, {Name: "Live", Automatic: []string{"Production"}},
		},
	}))(t)
	queue := tasks.NewQueue(s.store, func() time.Time { return s.now }, "test", 5)
	queue.Ended = s.Catalog.Ended
	made := ok(s.MakeRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web"}))(t)
	if len(made.Automatic) != 1 || made.Automatic[0].Name != "Dev" || s.queued.Load() != 1 {
		t.Fatalf("a new release goes to %+v, %d hints", made.Automatic, s.queued.Load())
	}
	events := ok(s.Events(s.ctx, root(), catalog.EventFilter{Category: "AutomaticDeploymentSkipped"}))(t)
	if len(events) != 1 || !strings.Contains(events[0].Message, "finds no enabled machine") {
		t.Errorf("an environment without machines: %+v", events)
	}
	s.end(queue, deploy.TaskFailed)
	if got := s.been("Releases-1"); got != "Deploy to Dev Failed" {
		t.Errorf("after a failure: %s", got)
	}
	again := catalog.DeployRequest{Project: "Web", Release: "0.0.1", Environments: []string{"Dev"}}
	ok(s.Deploy(s.ctx, root(), again))(t)
	ok(s.ReportDefect(s.ctx, root(), "Releases-1", "hold it"))(t)
	s.end(queue, deploy.TaskSuccess)
	if got := s.been("Releases-1"); got != "Deploy to Dev Success, Deploy to Dev Failed" {
		t.Errorf("a held release: %s", got)
	}
	ok(s.ResolveDefect(s.ctx, root(), "Releases-1"))(t)
	ok(s.Deploy(s.ctx, root(), again))(t)
	s.end(queue, deploy.TaskSuccess)
	if got := s.been("Releases-1"); !strings.HasPrefix(got, "Deploy to Production Queued, Deploy to Dev Success") {
		t.Errorf("after a success: %s", got)
	}
	s.end(queue, deploy.TaskSuccess)
	if _, left, err := queue.Claim(s.ctx); err != nil || !left.IsZero() {
		t.Errorf("the release goes on for ever: %v, %v", left, err)
	}
}
