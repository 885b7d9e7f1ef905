// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// secondSpace adds the space Spaces-2.
func (s *site) secondSpace(t *testing.T) {
	t.Helper()
	err := s.store.Update(t.Context(), func(w store.Writer) error {
		return w.PutSpace(deploy.Space{ID: "Spaces-2", Name: "Second", Slug: "second"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// join adds a user to a new team with roles, and returns who he is then.
func (s *site) join(t *testing.T, p identity.Principal, name string, roles ...deploy.ScopedRole) identity.Principal {
	t.Helper()
	team, err := s.CreateTeam(t.Context(), identity.System(), identity.TeamDraft{
		Name: name, Members: []deploy.UserID{p.User.ID},
	})
	for _, r := range roles {
		_, given := s.AddScopedRole(t.Context(), identity.System(), identity.TeamRole{Team: team.ID, ScopedRole: r})
		err = errors.Join(err, given)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.as(t, p.User.ID)
}

// TestZ9ARoleRisesInNoOtherSpace: who may all in one space and edits roles changes none that is given in another,
// where he may less.
func TestZ9ARoleRisesInNoOtherSpace(t *testing.T) {
	s := newSite(t)
	s.place(t)
	s.secondSpace(t)
	ctx, system := t.Context(), identity.System()
	reader, err := s.CreateUserRole(ctx, system, identity.RoleDraft{Name: "Reader", Permissions: []string{"ProjectView"}})
	if err != nil {
		t.Fatal(err)
	}
	editor, err := s.CreateUserRole(ctx, system, identity.RoleDraft{Name: "Editor", System: []string{"UserRoleEdit"}})
	if err != nil {
		t.Fatal(err)
	}
	p := s.hire(t, "mallory", identity.SpaceManagerRoleID, deploy.ScopedRole{Space: deploy.DefaultSpace})
	p = s.join(t, p, "Readers", deploy.ScopedRole{Role: reader.ID, Space: "Spaces-2"}, deploy.ScopedRole{Role: editor.ID})
	more := identity.RoleDraft{Name: "Reader", Permissions: []string{"ProjectView", "AccountView"}}
	_, err = s.EditUserRole(ctx, p, reader.ID, more)
	wantKind(t, "a right for himself in the other space", err, errkind.Denied)
	if now := s.as(t, p.User.ID).In("Spaces-2"); now.Need(identity.AccountView) == nil {
		t.Error("he has it")
	}
	if _, err := s.EditUserRole(ctx, system, reader.ID, more); err != nil {
		t.Errorf("who may all everywhere: %v", err)
	}
	_, err = s.EditUserRole(ctx, p, reader.ID, identity.RoleDraft{Name: "Reader"})
	wantKind(t, "taking a right from others there", err, errkind.Denied)
}

// TestZ9ManagersGetNoMoreThanTheirGiverHas: who administers, but is no system administrator, makes himself none by a
// team of managers that somebody gave more.
func TestZ9ManagersGetNoMoreThanTheirGiverHas(t *testing.T) {
	s := newSite(t)
	s.place(t)
	ctx, system := t.Context(), identity.System()
	made, err := s.CreateUserRole(ctx, system, identity.RoleDraft{Name: "Landlord", System: []string{"AdministerSystem"}})
	if err != nil {
		t.Fatal(err)
	}
	p := s.hire(t, "mallory", made.ID, deploy.ScopedRole{})
	p = s.join(t, p, "Managers", deploy.ScopedRole{Role: identity.SpaceManagerRoleID})
	mine := identity.SpaceManagers{Members: []deploy.UserID{p.User.ID}}
	check := func() (err error) {
		return s.store.View(ctx, func(r store.Reader) error {
			_, err := mine.Change(r, p, deploy.DefaultSpace)
			return err
		})
	}
	if err := check(); err != nil {
		t.Fatalf("what a manager may: %v", err)
	}
	_, err = s.AddScopedRole(ctx, system, identity.TeamRole{
		Team: identity.ManagersTeamID, ScopedRole: deploy.ScopedRole{Role: identity.AdministratorRoleID},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, "joining managers who are administrators", check(), errkind.Denied)
}

// TestManagersAreNoTeamOfAnotherSpace, nor one that gives all the roles that a team may.
func TestManagersAreNoTeamOfAnotherSpace(t *testing.T) {
	s := newSite(t)
	s.place(t)
	s.secondSpace(t)
	ctx, system := t.Context(), identity.System()
	there, err := s.CreateTeam(ctx, system, identity.TeamDraft{Name: "There", Space: "Spaces-2"})
	if err != nil {
		t.Fatal(err)
	}
	full, err := s.CreateTeam(ctx, system, identity.TeamDraft{Name: "Full"})
	for range 100 {
		_, given := s.AddScopedRole(ctx, system, identity.TeamRole{
			Team: full.ID, ScopedRole: deploy.ScopedRole{Role: "userroles-projectviewer"},
		})
		err = errors.Join(err, given)
	}
	if err != nil {
		t.Fatal(err)
	}
	put := func(space deploy.SpaceID, team deploy.TeamID) error {
		return s.store.Update(ctx, func(w store.Writer) error {
			return identity.PutManagers(w, space, identity.SpaceManagers{Teams: []deploy.TeamID{team}})
		})
	}
	wantKind(t, "a team of another space", put(deploy.DefaultSpace, there.ID), errkind.Invalid)
	wantKind(t, "a team with 100 roles", put(deploy.DefaultSpace, full.ID), errkind.Exhausted)
	if err := put("Spaces-2", there.ID); err != nil {
		t.Error(err)
	}
}

// TestZ9NobodyJoinsThoseWhoAnswer: a team that a step names gives the right to answer, although no role says so.
func TestZ9NobodyJoinsThoseWhoAnswer(t *testing.T) {
	s := newSite(t)
	s.place(t)
	ctx, system := t.Context(), identity.System()
	team := func(name string, members ...deploy.UserID) deploy.TeamID {
		made, err := s.CreateTeam(ctx, system, identity.TeamDraft{Name: name, Members: members})
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	write := func(f func(store.Writer) error) {
		if err := s.store.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	named, asked, soon, idle := team("Named"), team("Asked"), team("Soon"), team("Idle")
	asks := func(teams string) deploy.Action {
		return deploy.Action{ID: "a", Name: "Ask", Kind: deploy.ManualAction, Properties: map[string]string{deploy.PropTeams: teams}}
	}
	plan := func(team deploy.TeamID) deploy.Plan {
		return deploy.Plan{Steps: []deploy.PlannedStep{{Name: "Ask", Actions: []deploy.Action{asks(string(team))}}}}
	}
	write(func(w store.Writer) error {
		action := asks("Teams-77, " + strings.ToUpper(string(named)))
		_, err := w.PutProcess(deploy.Process{Project: "Projects-2", Steps: []deploy.Step{{Name: "Ask", Actions: []deploy.Action{action}}}})
		task := deploy.Task{ID: "ServerTasks-1", Space: deploy.DefaultSpace, Project: "Projects-2", State: deploy.TaskExecuting}
		task.Plan = plan(asked)
		later, done := task, task
		later.ID, later.State, later.Plan = "ServerTasks-2", deploy.TaskQueued, plan(soon)
		done.ID, done.State, done.Plan = "ServerTasks-3", deploy.TaskSuccess, plan(idle)
		return errors.Join(err, w.PutTask(task), w.PutTask(later), w.PutTask(done), w.PutInterruption(deploy.Interruption{
			ID: "Interruptions-1", Space: deploy.DefaultSpace, Task: "ServerTasks-1", Kind: deploy.ManualInterruption,
			Teams: []string{string(asked)}, CreatedAt: s.now,
		}))
	})
	may := func(role identity.RoleDraft) deploy.RoleID {
		made, err := s.CreateUserRole(ctx, system, role)
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	clerk := may(identity.RoleDraft{Name: "Clerk", Permissions: []string{"InterruptionSubmit"}, System: []string{"TeamEdit", "TeamView"}})
	mallory := s.hire(t, "mallory", clerk, deploy.ScopedRole{})
	join := func(p identity.Principal, id deploy.TeamID, members ...deploy.UserID) error {
		held, err := s.Team(ctx, system, id)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.EditTeam(ctx, p, id, identity.TeamDraft{Name: held.Name, Description: "new", Members: members})
		return err
	}
	for name, id := range map[string]deploy.TeamID{"named by a step": named, "asked just now": asked, "asked soon": soon} {
		wantKind(t, name, join(mallory, id, mallory.User.ID), errkind.Denied)
		if err := join(mallory, id); err != nil {
			t.Errorf("%s: another description: %v", name, err)
		}
	}
	if err := join(mallory, idle, mallory.User.ID); err != nil {
		t.Errorf("a team that answers nothing: %v", err)
	}
	editor := may(identity.RoleDraft{
		Name: "Editor", Permissions: []string{"ProcessEdit"}, System: []string{"TeamEdit", "TeamView"},
	})
	other := s.hire(t, "eve", editor, deploy.ScopedRole{Projects: []deploy.ProjectID{"Projects-1"}})
	wantKind(t, "who edits another process", join(other, named, other.User.ID), errkind.Denied)
	right := s.hire(t, "ada", editor, deploy.ScopedRole{Projects: []deploy.ProjectID{"Projects-2"}})
	if err := join(right, named, mallory.User.ID); err != nil {
		t.Errorf("who edits the process: %v", err)
	}
	if err := join(s.as(t, mallory.User.ID), named, mallory.User.ID, right.User.ID); err != nil {
		t.Errorf("who is in it and may answer: %v", err)
	}
	wantKind(t, "deleting it", s.DeleteTeam(ctx, other, named), errkind.Denied)
	wantKind(t, "making one that a step waits for", func() error {
		for i := range 77 {
			made, err := s.CreateTeam(ctx, mallory, identity.TeamDraft{
				Name: fmt.Sprint("Guess ", i), Members: []deploy.UserID{mallory.User.ID},
			})
			if err != nil || made.ID == "Teams-77" {
				return err
			}
		}
		return nil
	}(), errkind.Denied)
}

// TestA4NoPasswordOutlivesTheKeyThatSetsIt: a key that ends, and a session that it opened, sets no password.
func TestA4NoPasswordOutlivesTheKeyThatSetsIt(t *testing.T) {
	s := newSite(t)
	s.place(t)
	ctx := t.Context()
	ada := s.hire(t, "ada", "userroles-projectviewer", deploy.ScopedRole{})
	_, text := s.key(t, ada.User.ID, s.now.Add(time.Hour))
	byKey, err := s.ByKey(ctx, "here", text)
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, err := s.SignIn(ctx, "here", text)
	if err != nil {
		t.Fatal(err)
	}
	bySession, err := s.BySession(ctx, cookie)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]identity.Principal{"the key": byKey, "its session": bySession} {
		_, err := s.EditUser(ctx, p, ada.User.ID, identity.UserDraft{Password: "correct horse"})
		wantKind(t, name, err, errkind.Denied)
		if _, err := s.EditUser(ctx, p, ada.User.ID, identity.UserDraft{DisplayName: "Ada"}); err != nil {
			t.Errorf("%s: another name: %v", name, err)
		}
	}
	if _, err := s.EditUser(ctx, ada, ada.User.ID, identity.UserDraft{Password: "correct horse"}); err != nil {
		t.Errorf("a key without end: %v", err)
	}
}

// TestMaintenanceHoldsKeys: in maintenance mode only administrators make or delete keys.
func TestMaintenanceHoldsKeys(t *testing.T) {
	s := newSite(t)
	s.place(t)
	ctx := t.Context()
	ada := s.hire(t, "ada", "userroles-projectviewer", deploy.ScopedRole{})
	key, _ := s.key(t, ada.User.ID, time.Time{})
	err := s.store.Update(ctx, func(w store.Writer) error {
		return w.PutInstallation(store.Installation{ID: "x", IsInMaintenance: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.CreateKey(ctx, ada, ada.User.ID, "", time.Time{})
	wantKind(t, "making a key", err, errkind.Unavailable)
	wantKind(t, "deleting a key", s.DeleteKey(ctx, ada, ada.User.ID, key.ID), errkind.Unavailable)
	keys, err := s.Keys(ctx, ada, ada.User.ID)
	if err != nil || !slices.ContainsFunc(keys, func(k deploy.APIKey) bool { return k.ID == key.ID }) {
		t.Errorf("%v, %v", keys, err)
	}
	if _, _, err := s.CreateKey(ctx, identity.System(), ada.User.ID, "", time.Time{}); err != nil {
		t.Errorf("an administrator: %v", err)
	}
}
