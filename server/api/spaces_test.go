// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"fairlead/internal/deploy"
	"fairlead/server/api"
	"fairlead/server/identity"
)

// TestZ1MatrixOfSpaces asks every route about what lies in the default space, by the addresses of that space and
// by those of his own, as one who may do all in the second space: nothing of it is shown, and nothing changes.
func TestZ1MatrixOfSpaces(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.must(201, "POST", "/api/spaces", m{"Name": "Second"})
	roles, err := s.directory.UserRoles(t.Context(), identity.System())
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, role := range roles {
		if role.ID == identity.AdministratorRoleID || len(role.Permissions) == 0 {
			continue
		}
		key := s.hire(string(role.ID), role.ID, deploy.ScopedRole{Space: "Spaces-2"})
		before := s.checksum()
		for _, route := range api.Routes() {
			if route.Public || !finite(route) || identity.IsSystemPermission(route.Need) || isOwn(route) {
				continue
			}
			for _, own := range []bool{false, true} {
				path := address(route)
				if own {
					path = strings.NewReplacer("/api/Spaces-1/", "/api/Spaces-2/", "/api/", "/api/Spaces-2/").Replace(path)
					if route.Method != http.MethodGet && !strings.Contains(route.Pattern, "{") {
						continue // it makes something in his own space
					}
				}
				body := plausible()
				if route.Pattern == "/api/tasks" {
					body["Name"] = "AdHocScript"
				}
				calls++
				s.asksOutside(key, role, route, path, body, own)
			}
		}
		if s.checksum() != before {
			t.Errorf("%s: a call changed the default space", role.Name)
		}
	}
	t.Logf("%d calls", calls)
}

// isOwn is about the caller or the installation, and looks into no space.
func isOwn(r api.Route) bool {
	return r.Need == identity.SignedIn || r.Pattern == "/api/spaces" || strings.HasSuffix(r.Pattern, "/environments/sortorder")
}

func (s *site) asksOutside(key string, role deploy.UserRole, route api.Route, path string, body m, own bool) {
	s.t.Helper()
	a := s.as(key, route.Method, path, body)
	if !own && a.status != http.StatusForbidden && a.status != http.StatusNotFound {
		s.t.Errorf("%s: %s %s: %d %.300s, want a refusal", role.Name, route.Method, path, a.status, a.body)
	}
	reads := route.Method == http.MethodGet || strings.HasSuffix(string(route.Need), "View")
	if own && a.status < 300 && !reads {
		s.t.Errorf("%s: %s %s: %d %.300s, want a refusal", role.Name, route.Method, path, a.status, a.body)
	}
	if !reads || a.status != http.StatusOK {
		return
	}
	for _, foreign := range []string{
		`"Projects-1"`, `"Web App"`, `"Releases-1"`, `"Deployments-1"`, `"ServerTasks-1"`, `"Environments-1"`, `"Machines-1"`,
		`"Lifecycles-1"`, `"ProjectGroups-1"`, `"Accounts-1"`, `/api/Spaces-1/`,
	} {
		if strings.Contains(string(a.body), foreign) {
			s.t.Errorf("%s: GET %s shows %s: %.300s", role.Name, path, foreign, a.body)
		}
	}
}

