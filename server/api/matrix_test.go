// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
	"fairlead/server/api"
	"fairlead/server/identity"
)

// hire adds a user whose team has a role in a place, and returns a key of his.
func (s *site) hire(name string, role deploy.RoleID, scope deploy.ScopedRole) string {
	s.t.Helper()
	ctx, root := s.t.Context(), identity.System()
	user, err := s.directory.CreateUser(ctx, root, identity.UserDraft{Name: name})
	if err != nil {
		s.t.Fatal(err)
	}
	team, err := s.directory.CreateTeam(ctx, root, identity.TeamDraft{
		Name:    "Team " + name,
		Members: []deploy.UserID{user.ID},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	scope.Role = role
	if _, err := s.directory.AddScopedRole(ctx, root, identity.TeamRole{Team: team.ID, ScopedRole: scope}); err != nil {
		s.t.Fatal(err)
	}
	_, key, err := s.directory.CreateKey(ctx, root, user.ID, "test", time.Time{})
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

func (s *site) as(key, method, path string, body any) answer {
	s.t.Helper()
	r := s.request(method, path, body)
	r.Header.Set("X-Octopus-ApiKey", key)
	return s.send(r)
}

// harmless is a request to a route that an allowed caller gets past the permission with, and that changes
// nothing: a broken body, or a thing that there is not.
func harmless(r api.Route) (path string, body any) {
	path = address(r)
	switch r.Method {
	case http.MethodPost, http.MethodPut:
		body = "{"
	case http.MethodDelete:
		path = strings.NewReplacer("-1", "-404", ".1.0.0", ".4.0.4", "teams-administrators", "Teams-404",
			"userroles-projectlead", "UserRoles-404", "scopeduserroles-administrators",
			"ScopedUserRoles-404").Replace(address(r))
		path = strings.Replace(path, "Spaces-404", "Spaces-1", 1)
	}
	return path, body
}

// actsWithoutBody are routes that change something whatever their body is.
func actsWithoutBody(r api.Route) bool {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		return false
	}
	for _, end := range []string{
		"/cancel", "/raw", "/snapshot-variables", "/logout", "/responsible", "/rerun/{id}", "/resolve",
	} {
		if strings.HasSuffix(r.Pattern, end) {
			return true
		}
	}
	return false
}

// TestZ1MatrixOfRolesAndRoutes asks every route as a holder of every built-in role: whoever lacks the route's
// permission is refused and changes nothing, whoever has it is not refused.
func TestZ1MatrixOfRolesAndRoutes(t *testing.T) {
	s := newSite(t)
	s.fill()
	roles, err := s.directory.UserRoles(t.Context(), identity.System())
	if err != nil || len(roles) < 10 {
		t.Fatalf("%d roles, %v", len(roles), err)
	}
	for _, role := range roles {
		key := s.hire(string(role.ID), role.ID, deploy.ScopedRole{})
		holds := slices.Concat(role.Permissions, role.System, []string{string(identity.SignedIn)})
		before, calls := s.checksum(), 0
		for _, route := range api.Routes() {
			if route.Public || !finite(route) {
				continue
			}
			allowed := slices.Contains(holds, string(route.Need))
			if !allowed {
				calls++
				a := s.as(key, route.Method, address(route), m{"Name": "x", "Username": "x"})
				if a.status != 403 || len(a.json["Errors"].([]any)) == 0 {
					t.Errorf("%s: %s %s: %d %.200s, want 403", role.Name, route.Method, route.Pattern, a.status, a.body)
				}
				continue
			}
			if actsWithoutBody(route) || route.Need == identity.SignedIn {
				continue
			}
			calls++
			path, body := harmless(route)
			if a := s.as(key, route.Method, path, body); a.status == 401 || a.status == 403 {
				t.Errorf("%s: %s %s: %d %.200s, but he has %s", role.Name, route.Method, route.Pattern, a.status, a.body,
					route.Need)
			}
		}
		if s.checksum() != before {
			t.Errorf("%s: %d calls that were refused or broken changed the store", role.Name, calls)
		}
	}
}

// other is a scope beside everything that fill made.
func (s *site) other() deploy.ScopedRole {
	s.t.Helper()
	project := s.must(201, "POST", "/api/Spaces-1/projects", m{
		"Name": "Other", "LifecycleId": "Lifecycles-1", "ProjectGroupId": "ProjectGroups-1",
	})
	environment := s.must(201, "POST", "/api/Spaces-1/environments", m{"Name": "Elsewhere"})
	return deploy.ScopedRole{
		Projects:     []deploy.ProjectID{deploy.ProjectID(project["Id"].(string))},
		Environments: []deploy.EnvironmentID{deploy.EnvironmentID(environment["Id"].(string))},
	}
}

// plausible is a body that an administrator's request would succeed with, as far as one for all can be.
func plausible() m {
	return m{
		"Name": "x", "Steps": []m{scriptStep("A")}, "Variables": []m{{"Name": "New", "Value": "1"}}, "Version": 1,
		"ProjectId": "Projects-1", "ProjectName": "Web App", "ReleaseVersion": "1.0.0", "ReleaseId": "Releases-1",
		"EnvironmentId": "Environments-1", "EnvironmentNames": []string{"Dev"}, "EnvironmentIds": []string{"Environments-1"},
		"Environments": []string{"Environments-1"}, "LifecycleId": "Lifecycles-1", "ProjectGroupId": "ProjectGroups-1",
		"Arguments": m{"MachineIds": []string{"Machines-1"}, "ScriptBody": "true", "Syntax": "Bash"}, "Description": "x",
		"AccountType": "UsernamePassword", "Username": "x", "Roles": []string{"web"},
		"Endpoint": m{
			"CommunicationStyle": "TentaclePassive", "Uri": "https://x.example.test:10933/",
			"Thumbprint": strings.Repeat("1", 64),
		},
	}
}

// TestZ2MatrixOfScopes asks every route about what lies outside of the caller's scope, as one who may do all
// that a role with a scope can give: it is as if it were not there, and nothing of it changes.
func TestZ2MatrixOfScopes(t *testing.T) {
	for name, narrow := range map[string]func(deploy.ScopedRole) deploy.ScopedRole{
		"project":     func(s deploy.ScopedRole) deploy.ScopedRole { s.Environments = nil; return s },
		"environment": func(s deploy.ScopedRole) deploy.ScopedRole { s.Projects = nil; return s },
		"both":        func(s deploy.ScopedRole) deploy.ScopedRole { return s },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.fill()
			scope := narrow(s.other())
			key := s.hire("ada", "userroles-spacemanager", scope)
			before := s.checksum()
			for _, route := range api.Routes() {
				restricted := identity.RestrictionsOf(route.Need)
				byProject := slices.Contains(restricted, "Projects") && scope.Projects != nil
				byEnvironment := slices.Contains(restricted, "Environments") && scope.Environments != nil
				if route.Public || !finite(route) || !byProject && !byEnvironment {
					continue
				}
				body := plausible()
				if route.Pattern == "/api/tasks" {
					body["Name"] = "AdHocScript"
				}
				a := s.as(key, route.Method, address(route), body)
				if route.Method != http.MethodGet && !strings.HasSuffix(string(route.Need), "View") {
					if t.Logf("%s %s: %d", route.Method, address(route), a.status); a.status < 400 {
						t.Errorf("%s %s: %d %.200s, want a refusal", route.Method, address(route), a.status, a.body)
					}
					continue
				}
				if a.status == 200 {
					for _, secret := range outsideWords(route, byProject) {
						if strings.Contains(string(a.body), secret) {
							t.Errorf("GET %s shows %s: %.300s", address(route), secret, a.body)
						}
					}
				}
			}
			if s.checksum() != before {
				t.Errorf("a call outside of the scope changed the store")
			}
		})
	}
}

// outsideWords must stand in no answer.
func outsideWords(r api.Route, byProject bool) []string {
	switch {
	case byProject:
		return []string{`"Projects-1"`, `"Web App"`, `"Releases-1"`, `"Deployments-1"`, `"ServerTasks-1"`}
	case r.Need == identity.DeploymentView || r.Need == identity.TaskView:
		return []string{`"Deployments-1"`, `"ServerTasks-1"`}
	case r.Need == identity.EnvironmentView:
		return []string{`"Environments-1"`, `"Dev"`}
	case r.Need == identity.MachineView:
		return []string{`"Machines-1"`, `"lt"`}
	}
	return nil
}
