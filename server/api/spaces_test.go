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

// TestZ1MatrixOfSpaces asks every route about what lies in one of two spaces, by the addresses of that space and by
// those of his own, as one who may do all in the other: nothing of it is shown, and nothing changes.
func TestZ1MatrixOfSpaces(t *testing.T) {
	for _, of := range []direction{{"Spaces-1", "Spaces-2"}, {"Spaces-2", "Spaces-1"}} {
		t.Run("things of "+string(of.things)+" callers of "+string(of.callers), func(t *testing.T) {
			s := newSite(t)
			s.must(201, "POST", "/api/spaces", m{"Name": "Second"})
			s.fillSpace(of.things)
			roles, err := s.directory.UserRoles(t.Context(), identity.System())
			if err != nil {
				t.Fatal(err)
			}
			calls := 0
			for _, role := range roles {
				if role.ID == identity.AdministratorRoleID || len(role.Permissions) == 0 {
					continue
				}
				key := s.hire(string(role.ID), role.ID, deploy.ScopedRole{Space: of.callers})
				before := s.checksum()
				for _, route := range api.Routes() {
					calls += s.asksFrom(of, key, role, route)
				}
				if s.checksum() != before {
					t.Errorf("%s: a call changed the space of the others", role.Name)
				}
			}
			if t.Logf("%d calls", calls); calls < 2000 {
				t.Errorf("only %d calls were made", calls)
			}
		})
	}
}

// direction says whose things are asked for by whom.
type direction struct{ things, callers deploy.SpaceID }

// asksFrom asks one route by both kinds of addresses, and returns how many calls that were.
func (s *site) asksFrom(of direction, key string, role deploy.UserRole, route api.Route) (calls int) {
	s.t.Helper()
	if route.Public || !finite(route) || identity.IsSystemPermission(route.Need) || isOwn(route) {
		return 0
	}
	theirs, body := of.theirs(), plausible()
	for name, value := range body {
		if text, is := value.(string); is {
			body[name] = theirs.Replace(text)
		}
	}
	if route.Pattern == "/api/tasks" {
		body["Name"] = "AdHocScript"
	}
	for _, own := range []bool{false, true} {
		path := theirs.Replace(address(route))
		if own {
			path = strings.NewReplacer("/api/"+string(of.things)+"/", "/api/"+string(of.callers)+"/",
				"/api/", "/api/"+string(of.callers)+"/").Replace(path)
			if route.Method != http.MethodGet && !strings.Contains(route.Pattern, "{") {
				continue // it makes something in his own space
			}
		}
		calls++
		s.asksOutside(of, key, role, route, path, body, own || !strings.Contains(path, "/api/Spaces-"))
	}
	return calls
}

// theirs names what fillSpace made: only what each space begins with has other ids than in the default one.
func (of direction) theirs() *strings.Replacer {
	n := strings.TrimPrefix(string(of.things), "Spaces-")
	return strings.NewReplacer("Spaces-1", "Spaces-"+n, "Lifecycles-1", "Lifecycles-"+n, "ProjectGroups-1",
		"ProjectGroups-"+n, "MachinePolicies-1", "MachinePolicies-"+n)
}

// isOwn is about the caller or the installation, and looks into no space.
func isOwn(r api.Route) bool {
	return r.Need == identity.SignedIn || r.Pattern == "/api/spaces" || strings.HasSuffix(r.Pattern, "/environments/sortorder")
}

func (s *site) asksOutside(
	of direction, key string, role deploy.UserRole, route api.Route, path string, body m, own bool,
) {
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
		if foreign = of.theirs().Replace(foreign); strings.Contains(string(a.body), foreign) {
			s.t.Errorf("%s: GET %s shows %s: %.300s", role.Name, path, foreign, a.body)
		}
	}
}

