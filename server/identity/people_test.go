// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// as signs a user in by a key and returns who he is.
func (s *site) as(t *testing.T, user deploy.UserID) identity.Principal {
	t.Helper()
	_, text := s.key(t, user, time.Time{})
	p, err := s.ByKey(t.Context(), "test", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// place adds two projects, in two groups, and two environments.
func (s *site) place(t *testing.T) {
	t.Helper()
	err := s.store.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(
			w.PutInstallation(store.Installation{ID: "x"}),
			second(w.NextID("Users")), second(w.NextID("Users")), // two are there
			w.PutProjectGroup(deploy.ProjectGroup{ID: "ProjectGroups-1", Space: deploy.DefaultSpace, Name: "a"}),
			w.PutProject(deploy.Project{ID: "Projects-1", Space: deploy.DefaultSpace, Name: "a", Group: "ProjectGroups-1"}),
			w.PutProject(deploy.Project{ID: "Projects-2", Space: deploy.DefaultSpace, Name: "b"}),
			w.PutEnvironment(deploy.Environment{ID: "Environments-1", Space: deploy.DefaultSpace, Name: "a"}),
			w.PutEnvironment(deploy.Environment{ID: "Environments-2", Space: deploy.DefaultSpace, Name: "b"}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

// hire adds a user to a new team that has a role in a place, and returns who he is then.
func (s *site) hire(t *testing.T, name string, role deploy.RoleID, scope deploy.ScopedRole) identity.Principal {
	t.Helper()
	user, err := s.CreateUser(t.Context(), identity.System(), identity.UserDraft{Name: name, IsActive: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	team, err := s.CreateTeam(t.Context(), identity.System(), identity.TeamDraft{
		Name: "Team of " + name, Members: []deploy.UserID{user.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	scope.Role = role
	if _, err := s.AddScopedRole(t.Context(), identity.System(), identity.TeamRole{
		Team:       team.ID,
		ScopedRole: scope,
	}); err != nil {
		t.Fatal(err)
	}
	return s.as(t, user.ID)
}

// TestAuditCountsMembers: one is not told as several.
func TestAuditCountsMembers(t *testing.T) {
	s := newSite(t)
	for _, row := range []struct {
		name    string
		members []deploy.UserID
		want    string
	}{
		{"One", []deploy.UserID{identity.AdministratorID}, "team One was added with 1 member"},
		{"None", nil, "team None was added with 0 members"},
	} {
		draft := identity.TeamDraft{Name: row.name, Members: row.members}
		if _, err := s.CreateTeam(t.Context(), identity.System(), draft); err != nil {
			t.Fatal(err)
		}
		if got := s.lastSaid(t, "TeamAdded"); got != row.want {
			t.Errorf("%q; want %q", got, row.want)
		}
	}
}

// lastSaid is the message of the newest event of a category.
func (s *site) lastSaid(t *testing.T, category string) string {
	t.Helper()
	var events []deploy.Event
	err := s.store.View(t.Context(), func(r store.Reader) (err error) {
		events, err = r.Events(store.EventFilter{Category: category, Take: 1})
		return err
	})
	if err != nil || len(events) != 1 {
		t.Fatalf("events of %s: %v, %v", category, events, err)
	}
	return events[0].Message
}

func TestTeamsGiveRolesWithinTheirScope(t *testing.T) {
	s := newSite(t)
	s.place(t)
	p := s.hire(t, "ada", "userroles-projectdeployer", deploy.ScopedRole{
		Groups: []deploy.ProjectGroupID{"ProjectGroups-1"}, Environments: []deploy.EnvironmentID{"Environments-1"},
	})
	inside := identity.Place{Project: "Projects-1", Group: "ProjectGroups-1", Environment: "Environments-1"}
	elsewhere, otherProject := inside, inside
	elsewhere.Environment, otherProject.Group = "Environments-2", ""
	if err := p.NeedAt(identity.DeploymentCreate, inside); err != nil {
		t.Errorf("inside: %v", err)
	}
	wantKind(t, "another environment", p.NeedAt(identity.DeploymentCreate, elsewhere), errkind.Denied)
	wantKind(t, "another project", p.NeedAt(identity.DeploymentCreate, otherProject), errkind.Denied)
	wantKind(t, "everywhere", p.NeedEverywhere(identity.DeploymentCreate), errkind.Denied)
	wantKind(t, "another permission", p.Need(identity.UserEdit), errkind.Denied)
	if err := p.NeedEverywhere(identity.LifecycleView); err != nil {
		t.Errorf("a scope restricts what it means nothing to: %v", err)
	}
	for name, scope := range map[string]deploy.ScopedRole{
		"role":        {Role: "userroles-nothing"},
		"project":     {Role: "userroles-projectlead", Projects: []deploy.ProjectID{"Projects-9"}},
		"group":       {Role: "userroles-projectlead", Groups: []deploy.ProjectGroupID{"ProjectGroups-9"}},
		"environment": {Role: "userroles-projectlead", Environments: []deploy.EnvironmentID{"Environments-9"}},
	} {
		_, err := s.AddScopedRole(t.Context(), identity.System(), identity.TeamRole{
			Team:       identity.EveryoneTeamID,
			ScopedRole: scope,
		})
		wantKind(t, "a "+name+" that there is not", err, errkind.Invalid)
	}
}

// TestA4NobodyGivesWhatHeHasNot lets a system manager, who edits users and teams, try to become an administrator.
func TestA4NobodyGivesWhatHeHasNot(t *testing.T) {
	s := newSite(t)
	s.place(t)
	p, ctx := s.hire(t, "mallory", "userroles-systemmanager", deploy.ScopedRole{}), t.Context()
	_, err := s.EditTeam(ctx, p, identity.AdministratorsTeamID, identity.TeamDraft{
		Members: []deploy.UserID{identity.AdministratorID, p.User.ID},
	})
	wantKind(t, "joining the administrators", err, errkind.Denied)
	_, err = s.AddScopedRole(ctx, p, identity.TeamRole{
		Team: identity.EveryoneTeamID, ScopedRole: deploy.ScopedRole{Role: identity.AdministratorRoleID},
	})
	wantKind(t, "making all administrators", err, errkind.Denied)
	_, err = s.EditUser(ctx, p, identity.AdministratorID, identity.UserDraft{
		Name: "admin", IsActive: new(true), Password: "mallory knows",
	})
	wantKind(t, "the administrator's password", err, errkind.Denied)
	_, err = s.CreateUserRole(ctx, p, identity.RoleDraft{Name: "Mine", System: []string{"AdministerSystem"}})
	wantKind(t, "a role of his own", err, errkind.Denied)
	_, _, err = s.CreateKey(ctx, p, identity.AdministratorID, "x", time.Time{})
	wantKind(t, "a key of the administrator", err, errkind.Denied)
	wantKind(t, "deleting the administrator", s.DeleteUser(ctx, p, identity.AdministratorID), errkind.Invalid)
	if _, err := s.EditUser(ctx, p, "Users-2", identity.UserDraft{Name: "guest", IsActive: new(false)}); err != nil {
		t.Errorf("disabling somebody with less: %v", err)
	}
}

// TestA4NobodyTakesWhatHeHasNot: a system manager edits users, teams and roles, and takes nothing from those who may
// more than he.
func TestA4NobodyTakesWhatHeHasNot(t *testing.T) {
	s := newSite(t)
	s.place(t)
	p, ctx, system := s.hire(t, "mallory", "userroles-systemmanager", deploy.ScopedRole{}), t.Context(), identity.System()
	role, err := s.CreateUserRole(ctx, system, identity.RoleDraft{Name: "Lead", Permissions: []string{"ProjectEdit"}})
	if err != nil {
		t.Fatal(err)
	}
	ada := s.hire(t, "ada", role.ID, deploy.ScopedRole{})
	key, _ := s.key(t, ada.User.ID, time.Time{})
	teams, err := s.Teams(ctx, system)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(teams, func(team deploy.Team) bool { return team.Name == "Team of ada" })
	wantKind(t, "her key", s.DeleteKey(ctx, p, ada.User.ID, key.ID), errkind.Denied)
	given := teams[i].Roles[0].ID
	wantKind(t, "the team", s.DeleteTeam(ctx, p, teams[i].ID), errkind.Denied)
	wantKind(t, "its role", s.DeleteScopedRole(ctx, p, given), errkind.Denied)
	_, err = s.EditScopedRole(ctx, p, identity.TeamRole{ScopedRole: deploy.ScopedRole{
		ID: given, Role: "userroles-systemmanager",
	}})
	wantKind(t, "a lesser role instead", err, errkind.Denied)
	_, err = s.EditUserRole(ctx, p, role.ID, identity.RoleDraft{Name: "Lead"})
	wantKind(t, "what is in the role", err, errkind.Denied)
	none, err := s.CreateTeam(ctx, p, identity.TeamDraft{Name: "None"})
	if err != nil || s.DeleteTeam(ctx, p, none.ID) != nil || s.DeleteTeam(ctx, system, teams[i].ID) != nil {
		t.Errorf("a team that gives nothing: %v; or the system may not delete one", err)
	}
}

// TestIsInTeam: everybody is in Everyone, which nobody has ever stored.
func TestIsInTeam(t *testing.T) {
	s := newSite(t)
	s.place(t)
	p := s.hire(t, "ann", "userroles-systemmanager", deploy.ScopedRole{})
	for team, want := range map[deploy.TeamID]bool{
		identity.EveryoneTeamID: true, "Teams-Everyone": true, identity.AdministratorsTeamID: false, "Teams-99": false,
	} {
		var isIn bool
		err := s.store.View(t.Context(), func(r store.Reader) (err error) {
			isIn, err = identity.IsInTeam(r, p.User.ID, []string{"Teams-98", string(team)})
			return err
		})
		if err != nil || isIn != want {
			t.Errorf("in %s: %v, %v; want %v", team, isIn, err, want)
		}
	}
}

func TestPasswords(t *testing.T) {
	s := newSite(t)
	s.place(t)
	ctx := t.Context()
	user, err := s.CreateUser(ctx, identity.System(), identity.UserDraft{
		Name: "Ada", Password: "correct horse",
		IsActive: new(true),
	})
	if err != nil || strings.Contains(user.PasswordHash, "horse") {
		t.Fatalf("%+v, %v", user, err)
	}
	p, cookie, _, err := s.SignInWithPassword(ctx, "here", "ada", "correct horse")
	if err != nil || p.User.ID != user.ID {
		t.Fatalf("the right password: %+v, %v", p, err)
	}
	if p, err := s.BySession(ctx, cookie); err != nil || !p.FromSession {
		t.Errorf("the session: %+v, %v", p, err)
	}
	for name, try := range map[string][2]string{
		"wrong": {"ada", "correct horsf"}, "empty": {"ada", ""}, "nobody": {"bob", "correct horse"},
		"without one": {"admin", ""},
	} {
		_, _, _, err := s.SignInWithPassword(ctx, "there", try[0], try[1])
		wantKind(t, name, err, errkind.Untrusted)
	}
	s.now = s.now.Add(time.Second)
	if _, err := s.EditUser(ctx, p, user.ID, identity.UserDraft{Name: "root", Password: "another one"}); err != nil {
		t.Fatal(err)
	}
	_, err = s.BySession(ctx, cookie)
	wantKind(t, "a session of the old password", err, errkind.Untrusted)
	if p, _, _, err := s.SignInWithPassword(ctx, "here", "Ada", "another one"); err != nil || p.User.Name != "Ada" ||
		!p.User.IsActive {
		t.Errorf("a user changed more of himself than he may: %+v, %v", p.User, err)
	}
	for name, bad := range map[string]string{
		"short": "1234567", "long": strings.Repeat("x", 129),
		"his name": "NEWCOMER",
	} {
		_, err := s.CreateUser(ctx, identity.System(), identity.UserDraft{Name: "newcomer", Password: bad})
		wantKind(t, name, err, errkind.Invalid)
	}
}

// TestANewPasswordIsNotOnesName: whoever edits himself keeps his name, whatever name he sends along.
func TestANewPasswordIsNotOnesName(t *testing.T) {
	s := newSite(t)
	s.place(t)
	p := s.hire(t, "ada-lovelace", "userroles-projectlead", deploy.ScopedRole{})
	_, err := s.EditUser(t.Context(), p, p.User.ID, identity.UserDraft{Name: "another", Password: "Ada-Lovelace"})
	wantKind(t, "the stored name", err, errkind.Invalid)
	draft := identity.UserDraft{Name: "correct horse", Password: "correct horse"}
	if user, err := s.EditUser(t.Context(), p, p.User.ID, draft); err != nil || user.Name != "ada-lovelace" {
		t.Errorf("a name that is not to be his: %+v, %v", user, err)
	}
}

// TestAuditTellsWhoIsLetIn: a new password, and that somebody was disabled or enabled, never the password.
func TestAuditTellsWhoIsLetIn(t *testing.T) {
	s := newSite(t)
	s.place(t)
	user, err := s.CreateUser(t.Context(), identity.System(), identity.UserDraft{Name: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		draft identity.UserDraft
		want  string
	}{
		{identity.UserDraft{Email: "a@b"}, "user ada was changed"},
		{identity.UserDraft{Password: "correct horse"}, "user ada was changed; the password was changed"},
		{identity.UserDraft{IsActive: new(false)}, "user ada was changed; the user was disabled"},
		{
			identity.UserDraft{IsActive: new(true), Password: "correct horse"},
			"user ada was changed; the password was changed; the user was enabled",
		},
		{identity.UserDraft{IsActive: new(true)}, "user ada was changed"},
	} {
		row.draft.Name = "ada"
		if _, err := s.EditUser(t.Context(), identity.System(), user.ID, row.draft); err != nil {
			t.Fatal(err)
		}
		if got := s.lastSaid(t, "UserEdited"); got != row.want {
			t.Errorf("%q; want %q", got, row.want)
		}
	}
}

func TestPasswordGuessingIsStopped(t *testing.T) {
	s := newSite(t)
	s.place(t)
	if _, err := s.CreateUser(t.Context(), identity.System(), identity.UserDraft{
		Name:     "ada",
		IsActive: new(true),
	}); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 11 {
		_, _, _, err = s.SignInWithPassword(t.Context(), "there", "ada", "wrong")
	}
	wantKind(t, "the eleventh try", err, errkind.Exhausted)
}

func TestDeletedUsersLeaveNothing(t *testing.T) {
	s := newSite(t)
	s.place(t)
	p, ctx := s.hire(t, "ada", "userroles-projectlead", deploy.ScopedRole{}), t.Context()
	_, text := s.key(t, p.User.ID, time.Time{})
	if err := s.DeleteUser(ctx, identity.System(), p.User.ID); err != nil {
		t.Fatal(err)
	}
	_, err := s.ByKey(ctx, "test", text)
	wantKind(t, "his key", err, errkind.Untrusted)
	teams, err := s.Teams(ctx, identity.System())
	if err != nil {
		t.Fatal(err)
	}
	for _, team := range teams {
		if slices.Contains(team.Members, p.User.ID) {
			t.Errorf("team %s still has him", team.Name)
		}
	}
}

func TestBuiltInThingsStay(t *testing.T) {
	s := newSite(t)
	s.place(t)
	ctx, system := t.Context(), identity.System()
	wantKind(t, "team", s.DeleteTeam(ctx, system, identity.AdministratorsTeamID), errkind.Invalid)
	wantKind(t, "role", s.DeleteUserRole(ctx, system, identity.AdministratorRoleID), errkind.Invalid)
	_, err := s.EditUserRole(ctx, system, "userroles-projectlead", identity.RoleDraft{Name: "x"})
	wantKind(t, "role", err, errkind.Invalid)
	_, err = s.EditTeam(ctx, system, identity.AdministratorsTeamID, identity.TeamDraft{Name: "x"})
	wantKind(t, "the last administrator leaves", err, errkind.Invalid)
	wantKind(t, "his role", s.DeleteScopedRole(ctx, system, "scopeduserroles-administrators"), errkind.Invalid)
	made, err := s.CreateUserRole(ctx, system, identity.RoleDraft{Name: "Reader", Permissions: []string{
		"ProjectView",
		"Unheard",
	}})
	if err != nil || len(made.Permissions) != 2 {
		t.Fatalf("%+v, %v", made, err)
	}
	p := s.hire(t, "ada", made.ID, deploy.ScopedRole{})
	if p.Need(identity.ProjectView) != nil || len(p.Permissions.List()) != 2 {
		t.Errorf("%v", p.Permissions.List())
	}
	wantKind(t, "a role in use", s.DeleteUserRole(ctx, system, made.ID), errkind.Invalid)
}

// TestZ7TheDirectoryAsksForAPermission calls everything that takes a principal with one who has none.
func TestZ7TheDirectoryAsksForAPermission(t *testing.T) {
	s := newSite(t)
	all := reflect.ValueOf(s.Directory)
	asked := 0
	for i := range all.NumMethod() {
		name, method := all.Type().Method(i).Name, all.Method(i)
		kind := method.Type()
		if kind.NumIn() < 2 || kind.In(1) != reflect.TypeFor[identity.Principal]() {
			continue
		}
		asked++
		arguments := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(identity.Principal{})}
		for j := 2; j < kind.NumIn(); j++ {
			arguments = append(arguments, reflect.Zero(kind.In(j)))
		}
		results := method.Call(arguments)
		err, _ := results[len(results)-1].Interface().(error)
		wantKind(t, name+" for nobody", err, errkind.Denied)
	}
	if asked < 20 {
		t.Errorf("only %d use cases were asked", asked)
	}
}
