// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

// lose removes one machine and disables another.
func (s *site) lose(removed, disabled string) {
	s.t.Helper()
	if removed != "" {
		if err := s.DeleteMachine(s.ctx, root(), removed); err != nil {
			s.t.Fatal(err)
		}
	}
	if disabled != "" {
		ok(s.EditMachine(s.ctx, root(), disabled, catalog.MachineDraft{
			Name: disabled, Environments: []string{"Dev"}, Tags: []string{"web"}, IsDisabled: true,
		}))(s.t)
	}
}

// TestARerunIsPlannedAnew: machines that are gone or disabled are left out, and the task's log says which.
func TestARerunIsPlannedAnew(t *testing.T) {
	for kind, queue := range map[deploy.TaskKind]func(s *site) (deploy.Task, error){
		deploy.ScriptTask: func(s *site) (deploy.Task, error) {
			return s.RunScript(s.ctx, root(), catalog.ScriptRequest{Body: "true", Tags: []string{"web"}})
		},
		deploy.HealthTask: func(s *site) (deploy.Task, error) { return s.CheckHealth(s.ctx, root(), nil) },
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := newSite(t)
			s.fill(step("A", scriptAction("A")))
			second, _ := s.machine("web-2", 2), s.machine("web-3", 3)
			done := ok(queue(s))(t)
			s.finish(done.ID, deploy.TaskSuccess)
			s.lose("web-1", "web-3")
			again := ok(s.Rerun(s.ctx, root(), string(done.ID)))(t)
			if got := again.Plan.Steps[0].Machines; !slices.Equal(got, []deploy.MachineID{second.ID}) {
				t.Errorf("it runs on %v, want %s alone", got, second.ID)
			}
			said := strings.Join(again.Plan.Notes, "\n")
			for _, want := range []string{"Machines-1 is not there any more", "web-3 is disabled"} {
				if !strings.Contains(said, want) {
					t.Errorf("the notes are %q, want %q in them", said, want)
				}
			}
			if !strings.Contains(again.Description, "web-2") {
				t.Errorf("the description is %q, and the task is for web-2", again.Description)
			}
			s.lose("web-2", "")
			why := strings.Join(reasons(t, errOf(s.Rerun(s.ctx, root(), string(done.ID)))), "\n")
			if !strings.Contains(why, "web-3 is disabled") || !strings.Contains(why, "no machine of "+string(done.ID)) {
				t.Errorf("with no machine left: %q", why)
			}
		})
	}
}

func errOf[T any](_ T, err error) error { return err }

// TestARerunOfADeploymentDoesWithoutTheGone: those it was for, and those it was not for.
func TestARerunOfADeploymentDoesWithoutTheGone(t *testing.T) {
	s := newSite(t)
	s.fill(step("A", scriptAction("A")))
	second := s.machine("web-2", 2)
	ok(s.MakeRelease(s.ctx, root(), catalog.ReleaseRequest{Project: "Web", Version: "1.0.0"}))(t)
	deployed := func(q catalog.DeployRequest) string {
		q.Project, q.Release, q.Environments = "Web", "1.0.0", []string{"Dev"}
		task := ok(s.Deploy(s.ctx, root(), q))(t)[0].Task
		s.finish(task, deploy.TaskSuccess)
		return string(task)
	}
	both := deployed(catalog.DeployRequest{Only: []string{"web-1", "web-2"}})
	without := deployed(catalog.DeployRequest{Except: []string{"web-1"}})
	alone := deployed(catalog.DeployRequest{Only: []string{"web-1"}})
	s.lose("web-1", "")
	for id, noted := range map[string]bool{both: true, without: false} {
		again := ok(s.Rerun(s.ctx, root(), id))(t)
		if got := again.Plan.Steps[0].Machines; !slices.Equal(got, []deploy.MachineID{second.ID}) {
			t.Errorf("%s goes to %v, want %s", id, got, second.ID)
		}
		if said := strings.Join(again.Plan.Notes, "\n"); strings.Contains(said, "Machines-1") != noted {
			t.Errorf("%s: the notes are %q", id, said)
		}
	}
	_, err := s.Rerun(s.ctx, root(), alone)
	if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), "Machines-1") {
		t.Errorf("with no machine left: %v", err)
	}
}

// TestARerunReachesNoFurtherThanItsCaller: a machine that went to another environment takes its task along.
func TestARerunReachesNoFurtherThanItsCaller(t *testing.T) {
	s := newSite(t)
	s.twoOfAll()
	p := holder(identity.Grant{Environments: []deploy.EnvironmentID{"Environments-1"}}, identity.TaskCreate, identity.TaskView)
	done := ok(s.RunScript(s.ctx, p, catalog.ScriptRequest{Body: "true", Machines: []string{"dev-1"}}))(t)
	s.finish(done.ID, deploy.TaskSuccess)
	ok(s.Rerun(s.ctx, p, string(done.ID)))(t)
	ok(s.EditMachine(s.ctx, root(), "dev-1", catalog.MachineDraft{Name: "dev-1", Environments: []string{"production"}}))(t)
	if _, err := s.Rerun(s.ctx, p, string(done.ID)); errkind.Of(err) != errkind.NotFound {
		t.Errorf("on a machine out of reach: %v, want as if it were not there", err)
	}
}