// TestTasksOfSeveralSpacesTogether lists them without a space: merged, the newest first, by rights.
func TestTasksOfSeveralSpacesTogether(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.advance(time.Minute)
	far := s.inSecondSpace()
	s.advance(time.Minute)
	script := m{"Name": "AdHocScript", "Arguments": m{"MachineIds": []string{"Machines-1"}, "ScriptBody": "true", "Syntax": "Bash"}}
	near := s.must(201, "POST", "/api/tasks", script)["Id"].(string)
	both := s.hire("both", "userroles-projectviewer", deploy.ScopedRole{Space: "Spaces-2"})
	s.must(201, "POST", "/api/spaces", m{"Name": "Third"})
	second := s.hire("second", "userroles-projectviewer", deploy.ScopedRole{Space: "Spaces-2"})
	dev := s.hire("dev", "userroles-projectviewer", deploy.ScopedRole{Environments: []deploy.EnvironmentID{"Environments-2"}})
	none := s.hire("none", "userroles-packagepublisher", deploy.ScopedRole{Space: "Spaces-2"})
	s.join(both, "userroles-projectviewer", deploy.ScopedRole{Projects: []deploy.ProjectID{"Projects-1"}})
	for name, c := range map[string]struct {
		key, query string
		want       []string
		total      float64
	}{
		"administrator":  {s.key, "", []string{near, far, "ServerTasks-1"}, 3},
		"a page":         {s.key, "?skip=1&take=1", []string{far}, 3},
		"ids of both":    {s.key, "?ids=ServerTasks-1," + far, []string{far, "ServerTasks-1"}, 2},
		"two by name":    {s.key, "?spaces=Spaces-1,Spaces-3", []string{near, "ServerTasks-1"}, 2},
		"one by name":    {s.key, "?spaces=Spaces-2", []string{far}, 1},
		"both":           {both, "", []string{far, "ServerTasks-1"}, 2},
		"a page of both": {both, "?skip=1&take=5", []string{"ServerTasks-1"}, 2},
		"the second":     {second, "", []string{far}, 1},
		"elsewhere":      {dev, "", []string{}, 0},
	} {
		a := s.as(c.key, "GET", "/api/tasks"+c.query, nil)
		if got := idsOf(a); a.status != 200 || !slices.Equal(got, c.want) || a.json["TotalResults"] != c.total {
			t.Errorf("%s: %d, %v of %v; want %v of %v", name, a.status, got, a.json["TotalResults"], c.want, c.total)
		}
		if text := string(a.body); strings.Contains(text, far) && !strings.Contains(text, `"/api/Spaces-2/artifacts{?regarding}"`) {
			t.Errorf("%s: no link leads into the second space: %s", name, text)
		}
	}
	if a := s.as(none, "GET", "/api/tasks", nil); a.status != 403 {
		t.Errorf("who sees no task anywhere: %d %s, want 403", a.status, a.body)
	}
	if a := s.as(second, "GET", "/api/tasks?spaces=Spaces-2,Spaces-3", nil); a.status != 404 {
		t.Errorf("a space that he does not see: %d %s, want 404", a.status, a.body)
	}
}

// idsOf are those of a page's items.
func idsOf(a answer) []string {
	ids := []string{}
	items, _ := a.json["Items"].([]any)
	for _, item := range items {
		ids = append(ids, item.(map[string]any)["Id"].(string))
	}
	return ids
}

