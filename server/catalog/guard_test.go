// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

// holder is somebody with permissions in some places only.
func holder(grant identity.Grant, permissions ...identity.Permission) identity.Principal {
	grant.Permissions = identity.NewSet(permissions...)
	return identity.Principal{User: deploy.User{ID: "Users-9", Name: "ada"}, Grants: []identity.Grant{grant}}
}

// twoOfAll makes projects Web and Api with a release and a deployment to Dev each, a machine in Dev alone, one in
// Production alone, and one in both.
func (s *site) twoOfAll() {
	s.t.Helper()
	s.fill(step("A", scriptAction("A")))
	ok(s.CreateProject(s.ctx, root(), catalog.ProjectDraft{Name: "Api"}))(s.t)
	ok(s.SaveProcess(s.ctx, root(), "api", deploy.Process{Steps: []deploy.Step{step("A", scriptAction("A"))}}))(s.t)
	for i, e := range []string{"dev", "production"} {
		ok(s.AddListening(s.ctx, root(), catalog.MachineDraft{
			Name: e + "-1", Environments: []string{e}, Tags: []string{"web"}, Address: e + ":10933", Pin: fmt.Sprintf("%064x",
				50+i),
		}))(s.t)
	}
	for _, project := range []string{"Web", "Api"} {
		ok(s.MakeRelease(s.ctx, root(), catalog.ReleaseRequest{Project: project, Version: "1.0.0"}))(s.t)
		ok(s.Deploy(s.ctx, root(), catalog.DeployRequest{
			Project: project, Release: "1.0.0",
			Environments: []string{"Dev"},
		}))(s.t)
	}
}

func names[T any](list []T, name func(T) string) (all []string) {
	for _, x := range list {
		all = append(all, name(x))
	}
	slices.Sort(all)
	return all
}

func TestAGrantForAProjectShowsNoOther(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	p := holder(identity.Grant{Projects: []deploy.ProjectID{"Projects-1"}},
		identity.ProjectView, identity.ReleaseView, identity.DeploymentView, identity.TaskView, identity.ProjectEdit,
		identity.ProcessEdit, identity.ReleaseCreate, identity.ReleaseDelete, identity.DeploymentCreate, identity.TaskCancel)
	projects := ok(s.Projects(s.ctx, p))(t)
	if got := names(projects, func(p deploy.Project) string { return p.Name }); !slices.Equal(got, []string{"Web"}) {
		t.Errorf("projects %v, want Web alone", got)
	}
	tasks, total, err := s.Tasks(s.ctx, p, catalog.TaskFilter{Take: 1})
	if err != nil || total != 1 || len(tasks) != 1 || tasks[0].Project != "Projects-1" {
		t.Errorf("tasks %v of %d, %v; want one, of Web", tasks, total, err)
	}
	for what, call := range map[string]func(ref string, version string) error{
		"read a project": func(ref, _ string) error { _, err := s.Project(s.ctx, p, ref); return err },
		"read a process": func(ref, _ string) error { _, err := s.Process(s.ctx, p, ref); return err },
		"create a release": func(ref, v string) error {
			_, err := s.MakeRelease(s.ctx, p, catalog.ReleaseRequest{Project: ref, Version: v})
			return err
		},
		"deploy": func(ref, _ string) error {
			_, err := s.Deploy(s.ctx, p, catalog.DeployRequest{Project: ref, Release: "1.0.0", Environments: []string{"Dev"}})
			return err
		},
	} {
		if err := call("Web", "1.0.1"); err != nil {
			t.Errorf("%s inside: %v", what, err)
		}
		if err := call("Api", "1.0.1"); errkind.Of(err) != errkind.NotFound && errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s outside: %v, want as if it were not there", what, err)
		}
	}
	if _, err := s.Task(s.ctx, p, "ServerTasks-2"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("a task of another project: %v", err)
	}
	if _, err := s.Cancel(s.ctx, p, "ServerTasks-2"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("cancel a task of another project: %v", err)
	}
	if _, err := s.CreateProject(s.ctx, p, catalog.ProjectDraft{Name: "Third"}); errkind.Of(err) != errkind.Denied {
		t.Errorf("a project that no grant names: %v, want Denied", err)
	}
}

