// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/server/identity"
)

// drawGrants draws few places, so that they meet.
func drawGrants(t *rapid.T) []identity.Grant {
	projects := rapid.SampledFrom([]deploy.ProjectID{"Projects-1", "Projects-2", "Projects-3"})
	groups := rapid.SampledFrom([]deploy.ProjectGroupID{"ProjectGroups-1", "ProjectGroups-2"})
	environments := rapid.SampledFrom([]deploy.EnvironmentID{"Environments-1", "Environments-2"})
	grant := rapid.Custom(func(t *rapid.T) identity.Grant {
		return identity.Grant{
			Permissions: identity.NewSet(rapid.SliceOfN(rapid.SampledFrom(identity.Everything()), 1, 40).Draw(t,
				"permissions")...),
			Projects:     rapid.SliceOfN(projects, 0, 2).Draw(t, "projects"),
			Groups:       rapid.SliceOfN(groups, 0, 1).Draw(t, "groups"),
			Environments: rapid.SliceOfN(environments, 0, 2).Draw(t, "environments"),
		}
	})
	return rapid.SliceOfN(grant, 0, 3).Draw(t, "grants")
}

// byProject and byEnvironment spell out once more what each permission can be restricted to.
var (
	byProject = []identity.Permission{
		"ProjectView", "ProjectEdit", "ProcessEdit", "VariableView", "VariableEdit", "ReleaseView", "ReleaseCreate",
		"ReleaseEdit", "ReleaseDelete", "DefectReport", "DefectResolve", "DeploymentView", "DeploymentCreate", "TaskView",
		"TaskCreate", "TaskCancel", "EventView", "InterruptionView", "InterruptionSubmit", "ArtifactView", "ArtifactEdit",
		"ArtifactDelete",
	}
	byEnvironment = []identity.Permission{
		"VariableEdit", "DeploymentView", "DeploymentCreate", "TaskView", "TaskCreate", "TaskCancel", "EventView",
		"EnvironmentView", "EnvironmentEdit", "MachineView", "MachineEdit", "AccountView", "AccountEdit", "JoinTokenView",
		"JoinTokenCreate", "InterruptionView", "InterruptionSubmit", "ArtifactView", "ArtifactEdit",
		"ArtifactDelete",
	}
	anywhere = []identity.Permission{
		"LifecycleView", "LifecycleEdit", "LibraryVariableSetView", "LibraryVariableSetEdit", "FeedView", "BuiltInFeedPush",
		"BuiltInFeedAdminister", "MachinePolicyView", "MachinePolicyEdit", "UserView", "UserEdit", "TeamView", "TeamEdit",
		"UserRoleView", "UserRoleEdit", "ConfigureServer", "AdministerSystem", "SignedIn",
	}
)

// TestEveryPermissionIsClassified fails when a permission is added and nobody says where it can hold.
func TestEveryPermissionIsClassified(t *testing.T) {
	for _, p := range identity.Everything() {
		r := identity.Principal{Grants: []identity.Grant{{
			Permissions: identity.NewSet(p), Projects: []deploy.ProjectID{"Projects-1"},
			Environments: []deploy.EnvironmentID{"Environments-1"},
		}}}.Reach(p)
		if got, want := r.ByProject(), slices.Contains(byProject, p); got != want {
			t.Errorf("%s by project: %v, want %v", p, got, want)
		}
		if got, want := r.ByEnvironment(), slices.Contains(byEnvironment, p); got != want {
			t.Errorf("%s by environment: %v, want %v", p, got, want)
		}
		known := slices.Contains(byProject, p) || slices.Contains(byEnvironment, p) || slices.Contains(anywhere, p)
		if !known {
			t.Errorf("%s: say in this test what it can be restricted to", p)
		}
	}
}

// TestReachIsWhatTheGrantsSay compares with the sentence written out.
func TestReachIsWhatTheGrantsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := identity.Principal{Grants: drawGrants(t)}
		want := rapid.SampledFrom(identity.Everything()).Draw(t, "permission")
		place := identity.Place{
			Project:     rapid.SampledFrom([]deploy.ProjectID{"", "Projects-1", "Projects-2"}).Draw(t, "project"),
			Group:       rapid.SampledFrom([]deploy.ProjectGroupID{"", "ProjectGroups-1"}).Draw(t, "group"),
			Environment: rapid.SampledFrom([]deploy.EnvironmentID{"", "Environments-1"}).Draw(t, "environment"),
		}
		allowed, somewhere := false, false
		for _, g := range p.Grants {
			if !g.Permissions.Has(want) {
				continue
			}
			somewhere = true
			free := len(g.Projects) == 0 && len(g.Groups) == 0
			inProject := free || slices.Contains(g.Projects, place.Project) || slices.Contains(g.Groups, place.Group)
			inEnvironment := len(g.Environments) == 0 || slices.Contains(g.Environments, place.Environment)
			if (inProject || !slices.Contains(byProject, want)) && (inEnvironment || !slices.Contains(byEnvironment, want)) {
				allowed = true
			}
		}
		if got := p.NeedAt(want, place) == nil; got != allowed {
			t.Fatalf("%s at %+v: %v, want %v", want, place, got, allowed)
		}
		if got := p.Need(want) == nil; got != somewhere {
			t.Fatalf("%s somewhere: %v, want %v", want, got, somewhere)
		}
		if p.NeedEverywhere(want) == nil {
			t.Fatalf("%s everywhere, by grants that hold in places", want)
		}
		if p.NeedAt(want, place) != nil && p.Reach(want).CoversAll([]deploy.EnvironmentID{place.Environment}) &&
			place.Project == "" && place.Group == "" {
			t.Fatalf("%s covers all environments at %+v but not the place", want, place)
		}
	})
}
