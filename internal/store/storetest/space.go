// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// fillSpace writes one thing of each kind, with the same names in every space.
func fillSpace(w store.Writer, space deploy.SpaceID, n int) error {
	id := func(collection string) string { return fmt.Sprintf("%s-%d", collection, n) }
	task, project := deploy.TaskID(id("ServerTasks")), deploy.ProjectID(id("Projects"))
	release := deploy.ReleaseID(id("Releases"))
	return errors.Join(
		w.PutSpace(deploy.Space{ID: space, Name: string(space)}),
		w.PutEnvironment(deploy.Environment{ID: deploy.EnvironmentID(id("Environments")), Space: space, Name: "a"}),
		w.PutMachine(deploy.Machine{ID: deploy.MachineID(id("Machines")), Space: space, Name: "a", Pin: id("pin")}),
		w.PutProjectGroup(deploy.ProjectGroup{ID: deploy.ProjectGroupID(id("ProjectGroups")), Space: space, Name: "a"}),
		w.PutLifecycle(deploy.Lifecycle{ID: deploy.LifecycleID(id("Lifecycles")), Space: space, Name: "a"}),
		w.PutProject(deploy.Project{ID: project, Space: space, Name: "a"}),
		w.PutRelease(deploy.Release{ID: release, Space: space, Project: project, Version: "1"}),
		w.PutTask(deploy.Task{ID: task, Space: space}),
		w.PutDeployment(deploy.Deployment{
			ID: deploy.DeploymentID(id("Deployments")), Space: space, Project: project, Release: release, Task: task,
		}),
		w.PutInterruption(deploy.Interruption{ID: deploy.InterruptionID(id("Interruptions")), Space: space, Task: task}),
		w.PutLibrarySet(deploy.LibrarySet{ID: deploy.LibrarySetID(id("Sets")), Space: space, Name: "a"}),
		w.PutAccount(deploy.Account{ID: deploy.AccountID(id("Accounts")), Space: space, Name: "a"}),
		w.PutMachinePolicy(deploy.MachinePolicy{ID: deploy.MachinePolicyID(id("Policies")), Space: space, Name: "a"}),
		w.PutJoinToken(deploy.JoinToken{ID: deploy.TokenID(id("Tokens")), Space: space}),
		w.PutArtifact(deploy.Artifact{ID: deploy.ArtifactID(id("Artifacts")), Task: task, SHA256: "same"}),
		w.PutPackage(deploy.Package{Space: space, ID: "Web", Version: "1", SHA256: id("sum")}),
		second(w.AddEvent(deploy.Event{Space: space, Category: "Filled"})),
	)
}

// inSpace is how many things of each kind a space has.
func inSpace(t *testing.T, s store.Store, space deploy.SpaceID) map[string]int {
	t.Helper()
	n := map[string]int{}
	view(t, s, func(r store.Reader) error {
		var errs []error
		keep := func(what string, count int, err error) { n[what], errs = count, append(errs, err) }
		environments, err := r.Environments(space)
		keep("environments", len(environments), err)
		machines, err := r.Machines(store.MachineFilter{Space: space})
		keep("machines", len(machines), err)
		groups, err := r.ProjectGroups(space)
		keep("groups", len(groups), err)
		lifecycles, err := r.Lifecycles(space)
		keep("lifecycles", len(lifecycles), err)
		projects, err := r.Projects(space)
		keep("projects", len(projects), err)
		deployments, err := r.Deployments(store.DeploymentFilter{Space: space})
		keep("deployments", len(deployments), err)
		tasks, total, err := r.Tasks(store.TaskFilter{Space: space})
		keep("tasks", len(tasks), err)
		keep("tasks in all", total, nil)
		interruptions, err := r.Interruptions(store.InterruptionFilter{Space: space})
		keep("interruptions", len(interruptions), err)
		sets, err := r.LibrarySets(space)
		keep("library sets", len(sets), err)
		accounts, err := r.Accounts(space)
		keep("accounts", len(accounts), err)
		policies, err := r.MachinePolicies(space)
		keep("policies", len(policies), err)
		tokens, err := r.JoinTokens(space)
		keep("tokens", len(tokens), err)
		packages, err := r.Packages(store.PackageFilter{Space: space})
		keep("packages", len(packages), err)
		events, err := r.Events(store.EventFilter{Space: space})
		keep("events", len(events), err)
		return errors.Join(errs...)
	})
	return n
}

// spacesAreApart fills two spaces with things of the same names and deletes one of them.
func spacesAreApart(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		return errors.Join(fillSpace(w, deploy.DefaultSpace, 1), fillSpace(w, "Spaces-2", 2),
			second(w.AddEvent(deploy.Event{Category: "OfTheInstallation"})))
	})
	refused(t, s, errkind.Conflict, func(w store.Writer) error {
		return w.PutSpace(deploy.Space{ID: "Spaces-3", Name: "sPACES-2"})
	})
	full, other := inSpace(t, s, deploy.DefaultSpace), inSpace(t, s, "Spaces-2")
	for what, n := range other {
		if n != 1 {
			t.Errorf("Spaces-2 has %d %s, want 1", n, what)
		}
	}
	full["events"]-- // that of the installation
	same(t, "both have the same", other, full)
	view(t, s, func(r store.Reader) error {
		for n, space := range []deploy.SpaceID{deploy.DefaultSpace, "Spaces-2"} {
			p, err := r.Package(space, "WEB", "1")
			if err != nil {
				return err
			}
			same(t, "package", deploy.Package{Space: space, ID: "Web", Version: "1", SHA256: fmt.Sprintf("sum-%d", n+1)}, p)
		}
		return nil
	})
	remove := func(w store.Writer) error { return w.DeleteSpace("Spaces-2") }
	update(t, s, remove)
	refused(t, s, errkind.NotFound, remove)
	for what, n := range inSpace(t, s, "Spaces-2") {
		if want := map[bool]int{true: 1}[what == "events"]; n != want {
			t.Errorf("after it was deleted Spaces-2 has %d %s, want %d", n, what, want)
		}
	}
	view(t, s, func(r store.Reader) error {
		held, err := r.Artifacts(store.ArtifactFilter{})
		if len(held) != 1 || held[0].ID != "Artifacts-1" {
			t.Errorf("artifacts %v, want that of the space that stays", held)
		}
		return err
	})
	full["events"]++
	same(t, "the other keeps all", full, inSpace(t, s, deploy.DefaultSpace))
	refused(t, s, errkind.Conflict, func(w store.Writer) error { // its machine's pin is retired
		return w.PutMachine(deploy.Machine{ID: "Machines-9", Space: deploy.DefaultSpace, Name: "b", Pin: "pin-2"})
	})
}