// join gives the holder of a key a role more.
func (s *site) join(key string, role deploy.RoleID, scope deploy.ScopedRole) {
	s.t.Helper()
	p, err := s.directory.ByKey(s.t.Context(), "test", key)
	if err != nil {
		s.t.Fatal(err)
	}
	team := s.must(201, "POST", "/api/teams", m{"Name": "More of " + p.User.Name, "MemberUserIds": []any{p.User.ID}})
	scope.Role = role
	_, err = s.directory.AddScopedRole(s.t.Context(), identity.System(), identity.TeamRole{
		Team: deploy.TeamID(team["Id"].(string)), ScopedRole: scope,
	})
	if err != nil {
		s.t.Fatal(err)
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

// TestLinksWebNameTheirSpace where the portal would look in the default one.
func TestLinksWebNameTheirSpace(t *testing.T) {
	for space, end := range map[deploy.SpaceID]string{"Spaces-1": "", "Spaces-2": "?space=Spaces-2"} {
		s := newSite(t)
		s.must(201, "POST", "/api/spaces", m{"Name": "Second"})
		s.fillSpace(space)
		web := func(path string) any {
			shown := s.must(200, "GET", "/api/"+string(space)+path, nil)
			if list, isList := shown["Items"].([]any); isList {
				shown = list[0].(m)
			}
			return shown["Links"].(m)["Web"]
		}
		for path, want := range map[string]string{
			"/projects/Projects-1": "/app/projects/Projects-1", "/tasks/ServerTasks-1": "/app/tasks/ServerTasks-1",
			"/releases/Releases-1": "/app/projects/Projects-1/releases/1.0.0", "/releases": "/app/projects/Projects-1/releases/1.0.0",
			"/deployments/Deployments-1": "/app/tasks/ServerTasks-1",
		} {
			if got := web(path); got != want+end {
				t.Errorf("%s of %s: %v, want %q", path, space, got, want+end)
			}
		}
	}
}

// TestATaskGoesWhereItsBodySays: a script that is meant for one space reaches no machine of another.
func TestATaskGoesWhereItsBodySays(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.inSecondSpace()
	second := s.hire("second", identity.SpaceManagerRoleID, deploy.ScopedRole{Space: "Spaces-2"})
	for name, c := range map[string]struct {
		key, path, space string
		status           int
		want             string // the task's space, or what the refusal tells
	}{
		"none":               {s.key, "/api/tasks", "", 201, "Spaces-1"},
		"the default one":    {s.key, "/api/tasks", "Spaces-1", 201, "Spaces-1"},
		"another":            {s.key, "/api/tasks", "Spaces-2", 201, "Spaces-2"},
		"by name":            {s.key, "/api/tasks", "Second", 201, "Spaces-2"},
		"that of the path":   {s.key, "/api/Spaces-2/tasks", "Spaces-2", 201, "Spaces-2"},
		"not that of it":     {s.key, "/api/Spaces-2/tasks", "Spaces-1", 404, `there is no space "Spaces-1" at this address`},
		"nor of the query":   {s.key, "/api/tasks?spaces=Spaces-1", "Spaces-2", 404, `there is no space "Spaces-2" at this address`},
		"one there is not":   {s.key, "/api/tasks", "Spaces-9", 404, `there is no space "Spaces-9"`},
		"only there":         {second, "/api/tasks", "Spaces-2", 201, "Spaces-2"},
		"only there, nobody": {second, "/api/tasks", "", 403, "TaskCreate"},
	} {
		a := s.as(c.key, "POST", c.path, m{"Name": "AdHocScript", "SpaceId": c.space, "Arguments": m{
			"TargetRoles": []string{"web"}, "ScriptBody": "true", "Syntax": "Bash",
		}})
		got := a.json["SpaceId"]
		if c.status != 201 {
			got = a.json["ErrorMessage"]
		}
		if text, _ := got.(string); a.status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.body, c.status, c.want)
		}
	}
}

// TestABodyOfAnotherSpaceIsRefused where the address says the space; one of the same space is as good as none.
func TestABodyOfAnotherSpaceIsRefused(t *testing.T) {
	s := newSite(t)
	s.must(201, "POST", "/api/spaces", m{"Name": "Second"})
	for path, status := range map[string]int{
		"/api/environments": 400, "/api/Spaces-1/environments": 400, "/api/spaces-2/environments": 201,
	} {
		a := s.as(s.key, "POST", path, m{"Name": "Far", "SpaceId": "Spaces-2"})
		help, _ := a.json["HelpText"].(string)
		if a.status != status || status == 400 && !strings.Contains(help, "into the address") {
			t.Errorf("POST %s for Spaces-2: %d %s, want %d", path, a.status, a.body, status)
		}
	}
}
