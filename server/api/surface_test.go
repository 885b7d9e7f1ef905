// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	pathpkg "path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/api"
	"fairlead/server/identity"
)

// address fills a pattern with ids of what fill made.
func address(r api.Route) string {
	path := strings.Replace(r.Pattern, "/api/S/", "/api/Spaces-1/", 1)
	collection := strings.Split(strings.TrimPrefix(strings.TrimPrefix(r.Pattern, "/api/S/"), "/api/"), "/")[0]
	ids := map[string]string{
		"environments": "Environments-1", "lifecycles": "Lifecycles-1", "projectgroups": "ProjectGroups-1",
		"projects": "Projects-1", "channels": "Channels-1", "deploymentprocesses": "deploymentprocess-Projects-1",
		"variables": "variableset-Projects-1", "packages": "packages-Web.App.1.0.0", "feeds": "Feeds-1001",
		"releases": "Releases-1", "deployments": "Deployments-1", "tasks": "ServerTasks-1", "machines": "Machines-1",
		"teams": "teams-administrators", "userroles": "userroles-projectlead", "scopeduserroles": "scopeduserroles-administrators",
		"machinepolicies": "MachinePolicies-1", "users": "Users-1", "spaces": "Spaces-1",
		"configuration": "certificate-global", "events": "Events-1", "jointokens": "0011223344556677",
		"libraryvariablesets": "LibraryVariableSets-1", "accounts": "Accounts-1", "interruptions": "Interruptions-1",
		"artifacts": "Artifacts-1",
	}
	if ids[collection] == "" { // of a collection that comes later
		ids[collection] = "Nothing-1"
	}
	path = strings.NewReplacer("{space}", "Spaces-1", "{id}", ids[collection], "{environment}", "Environments-1", "{channel}", "Channels-1",
		"{process}", "deploymentprocess-Projects-1",
		"{key}", "apikeys-1", "{ticket}", "t-1", "{version}", "1.0.0").Replace(path)
	if strings.HasSuffix(path, "/packages/versions") {
		path += "?packageId=Web.App"
	}
	if strings.HasSuffix(path, "/variables/preview") {
		path += "?project=Projects-1"
	}
	return path
}

// finite leaves out what streams until a task ends.
func finite(r api.Route) bool { return !strings.HasSuffix(r.Pattern, "/log") }