func TestAGrantForAnEnvironmentReachesNoOther(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	p := holder(identity.Grant{Environments: []deploy.EnvironmentID{"Environments-1"}},
		identity.EnvironmentView, identity.EnvironmentEdit, identity.MachineView, identity.MachineEdit,
		identity.DeploymentCreate, identity.DeploymentView, identity.TaskCreate, identity.TaskView, identity.TokenCreate,
		identity.TokenView, identity.VariableEdit, identity.EventView)
	environments := ok(s.Environments(s.ctx, p))(t)
	if got := names(environments, func(e deploy.Environment) string { return e.Name }); !slices.Equal(got,
		[]string{"Dev"}) {
		t.Errorf("environments %v, want Dev alone", got)
	}
	machines, total, err := s.MachinePage(s.ctx, p, func(*deploy.Machine) bool { return true }, 0, 10)
	if got := names(machines, func(m deploy.Machine) string { return m.Name }); err != nil || total != 2 ||
		!slices.Equal(got, []string{"dev-1", "web-1"}) {
		t.Errorf("machines %v of %d, %v; want those that are in Dev too", got, total, err)
	}
	everybody, total, err := s.MachinePage(s.ctx, root(), func(*deploy.Machine) bool { return true }, 0, 10)
	if len(everybody) != 3 || total != 3 || err != nil {
		t.Errorf("everybody's list has %d machines, %v", len(everybody), err)
	}
	deployTo := func(e string) error {
		_, err := s.Deploy(s.ctx, p, catalog.DeployRequest{Project: "Web", Release: "1.0.0", Environments: []string{e}})
		return err
	}
	script := func(machine string) error {
		_, err := s.RunScript(s.ctx, p, catalog.ScriptRequest{Body: "true", Machines: []string{machine}})
		return err
	}
	edit := func(machine string, environments ...string) error {
		_, err := s.EditMachine(s.ctx, p, machine, catalog.MachineDraft{Name: machine, Environments: environments})
		return err
	}
	token := func(environments ...string) error {
		_, _, err := s.CreateToken(s.ctx, p, catalog.TokenRequest{Environments: environments})
		return err
	}
	variable := func(e ...deploy.EnvironmentID) error {
		_, err := s.SaveVariables(s.ctx, p, "Web", deploy.VariableSet{Variables: []deploy.Variable{{
			Name: "A", Value: "1", Scope: deploy.Scope{Environments: e},
		}}})
		return err
	}
	for what, err := range map[string]error{
		"deploy to Production": deployTo("Production"), "run in Production": script("production-1"),
		"run in both":        script("web-1"),
		"move to Production": edit("dev-1", "Production"), "change what is in both": edit("web-1", "Dev"),
		"a token for Production": token("Dev", "Production"), "a token for nothing": token(),
		"a variable for all": variable(), "a variable for Production": variable("Environments-1", "Environments-2"),
	} {
		if errkind.Of(err) != errkind.Denied {
			t.Errorf("%s: %v, want Denied", what, err)
		}
	}
	for environment, want := range map[string]errkind.Kind{"Dev": 0, "Production": errkind.NotFound} {
		_, err := s.Preview(s.ctx, p, "Releases-1", environment, false)
		if (want == 0) != (err == nil) || want != 0 && errkind.Of(err) != want {
			t.Errorf("preview of a deployment to %s: %v", environment, err)
		}
	}
	if err := edit("production-1", "Dev"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("take from Production: %v, want as if it were not there", err)
	}
	for what, err := range map[string]error{
		"deploy": deployTo("Dev"), "run": script("dev-1"), "edit": edit("dev-1", "Dev"), "token": token("Dev"),
		"variable": variable("Environments-1"),
	} {
		if err != nil {
			t.Errorf("%s inside: %v", what, err)
		}
	}
}

// TestAGrantForAProjectShowsItsGroupAlone: the names of other groups tell of what lies outside.
func TestAGrantForAProjectShowsItsGroupAlone(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	ok(s.CreateGroup(s.ctx, root(), catalog.GroupDraft{Name: "Secret plans"}))(t)
	for name, c := range map[string]struct {
		grant identity.Grant
		want  []string
	}{
		"a project": {identity.Grant{Projects: []deploy.ProjectID{"Projects-1"}}, []string{"Default Project Group"}},
		"a group":   {identity.Grant{Groups: []deploy.ProjectGroupID{"ProjectGroups-2"}}, []string{"Secret plans"}},
	} {
		groups := ok(s.Groups(s.ctx, holder(c.grant, identity.ProjectView)))(t)
		if got := names(groups, func(g deploy.ProjectGroup) string { return g.Name }); !slices.Equal(got, c.want) {
			t.Errorf("%s: groups %v, want %v", name, got, c.want)
		}
	}
}