// TestSecondSpace makes a space and works in it: the same names again, and neither space sees the other's things.
func TestSecondSpace(t *testing.T) {
	s := newSite(t)
	s.fill()
	made := s.must(201, "POST", "/api/spaces", m{"Name": "Second", "Description": "For the others"})
	if made["Id"] != "Spaces-2" || made["Slug"] != "second" || made["IsDefault"] != false {
		t.Fatalf("%v", made)
	}
	for _, path := range []string{"/lifecycles/all", "/projectgroups/all", "/machinepolicies/all", "/feeds/all"} {
		a := s.call("GET", "/api/Spaces-2"+path, nil)
		if a.status != 200 || strings.Count(string(a.body), `"SpaceId":"Spaces-2"`) != 1 {
			t.Errorf("GET %s: %d %s, want one of the space", path, a.status, a.body)
		}
	}
	lifecycle := s.oneID("/api/Spaces-2/lifecycles/all")
	group := s.oneID("/api/Spaces-2/projectgroups/all")
	s.must(201, "POST", "/api/Spaces-2/environments", m{"Name": "Dev"})
	project := s.must(201, "POST", "/api/spaces/Spaces-2/projects",
		m{"Name": "Web App", "LifecycleId": lifecycle, "ProjectGroupId": group})
	if project["SpaceId"] != "Spaces-2" {
		t.Errorf("project of %v", project["SpaceId"])
	}
	id := project["Id"].(string)
	unknown := s.call("GET", "/api/Spaces-1/projects/Projects-404", nil)
	for _, path := range []string{"/api/Spaces-1/projects/" + id, "/api/projects/" + id} {
		a := s.call("GET", path, nil)
		want := strings.ReplaceAll(string(unknown.body), "Projects-404", id)
		if a.status != 404 || string(a.body) != want {
			t.Errorf("GET %s: %d %s, want %s", path, a.status, a.body, want)
		}
	}
	s.must(404, "GET", "/api/Spaces-2/projects/Projects-1", nil)
	s.must(404, "GET", "/api/Spaces-404/projects", nil)
	s.must(400, "POST", "/api/Spaces-2/projects", // of the other space
		m{"Name": "Other", "LifecycleId": "Lifecycles-1", "ProjectGroupId": group})
	if links := s.must(200, "GET", "/api/Spaces-2", nil)["Links"].(map[string]any); !strings.HasPrefix(
		links["Projects"].(string), "/api/Spaces-2/projects") {
		t.Errorf("the space's document leads to %v", links["Projects"])
	}
}

func (s *site) oneID(path string) string {
	s.t.Helper()
	a := s.call("GET", path, nil)
	_, rest, _ := strings.Cut(string(a.body), `"Id":"`)
	id, _, ok := strings.Cut(rest, `"`)
	if !ok {
		s.t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return id
}

// TestSpaceLives renames, stops and deletes a space, and refuses what must not be.
func TestSpaceLives(t *testing.T) {
	s := newSite(t)
	s.fill()
	user := s.must(201, "POST", "/api/users", m{"Username": "ada", "DisplayName": "Ada"})["Id"]
	s.must(201, "POST", "/api/spaces", m{"Name": "Second", "SpaceManagersTeamMembers": []any{user}})
	for _, c := range []struct {
		method, path string
		body         m
		want         int
	}{
		{"POST", "/api/spaces", m{"Name": "sECOND"}, 400},
		{"POST", "/api/spaces", m{"Name": "Spaces-9"}, 400},
		{"POST", "/api/spaces", m{"Name": ""}, 400},
		{"PUT", "/api/spaces/Spaces-1", m{"Name": "Default", "TaskQueueStopped": true}, 400},
		{"PUT", "/api/spaces/Spaces-404", m{"Name": "x"}, 404},
		{"DELETE", "/api/spaces/Spaces-1", nil, 400},
		{"DELETE", "/api/spaces/Second", nil, 400},
		{"PUT", "/api/spaces/Second", m{"Name": "Renamed", "Description": "new"}, 200},
		{"GET", "/api/spaces/renamed", nil, 200},
	} {
		if a := s.call(c.method, c.path, c.body); a.status != c.want {
			t.Errorf("%s %s %v: %d %s, want %d", c.method, c.path, c.body, a.status, a.body, c.want)
		}
	}
	if got := s.must(200, "GET", "/api/spaces/Spaces-2", nil); !slices.Equal(
		got["SpaceManagersTeamMembers"].([]any), []any{user}) || got["Description"] != "new" {
		t.Errorf("%v", got)
	}
	mine := s.call("GET", "/api/users/"+user.(string)+"/spaces", nil)
	if strings.Contains(string(mine.body), "Spaces-1\"") || !strings.Contains(string(mine.body), "Spaces-2\"") {
		t.Errorf("the manager sees %s", mine.body)
	}
	environment := s.must(201, "POST", "/api/Spaces-2/environments", m{"Name": "Dev"})["Id"].(string)
	s.must(200, "PUT", "/api/spaces/Spaces-2", m{"Name": "Renamed", "TaskQueueStopped": true})
	s.must(200, "DELETE", "/api/spaces/Spaces-2", nil)
	s.must(404, "GET", "/api/spaces/Spaces-2", nil)
	s.must(404, "GET", "/api/Spaces-2/environments/"+environment, nil)
	s.must(404, "GET", "/api/teams/teams-spacemanagers-Spaces-2", nil)
	if made := s.must(201, "POST", "/api/spaces", m{"Name": "Renamed"}); made["Id"] != "Spaces-3" {
		t.Errorf("the next space is %v, want Spaces-3", made["Id"])
	}
}
