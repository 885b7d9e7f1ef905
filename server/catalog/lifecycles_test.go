// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

// refused asks for the broken rules of an error, and for a word in one of them.
func refused(t *testing.T, what string, err error, word string) {
	t.Helper()
	if got := strings.Join(reasons(t, err), "; "); !strings.Contains(got, word) {
		t.Errorf("%s: %q, want %q in it", what, got, word)
	}
}

func TestLifecyclesAreEdited(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	draft := catalog.LifecycleDraft{
		Name: "Careful", OnMachine: deploy.Retention{Strategy: deploy.KeepCount, Quantity: 2, Unit: deploy.KeepItems},
		Phases: []catalog.PhaseDraft{
			{Name: "Test", Automatic: []string{"dev"}},
			{Name: "Rest", IsPriority: true, Releases: deploy.Retention{Strategy: deploy.KeepForever}},
		},
	}
	made := ok(s.CreateLifecycle(s.ctx, root(), draft))(t)
	if got := made.Phases[0]; !cmp.Equal(got.Environments, got.Automatic) || len(got.Automatic) != 1 || got.ID == "" {
		t.Errorf("first phase %+v", got)
	}
	held := ok(s.Lifecycle(s.ctx, root(), "careful"))(t)
	if diff := cmp.Diff(made.Phases[0], held.Phases[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if filled := ok(s.PreviewLifecycle(s.ctx, root(), "Careful"))(t); len(filled.Phases[1].Environments) != 1 {
		t.Errorf("the phase without environments gets %v", filled.Phases[1].Environments)
	}
	if filled := ok(s.PreviewLifecycle(s.ctx, root(), "Default Lifecycle"))(t); len(filled.Phases) != 2 {
		t.Errorf("a lifecycle without phases shows %d", len(filled.Phases))
	}
	for word, bad := range map[string]catalog.LifecycleDraft{
		"exists already":          {Name: "careful "},
		"needs a name":            {},
		"no environment \"nope\"": {Name: "X", Phases: []catalog.PhaseDraft{{Name: "P", Manual: []string{"nope"}}}},
		"environment Dev (Environments-1) is in the phases": {Name: "X", Phases: []catalog.PhaseDraft{
			{Name: "P", Manual: []string{"dev"}}, {Name: "Q", Automatic: []string{"Dev"}},
		}},
		"two phases":         {Name: "X", Phases: []catalog.PhaseDraft{{Name: "P"}, {Name: "p"}}},
		"wants 2 of its 1":   {Name: "X", Phases: []catalog.PhaseDraft{{Name: "P", Manual: []string{"dev"}, Minimum: 2}}},
		"keeps 0":            {Name: "X", Releases: deploy.Retention{Strategy: deploy.KeepCount, Unit: deploy.KeepDays}},
		"retention strategy": {Name: "X", Releases: deploy.Retention{Strategy: "Never"}},
	} {
		_, err := s.CreateLifecycle(s.ctx, root(), bad)
		refused(t, word, err, word)
	}
	ok(s.EditProject(s.ctx, root(), "Web", catalog.ProjectDraft{Name: "Web", Lifecycle: "Careful"}))(t)
	refused(t, "in use", s.DeleteLifecycle(s.ctx, root(), "Careful"), "project Web uses")
	if users := ok(s.LifecycleProjects(s.ctx, root(), "Careful"))(t); len(users) != 1 {
		t.Errorf("%d projects", len(users))
	}
	ok(s.EditProject(s.ctx, root(), "Web", catalog.ProjectDraft{Name: "Web", Lifecycle: "Default Lifecycle"}))(t)
	if err := s.DeleteLifecycle(s.ctx, root(), "Careful"); err != nil {
		t.Error(err)
	}
	refused(t, "the last one", s.DeleteLifecycle(s.ctx, root(), "Default Lifecycle"), "is the last one")
}

func TestGroupsAreEdited(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	ok(s.CreateGroup(s.ctx, root(), catalog.GroupDraft{Name: "Shop"}))(t)
	edited := ok(s.EditGroup(s.ctx, root(), "shop", catalog.GroupDraft{Name: "Store", Description: "all"}))(t)
	if edited.Slug != "shop" || edited.Name != "Store" {
		t.Errorf("%+v", edited)
	}
	_, err := s.EditGroup(s.ctx, root(), "shop", catalog.GroupDraft{Name: catalog.DefaultGroupName})
	refused(t, "a taken name", err, "exists already")
	refused(t, "in use", s.DeleteGroup(s.ctx, root(), catalog.DefaultGroupName), "holds project Web")
	if err := s.DeleteGroup(s.ctx, root(), "shop"); err != nil {
		t.Error(err)
	}
}

func TestEnvironmentsAreSorted(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"A", "B", "C"} {
		ok(s.CreateEnvironment(s.ctx, root(), catalog.EnvironmentDraft{Name: name}))(t)
	}
	if err := s.SortEnvironments(s.ctx, root(), []string{"Environments-3", "a"}); err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, e := range ok(s.Environments(s.ctx, root()))(t) {
		names += e.Name
	}
	if names != "CAB" {
		t.Errorf("order %s, want CAB", names)
	}
	refused(t, "twice", s.SortEnvironments(s.ctx, root(), []string{"a", "A"}), "named twice")
	refused(t, "none", s.SortEnvironments(s.ctx, root(), nil), "no environment is named")
}

func TestChannelsAreEdited(t *testing.T) {
	s := newSite(t)
	s.push("Web.App", "1.0.0", "2.0.0-beta")
	s.fill(step("Web", packageAction("Web", "Web.App")))
	rule := deploy.ChannelRule{Packages: []deploy.ActionPackage{{Action: "web"}}, Versions: "[1.0,2.0)", Tag: "^$"}
	draft := catalog.ChannelDraft{Project: "Web", Name: "Hotfix", Rules: []deploy.ChannelRule{rule}}
	made := ok(s.CreateChannel(s.ctx, root(), draft))(t)
	if made.Slug != "hotfix" || made.Rules[0].ID == "" {
		t.Errorf("%+v", made)
	}
	draft.IsDefault = true
	ok(s.EditChannel(s.ctx, root(), string(made.ID), draft))(t)
	all := ok(s.Channels(s.ctx, root(), "Web"))(t)
	if all[0].ID != made.ID || all[1].IsDefault {
		t.Errorf("the new default channel does not take the place of the old: %+v", all)
	}
	refused(t, "the default", s.DeleteChannel(s.ctx, root(), string(made.ID)), "is the default one")
	if err := s.DeleteChannel(s.ctx, root(), string(all[1].ID)); err != nil {
		t.Error(err)
	}
	for word, change := range map[string]func(*catalog.ChannelDraft){
		"exists already":    func(*catalog.ChannelDraft) {},
		"needs a name":      func(d *catalog.ChannelDraft) { d.Name = " " },
		"no lifecycle":      func(d *catalog.ChannelDraft) { d.Lifecycle = "nope" },
		"is not closed":     func(d *catalog.ChannelDraft) { d.Rules[0].Versions = "[1.0" },
		"no action \"App\"": func(d *catalog.ChannelDraft) { d.Rules[0].Packages = []deploy.ActionPackage{{Action: "App"}} },
		"names no package":  func(d *catalog.ChannelDraft) { d.Rules[0].Packages = nil },
		"asks for nothing":  func(d *catalog.ChannelDraft) { d.Rules[0].Versions, d.Rules[0].Tag = "", "" },
		"needs a project":   func(d *catalog.ChannelDraft) { d.Project = "" },
	} {
		bad := catalog.ChannelDraft{Project: "Web", Name: "Hotfix", Rules: []deploy.ChannelRule{rule}}
		change(&bad)
		_, err := s.CreateChannel(s.ctx, root(), bad)
		refused(t, word, err, word)
	}
	if _, err := s.EditChannel(s.ctx, root(), "Channels-99", draft); errkind.Of(err) != errkind.NotFound {
		t.Errorf("unknown channel: %v", err)
	}
}

func TestActionsNameChannelsOfTheirProject(t *testing.T) {
	s := newSite(t)
	action := scriptAction("A")
	s.fill(step("A", action))
	made := ok(s.CreateChannel(s.ctx, root(), catalog.ChannelDraft{Project: "Web", Name: "Hotfix"}))(t)
	action.Channels = []deploy.ChannelID{made.ID}
	ok(s.SaveProcess(s.ctx, root(), "web", deploy.Process{Version: 1, Steps: []deploy.Step{step("A", action)}}))(t)
	refused(t, "a channel that an action names", s.DeleteChannel(s.ctx, root(), string(made.ID)), "action A of the process")
	action.Channels = []deploy.ChannelID{"Channels-99"}
	_, err := s.SaveProcess(s.ctx, root(), "web", deploy.Process{Version: 2, Steps: []deploy.Step{step("A", action)}})
	refused(t, "an unknown channel", err, "names a channel that the project has not")
}