// TestATaskOnNoMachineIsNobodysInAPlace: a plan whose steps name no machine is in no environment.
func TestATaskOnNoMachineIsNobodysInAPlace(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	p := holder(identity.Grant{Environments: []deploy.EnvironmentID{"Environments-1"}}, identity.TaskView)
	err := s.store.Update(s.ctx, func(w store.Writer) error {
		return w.PutTask(deploy.Task{
			ID: "ServerTasks-99", Space: deploy.DefaultSpace, Kind: deploy.HealthTask, State: deploy.TaskSuccess,
			Plan: deploy.Plan{Steps: []deploy.PlannedStep{{Number: 1, Name: "Check health"}}},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Task(s.ctx, p, "ServerTasks-99"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("a task on no machine: %v, want as if it were not there", err)
	}
}

// TestNoWriteSlipsPastAGuard has a principal whose one permission is about something else try every write.
func TestNoWriteSlipsPastAGuard(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	p := holder(identity.Grant{Projects: []deploy.ProjectID{"Projects-2"}}, identity.ReleaseDelete,
		identity.ReleaseEdit, identity.ProjectEdit)
	for what, err := range map[string]error{
		"release": s.DeleteRelease(s.ctx, p, "Releases-1"), "project": s.DeleteProject(s.ctx, p, "Web"),
		"group": s.DeleteGroup(s.ctx, p, "Default Project Group"),
	} {
		if kind := errkind.Of(err); kind != errkind.NotFound && kind != errkind.Denied && kind != errkind.Invalid ||
			err == nil {
			t.Errorf("delete a %s outside: %v", what, err)
		}
	}
	if _, err := s.Release(s.ctx, root(), "Releases-1"); err != nil {
		t.Errorf("the release is gone: %v", err)
	}
}

// TestEventsAreShownOfWhatLiesInReach compares them with those that a look at each subject admits.
func TestEventsAreShownOfWhatLiesInReach(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	all := ok(s.Events(s.ctx, root(), catalog.EventFilter{}))(t)
	for name, c := range map[string]struct {
		grant       identity.Grant
		there, away []string
	}{
		"a project": {
			identity.Grant{Projects: []deploy.ProjectID{"Projects-1"}},
			[]string{"Projects-1", "Releases-1"},
			[]string{"Projects-2", "Machines-1", "Environments-1", "Lifecycles-1"},
		},
		"an environment": {
			identity.Grant{Environments: []deploy.EnvironmentID{"Environments-1"}},
			[]string{"Environments-1", "Machines-1"},
			[]string{"Environments-2"},
		},
	} {
		p := holder(c.grant, identity.EventView)
		seen := ok(s.Events(s.ctx, p, catalog.EventFilter{}))(t)
		if len(seen) == 0 || len(seen) >= len(all) {
			t.Errorf("%s: %d of %d events", name, len(seen), len(all))
		}
		subjects := names(seen, func(e deploy.Event) string { return e.Subject })
		for _, id := range c.there {
			if !slices.Contains(subjects, id) {
				t.Errorf("%s: no event of %s", name, id)
			}
		}
		for _, id := range c.away {
			if slices.Contains(subjects, id) {
				t.Errorf("%s: an event of %s", name, id)
			}
		}
		for i := range seen { // each page of one is the event of that place
			page := ok(s.Events(s.ctx, p, catalog.EventFilter{Skip: i, Take: 1}))(t)
			if len(page) != 1 || page[0].Number != seen[i].Number {
				t.Errorf("%s: page %d is %+v, want number %d", name, i, page, seen[i].Number)
			}
		}
	}
	nobody := holder(identity.Grant{Projects: []deploy.ProjectID{"Projects-1"}}, identity.ProjectView)
	if _, err := s.Events(s.ctx, nobody, catalog.EventFilter{}); errkind.Of(err) != errkind.Denied {
		t.Errorf("without the permission: %v", err)
	}
}

// TestScopedTasksAreWhatOneMaySee compares every page of the list with what the holder of a scoped role may read one
// by one.
func TestScopedTasksAreWhatOneMaySee(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	machines := ok(s.Machines(s.ctx, root(), catalog.MachineFilter{}))(t)
	for _, m := range machines {
		ok(s.CheckHealth(s.ctx, root(), []string{m.Name}))(t)
		s.now = s.now.Add(time.Second)
	}
	all, _, err := s.Tasks(s.ctx, root(), catalog.TaskFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for i, project := range []deploy.ProjectID{"Projects-1", "Projects-2", "Projects-1", "Projects-3"} {
		s.putDeploymentTask(deploy.Task{
			ID: deploy.TaskID("ServerTasks-9" + strconv.Itoa(i)), Project: project, Space: deploy.DefaultSpace,
			Environment: deploy.EnvironmentID("Environments-" + strconv.Itoa(1+i%2)), Kind: deploy.DeployTask,
			State: deploy.TaskSuccess, QueuedAt: all[i%len(all)].QueuedAt,
		})
	}
	if all, _, err = s.Tasks(s.ctx, root(), catalog.TaskFilter{}); err != nil || len(all) < 9 {
		t.Fatalf("%d tasks, %v", len(all), err)
	}
	for _, g := range []identity.Grant{
		{Projects: []deploy.ProjectID{"Projects-1"}},
		{Environments: []deploy.EnvironmentID{"Environments-1"}},
		{Projects: []deploy.ProjectID{"Projects-1"}, Environments: []deploy.EnvironmentID{"Environments-2"}},
		{Groups: []deploy.ProjectGroupID{"ProjectGroups-1"}},
		{Groups: []deploy.ProjectGroupID{"ProjectGroups-9"}},
		{Projects: []deploy.ProjectID{"Projects-2"}, Groups: []deploy.ProjectGroupID{"ProjectGroups-9"}},
	} {
		g.Permissions = identity.NewSet(identity.TaskView)
		p := identity.Principal{User: deploy.User{Name: "ada"}, Grants: []identity.Grant{g}}
		want := []deploy.TaskID{}
		for _, task := range all {
			if _, err := s.Task(s.ctx, p, string(task.ID)); err == nil {
				want = append(want, task.ID)
			}
		}
		for skip := range len(want) + 2 {
			for take := range len(want) + 2 {
				page, total, err := s.Tasks(s.ctx, p, catalog.TaskFilter{Skip: skip, Take: take})
				got := []deploy.TaskID{}
				for _, task := range page {
					got = append(got, task.ID)
				}
				end := len(want)
				if take > 0 {
					end = min(skip+take, end)
				}
				begin := min(skip, len(want))
				diff := cmp.Diff(want[begin:max(end, begin)], got)
				if diff != "" || total != len(want) || err != nil {
					t.Errorf("%+v skip %d take %d: total %d of %d, %v\n%s", g, skip, take, total, len(want), err, diff)
				}
			}
		}
	}
}

// TestScopedTasksAreMoreThanOneReading: what belongs to no project is read in pages, and none of them is left out.
func TestScopedTasksAreMoreThanOneReading(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	const some = 1201 // three readings of 500
	machine := ok(s.Machines(s.ctx, root(), catalog.MachineFilter{}))(t)[0]
	err := s.store.Update(s.ctx, func(w store.Writer) error {
		var err error
		for i := range some {
			err = errors.Join(err, w.PutTask(deploy.Task{
				ID: deploy.TaskID("ServerTasks-" + strconv.Itoa(1000+i)), Space: deploy.DefaultSpace, Kind: deploy.HealthTask,
				State: deploy.TaskSuccess, QueuedAt: s.now,
				Plan: deploy.Plan{Steps: []deploy.PlannedStep{{Machines: []deploy.MachineID{machine.ID}}}},
			}))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p := identity.Principal{User: deploy.User{Name: "ada"}, Grants: []identity.Grant{{
		Permissions: identity.NewSet(identity.TaskView), Environments: machine.Environments,
	}}}
	page, total, err := s.Tasks(s.ctx, p, catalog.TaskFilter{Kind: deploy.HealthTask, Skip: some - 1, Take: 2})
	if err != nil || total != some || len(page) != 1 || page[0].ID != "ServerTasks-1000" {
		t.Errorf("%d tasks, the last of them %v, %v; want %d that end with ServerTasks-1000", total, page, err, some)
	}
}

func (s *site) putDeploymentTask(task deploy.Task) {
	s.t.Helper()
	if err := s.store.Update(s.ctx, func(w store.Writer) error { return w.PutTask(task) }); err != nil {
		s.t.Fatal(err)
	}
}