// powerless adds a user without any role and returns a key of his.
func (s *site) powerless() string {
	s.t.Helper()
	user := deploy.User{ID: "Users-2", Name: "guest", DisplayName: "Guest", IsActive: true}
	if err := s.store.Update(context.Background(), func(w store.Writer) error { return w.PutUser(user) }); err != nil {
		s.t.Fatal(err)
	}
	_, key, err := s.directory.CreateKey(context.Background(), identity.System(), "Users-2", "guest", time.Time{})
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

func TestP2EveryRouteAsksWhoCalls(t *testing.T) {
	s := newSite(t)
	s.fill()
	before := s.checksum()
	var public []string
	for _, route := range api.Routes() {
		if route.Public {
			public = append(public, route.Method+" "+route.Pattern)
			continue
		}
		if route.Need == "" {
			t.Errorf("%s %s needs no permission and is not public", route.Method, route.Pattern)
		}
		for _, key := range []string{"", "API-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
			s.advance(time.Hour) // past the limit on failed attempts
			r := s.request(route.Method, address(route), m{})
			r.Header.Set("X-Octopus-ApiKey", key)
			if a := s.send(r); a.status != 401 || a.json["ErrorMessage"] == "" || a.json["ErrorMessage"] == nil {
				t.Errorf("%s %s with key %q: %d %s, want 401 with a reason", route.Method, route.Pattern, key, a.status, a.body)
			}
		}
	}
	if diff := cmp.Diff([]string{"GET /healthz", "GET /metrics", "GET /api", "POST /api/users/login"}, public); diff != "" {
		t.Errorf("public routes (-want +got):\n%s", diff)
	}
	if s.checksum() != before {
		t.Error("a call without a key changed the store")
	}
}

func TestZ10RefusedCallsChangeNothing(t *testing.T) {
	s := newSite(t)
	s.fill()
	key := s.powerless()
	before := s.checksum()
	for _, route := range api.Routes() {
		if route.Public || route.Need == identity.SignedIn && route.Method == http.MethodGet &&
			!strings.Contains(route.Pattern, "/users/{id}") {
			continue
		}
		if strings.HasSuffix(route.Pattern, "/spaces") && route.Need == identity.SignedIn ||
			strings.HasSuffix(route.Pattern, "/logout") {
			continue
		}
		r := s.request(route.Method, address(route), m{"Name": "x"})
		r.Header.Set("X-Octopus-ApiKey", key)
		if a := s.send(r); a.status != 403 || len(a.json["Errors"].([]any)) == 0 {
			t.Errorf("%s %s: %d %s, want 403 with Errors", route.Method, route.Pattern, a.status, a.body)
		}
	}
	if s.checksum() != before {
		t.Error("a refused call changed the store")
	}
	if hints := s.hints; hints != 1 {
		t.Errorf("the engine was woken %d times, want once, for the one deployment", hints)
	}
}

func TestZ6MissingAndForbiddenLookAlike(t *testing.T) {
	s := newSite(t)
	s.fill()
	key := s.powerless()
	ask := func(path string) answer {
		r := s.request("GET", path, nil)
		r.Header.Set("X-Octopus-ApiKey", key)
		return s.send(r)
	}
	there, missing := ask("/api/Spaces-1/projects/Projects-1"), ask("/api/Spaces-1/projects/Projects-99")
	if diff := cmp.Diff(string(there.body), string(missing.body)); diff != "" || there.status != missing.status {
		t.Errorf("an existing id and a missing one are told apart: %d and %d\n%s", there.status, missing.status, diff)
	}
}

// TestWhatComesLater: to make what there is not yet is refused in words, and no address is taken for a space.
func TestWhatComesLater(t *testing.T) {
	s := newSite(t)
	s.fill()
	for _, path := range []string{
		"runbooks", "projects/Projects-1/runbooks", "tenants", "workers", "workerpools", "proxies", "tagsets", "feeds",
		"projecttriggers", "certificates", "actiontemplates", "subscriptions", "gitcredentials",
	} {
		a := s.call("POST", "/api/Spaces-1/"+path, m{"Name": "x"})
		if a.status != 400 || !strings.Contains(string(a.body), "comes with a later version") {
			t.Errorf("POST %s: %d %s", path, a.status, a.body)
		}
		if path == "feeds" || strings.Contains(path, "/") {
			continue
		}
		if s.must(200, "GET", "/api/Spaces-1/"+path, nil)["TotalResults"] != 0.0 {
			t.Errorf("GET %s is not empty", path)
		}
		for _, method := range []string{"PUT", "DELETE"} {
			a := s.call(method, "/api/Spaces-1/"+path+"/X-1", m{"Name": "x"})
			if a.status != 404 || !strings.Contains(string(a.body), "comes with a later version") {
				t.Errorf("%s %s/X-1: %d %s", method, path, a.status, a.body)
			}
		}
	}
	for path, want := range map[string]string{
		"/api/Spaces-1/nothing": "there is nothing at this address", "/api/nothing": "there is nothing at this address",
		"/api/spaces/Spaces-1/nothing": "there is nothing at this address",
		"/api/Spaces-7/projects":       `there is no space "Spaces-7"`,
	} {
		for _, method := range []string{"GET", "POST"} {
			if a := s.call(method, path, m{}); a.status != 404 || a.json["ErrorMessage"] != want {
				t.Errorf("%s %s: %d %s, want 404: %s", method, path, a.status, a.body, want)
			}
		}
	}
	s.must(200, "GET", "/api/Default", nil)
}

func TestUnknownThingsAre404(t *testing.T) {
	s := newSite(t)
	s.fill()
	for _, route := range api.Routes() {
		if !strings.Contains(route.Pattern, "{id}") || !finite(route) || route.Method == http.MethodPost ||
			strings.Contains(route.Pattern, "runbooks") || strings.Contains(route.Pattern, "/authentication/") {
			continue
		}
		path := strings.Replace(route.Pattern, "/api/S/", "/api/Spaces-1/", 1)
		path = strings.NewReplacer("{id}", "Nothing-99", "{environment}", "Environments-1", "{key}", "apikeys-1", "{channel}", "Channels-99",
			"{version}", "1.0.0").Replace(path)
		if strings.HasSuffix(path, "/packages/versions") {
			path += "?packageId=Web.App"
		}
		a := s.call(route.Method, path, m{"Name": "x", "Steps": []m{}, "Variables": []m{}})
		if a.status != 404 || a.json["ErrorMessage"] == nil || len(a.json["Errors"].([]any)) != 0 {
			t.Errorf("%s %s: %d %s, want 404 with ErrorMessage and no Errors", route.Method, path, a.status, a.body)
		}
	}
}

func TestA11MalformedBodiesAreRefused(t *testing.T) {
	s := newSite(t)
	s.fill()
	before := s.checksum()
	bodies := map[string]struct {
		text   string
		status int
	}{
		"empty":         {"", 400},
		"cut short":     {`{"Name":"x"`, 400},
		"not JSON":      {`<html>`, 400},
		"twice":         {`{"Name":"x","NAME":"y"}`, 400},
		"twice below":   {`{"a":[{"b":1,"b":2}]}`, 400},
		"two documents": {`{} {}`, 400},
		"not UTF-8":     {"{\"Name\":\"\xff\"}", 400},
		"too deep":      {strings.Repeat("[", 65) + strings.Repeat("]", 65), 400},
		"very deep":     {strings.Repeat("[", 1_000_000), 400},
		"an array":      {`[]`, 400},
		"wrong type": {`{"Name":{"a":1},"Username":{},"TeamId":[],"Purpose":[],"Version":"x","ProjectName":{},` +
			`"IsInMaintenanceMode":[],"Machine":[],"ReleaseId":[],"ProjectId":[],"Restores":[],"DeploymentPreviews":{}}`, 400},
		"one byte too long":  {`{"Name":"` + strings.Repeat("x", api.MaxBodyBytes-11+1) + `"}`, 413},
		"much too long":      {`{"Name":"` + strings.Repeat("x", 2*api.MaxBodyBytes) + `"}`, 413},
		"unclosed and large": {`{"Name":"` + strings.Repeat("x", 1<<20), 400},
	}
	for _, route := range api.Routes() {
		reads := route.Method == http.MethodPost || route.Method == http.MethodPut
		if !reads || strings.HasSuffix(route.Pattern, "/raw") || strings.HasSuffix(route.Pattern, "/cancel") ||
			strings.HasSuffix(route.Pattern, "/responsible") || strings.HasSuffix(route.Pattern, "/rerun/{id}") ||
			strings.HasSuffix(route.Pattern, "/snapshot-variables") || strings.HasSuffix(route.Pattern, "/logout") {
			continue
		}
		for name, body := range bodies {
			a := s.call(route.Method, address(route), body.text)
			if a.status != body.status || a.json["ErrorMessage"] == nil || len(a.json["Errors"].([]any)) == 0 {
				t.Errorf("A11 %s %s %s: %d %.200s, want %d", name, route.Method, route.Pattern, a.status, a.body, body.status)
			}
			if strings.Contains(string(a.body), "api.") || strings.Contains(string(a.body), "something else") {
				t.Errorf("A11 %s %s %s speaks of our types: %.200s", name, route.Method, route.Pattern, a.body)
			}
		}
	}
	for body, want := range map[string]string{
		`[]`: "the body is of the type array: want an object", `{"Name": 5}`: `"Name" is of the type number: want a string`,
		`{"SortOrder": "a"}`:          `"SortOrder" is of the type string: want a whole number`,
		`{"UseGuidedFailure": "yes"}`: `"UseGuidedFailure" is of the type string: want true or false`,
	} {
		if a := s.call("POST", "/api/Spaces-1/environments", body); a.json["ErrorMessage"] != want {
			t.Errorf("%s: %s, want %q", body, a.body, want)
		}
	}
	if s.checksum() != before {
		t.Error("a malformed body changed the store")
	}
}

func TestX2NoGetChangesAnything(t *testing.T) {
	s := newSite(t)
	s.fill()
	before := s.checksum()
	for _, route := range api.Routes() {
		if route.Method != http.MethodGet || !finite(route) || strings.HasSuffix(route.Pattern, "/apikeys/{key}") {
			continue
		}
		hasNothing := strings.HasPrefix(route.Summary, "404: ") ||
			slices.Contains([]string{"delta-signature", "discover", "branches"}, pathpkg.Base(route.Pattern))
		if a := s.call("GET", address(route), nil); a.status != 200 && !hasNothing {
			t.Errorf("GET %s: %d %s", address(route), a.status, a.body)
		}
	}
	if s.checksum() != before {
		t.Error("a GET changed the store")
	}
}

func TestX2ChecksumSeesAChange(t *testing.T) {
	s := newSite(t)
	before := s.checksum()
	if s.checksum() != before {
		t.Fatal("the checksum is not repeatable")
	}
	s.must(201, "POST", "/api/Spaces-1/environments", m{"Name": "x"})
	if s.checksum() == before {
		t.Fatal("the checksum does not see a new row")
	}
}

// TestL4EachChangeIsRecordedOnce counts audit rows around each use case of fill.
func TestL4EachChangeIsRecordedOnce(t *testing.T) {
	s := newSite(t)
	count := func() int {
		return int(s.must(200, "GET", "/api/events?take=2147483647", nil)["TotalResults"].(float64))
	}
	before := count()
	s.fill()
	if got := count() - before; got != 11 {
		t.Errorf("11 changes left %d audit rows", got)
	}
	before = count()
	s.must(200, "POST", "/api/spaces/Spaces-1/tasks/ServerTasks-1/cancel", nil)
	s.must(201, "POST", "/api/Spaces-1/jointokens", m{"Tags": []string{"web"}})
	s.must(201, "POST", "/api/users/me/apikeys", m{"Purpose": "CI"})
	s.must(200, "DELETE", "/api/Spaces-1/machines/lt", nil)
	if got := count() - before; got != 4 {
		t.Errorf("4 changes left %d audit rows", got)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	s := newSite(t)
	s.fill()
	mayBeNull := []string{
		"HelpText", "FullException", "RetentionPolicyId", "LifecycleId", "LastSnapshotId", "WorkerPoolId",
		"WorkerPoolVariable",
		"Image", "FeedId", "DonorPackage", "DonorPackageStepId", "ChannelId", "ReleaseCreationPackage",
		"ReleaseCreationPackageStepId", "ClonedFromProjectId", "ReleaseRetentionPolicy", "TentacleRetentionPolicy",
		"ReleaseNotes",
		"PackageVersionBuildInformation", "DeleteUnreleasedPackagesAfterDays", "Version", "VersionControlReference",
		"TenantId",
		"QueueTime", "QueueTimeExpiry", "StartTime", "CompletedTime", "ProxyId", "CertificateSignatureAlgorithm",
		"OnlineSince",
		"LastSeen", "LastChecked", "HealthCheckCron", "ScriptBody", "TentacleUpdateAccountId", "Prompt", "Hint", "Detail", "Started",
		"Ended", "NewValue", "Expires", "Used", "SpaceId", "LastReleaseVersion", "VersioningPackageStepName",
		"VersioningPackageReferenceName", "FixedVersion", "VersionSelectedLastRelease", "ReleaseRetentionPeriod",
		"TentacleRetentionPeriod", "MaintenanceExpires", "ProjectId", "EnvironmentId", "DeploymentId", "DeployedById",
	}
	var look func(route, key string, value any)
	look = func(route, key string, value any) {
		switch v := value.(type) {
		case nil:
			if !slices.Contains(mayBeNull, key) {
				t.Errorf("%s: %s is null", route, key)
			}
		case map[string]any:
			for k, inner := range v {
				look(route, k, inner)
			}
		case []any:
			for _, inner := range v {
				look(route, key, inner)
			}
		}
	}
	for _, route := range api.Routes() {
		if route.Method == http.MethodGet && finite(route) {
			look(route.Pattern, "", any(s.call("GET", address(route), nil).json))
		}
	}
}

func TestA9OnlyOneSpellingOfAPath(t *testing.T) {
	s := newSite(t)
	s.fill()
	for path, want := range map[string]int{
		"/api/Spaces-1/environments":                      200,
		"/API/spaces-1/ENVIRONMENTS":                      200,
		"/api/spaces/Spaces-1/environments/":              200,
		"/api/spaces/default/environments":                200,
		"/api/environments":                               200,
		"/api/":                                           200,
		"/api/Spaces-1/environments/dev":                  200,
		"/api/Spaces-1/projects/Web%20App":                200,
		"/api/Spaces-2/environments":                      404,
		"/api/spaces/Spaces-2/environments":               404,
		"/api//environments":                              400,
		"/api/./environments":                             400,
		"/api/x/../environments":                          400,
		"/api/%2e%2e/environments":                        400,
		"/api/environments/%2fetc":                        400,
		"/api/environments/a%5cb":                         400,
		"/api/environments/%00":                           400,
		"/api/environments/%252e%252e":                    404,
		"/api/environments/;.jsp":                         404,
		"/api/Spaces-1/environments?take=x":               400,
		"/api/Spaces-1/environments?take=-1":              400,
		"/api/Spaces-1/environments?skip=99999999999999":  400,
		"/api/tasks?states=bogus":                         400,
		"/api/Spaces-1/environments?name=%27%3B--&take=1": 200,
		"/app": 404,
	} {
		if a := s.call("GET", path, nil); a.status != want {
			t.Errorf("A9 GET %s: %d %s, want %d", path, a.status, a.body, want)
		}
	}
}

func TestA9MethodOverride(t *testing.T) {
	s := newSite(t)
	s.fill()
	r := s.request("POST", "/api/Spaces-1/environments/Environments-2", m{"Name": "Prod", "SortOrder": 7})
	r.Header.Set("X-HTTP-Method-Override", "PUT")
	if a := s.send(r); a.status != 200 || a.json["Name"] != "Prod" {
		t.Errorf("PUT through POST: %d %s", a.status, a.body)
	}
	for method, override := range map[string]string{"GET": "DELETE", "PUT": "DELETE", "POST": "PATCH"} {
		r := s.request(method, "/api/Spaces-1/environments/Environments-2", m{})
		r.Header.Set("X-HTTP-Method-Override", override)
		if a := s.send(r); a.status != 400 {
			t.Errorf("%s with override %s: %d, want 400", method, override, a.status)
		}
	}
	r = s.request("POST", "/api/Spaces-1/environments/Environments-2", nil)
	r.Header.Set("X-HTTP-Method-Override", "delete")
	if a := s.send(r); a.status != 200 {
		t.Errorf("DELETE through POST: %d %s", a.status, a.body)
	}
	if a := s.call("PATCH", "/api/Spaces-1/environments", nil); a.status != 405 || a.header.Get("Allow") != "GET, POST" {
		t.Errorf("PATCH: %d, Allow %q", a.status, a.header.Get("Allow"))
	}
}

func TestA1KeysAndWhereTheyMayStand(t *testing.T) { synctest.Test(t, keyPlaces) }

func keyPlaces(t *testing.T) {
	s := newSite(t)
	wrong := s.key[:len(s.key)-1] + "A"
	if wrong == s.key {
		wrong = s.key[:len(s.key)-1] + "B"
	}
	for name, c := range map[string]struct {
		header, value, query string
		want                 int
	}{
		"header":              {"X-Octopus-ApiKey", s.key, "", 200},
		"NuGet header":        {"X-NuGet-ApiKey", s.key, "", 200},
		"bearer":              {"Authorization", "Bearer " + s.key, "", 200},
		"wrong last letter":   {"X-Octopus-ApiKey", wrong, "", 401},
		"lower case":          {"X-Octopus-ApiKey", strings.ToLower(s.key), "", 401},
		"with a zero byte":    {"X-Octopus-ApiKey", s.key + "\x00", "", 401},
		"basic":               {"Authorization", "Basic " + s.key, "", 401},
		"in the address":      {"", "", "?apikey=" + s.key, 401},
		"also in the address": {"X-Octopus-ApiKey", s.key, "?ApiKey=" + s.key, 401},
	} {
		r := httptest.NewRequest("GET", "/api/users/me"+c.query, nil)
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		a := s.send(r)
		if a.status != c.want {
			t.Errorf("A1 %s: %d %s, want %d", name, a.status, a.body, c.want)
		}
		if strings.Contains(string(a.body), s.key) {
			t.Errorf("A1 %s: the answer repeats the key", name)
		}
	}
	r := s.request("GET", "/api/users/me", nil)
	r.Header.Set("X-NuGet-ApiKey", wrong)
	if a := s.send(r); a.status != 401 {
		t.Errorf("two different keys: %d, want 401", a.status)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) { synctest.Test(t, guessing) }

// guessing runs in virtual time: wrong keys are answered late on purpose.
func guessing(t *testing.T) {
	s := newSite(t)
	guess := func(key string) answer {
		r := httptest.NewRequest("GET", "/api/users/me", nil)
		r.Header.Set("X-Octopus-ApiKey", key)
		return s.send(r)
	}
	last := answer{}
	for i := range 31 {
		last = guess("API-" + strings.Repeat(string(rune('A'+i%26)), 30))
		s.advance(time.Millisecond)
		if last.status == 429 {
			if i < 30 {
				t.Fatalf("refused after %d failures, want 30", i)
			}
			break
		}
	}
	if last.status != 429 || last.header.Get("Retry-After") == "" {
		t.Fatalf("after 30 failures: %d, Retry-After %q", last.status, last.header.Get("Retry-After"))
	}
	if a := guess(s.key); a.status != 200 {
		t.Errorf("the right key from the same source at once: %d, want 200: others lock nobody out", a.status)
	}
	s.advance(time.Minute)
	if a := guess("API-" + strings.Repeat("A", 32)); a.status != 401 {
		t.Errorf("a wrong key a minute later: %d, want 401", a.status)
	}
}

func TestX1CookiesChangeThingsFromOurPagesOnly(t *testing.T) {
	s := newSite(t)
	cookie, _, err := s.directory.SignIn(context.Background(), "192.0.2.1", s.key)
	if err != nil {
		t.Fatal(err)
	}
	send := func(method string, headers map[string]string) int {
		r := httptest.NewRequest(method, "http://fairlead.example.test/api/Spaces-1/environments",
			strings.NewReader(`{"Name":"from a page"}`))
		r.AddCookie(&http.Cookie{Name: identity.CookieName, Value: cookie})
		for k, v := range headers {
			r.Header.Set(k, v)
		}
		return s.send(r).status
	}
	before := s.checksum()
	for name, headers := range map[string]map[string]string{
		"no headers":     {},
		"cross site":     {"Sec-Fetch-Site": "cross-site", api.RequestHeader: "1"},
		"same site":      {"Sec-Fetch-Site": "same-site", api.RequestHeader: "1"},
		"null origin":    {"Origin": "null", api.RequestHeader: "1"},
		"foreign origin": {"Origin": "https://evil.example.test", api.RequestHeader: "1"},
		"no own header":  {"Sec-Fetch-Site": "same-origin"},
	} {
		if status := send("POST", headers); status != 403 {
			t.Errorf("X1 %s: %d, want 403", name, status)
		}
	}
	if s.checksum() != before {
		t.Error("X1 a page of another site changed the store")
	}
	if status := send("GET", nil); status != 200 {
		t.Errorf("GET with a cookie: %d", status)
	}
	if status := send("POST", map[string]string{"Sec-Fetch-Site": "same-origin", api.RequestHeader: "1"}); status != 201 {
		t.Errorf("POST from our page: %d, want 201", status)
	}
}

func TestA6DisabledUsersAreRefusedAtOnce(t *testing.T) {
	s := newSite(t)
	key := s.powerless()
	ask := func() int {
		r := s.request("GET", "/api/users/me", nil)
		r.Header.Set("X-Octopus-ApiKey", key)
		return s.send(r).status
	}
	if got := ask(); got != 200 {
		t.Fatalf("before: %d", got)
	}
	draft := identity.UserDraft{Name: "powerless", IsActive: new(false)}
	if _, err := s.directory.EditUser(context.Background(), identity.System(), "Users-2", draft); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != 401 {
		t.Errorf("after: %d, want 401", got)
	}
}

func TestX6ForeignHostsAreRefused(t *testing.T) {
	s := newSite(t, func(d *api.Deps) { d.Hosts = []string{"fairlead.example.test"} })
	for host, want := range map[string]int{
		"fairlead.example.test": 200, "FAIRLEAD.example.test:8065": 200,
		"evil.example.test": 421, "": 421,
	} {
		r := s.request("GET", "/api", nil)
		r.Host = host
		r.Header.Set("X-Forwarded-Host", "fairlead.example.test")
		if a := s.send(r); a.status != want {
			t.Errorf("X6 host %q: %d, want %d", host, a.status, want)
		}
	}
}

func TestHeaderLimit(t *testing.T) {
	s := newSite(t)
	r := s.request("GET", "/api", nil)
	r.Header.Set("X-Long", strings.Repeat("x", api.MaxHeaderBytes))
	if a := s.send(r); a.status != 431 || a.json["ErrorMessage"] == nil {
		t.Errorf("long header: %d %s", a.status, a.body)
	}
}

func TestEveryKindHasAStatus(t *testing.T) {
	want := map[errkind.Kind]int{
		errkind.Internal: 500, errkind.Invalid: 400, errkind.NotFound: 404, errkind.Conflict: 409, errkind.Denied: 403,
		errkind.Untrusted: 401, errkind.Unavailable: 503, errkind.Timeout: 504, errkind.Exhausted: 413, errkind.Corrupt: 500,
		errkind.Canceled: 503,
	}
	got := map[errkind.Kind]int{}
	for _, k := range errkind.All() {
		got[k] = api.StatusOf(k)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status by kind (-want +got):\n%s", diff)
	}
}
