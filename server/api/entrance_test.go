// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/deploy"
	"fairlead/server/api"
	"fairlead/server/identity"
)

// TestZ9WhoMakesASpaceGivesNoMoreThanHeHas: who may make spaces, and is no system administrator, names no managers.
func TestZ9WhoMakesASpaceGivesNoMoreThanHeHas(t *testing.T) {
	s := newSite(t)
	made := s.must(201, "POST", "/api/userroles", m{"Name": "Landlord", "GrantedSystemPermissions": []string{"AdministerSystem"}})
	key := s.hire("mallory", deploy.RoleID(made["Id"].(string)), deploy.ScopedRole{})
	before := s.checksum()
	for name, body := range map[string]m{
		"himself": {"Name": "Mine", "SpaceManagersTeamMembers": []string{"Users-2"}},
		"a team":  {"Name": "Mine", "SpaceManagersTeams": []string{"teams-everyone"}},
	} {
		if a := s.as(key, "POST", "/api/spaces", body); a.status != 403 {
			t.Errorf("%s as manager: %d %s, want 403", name, a.status, a.body)
		}
	}
	if s.checksum() != before {
		t.Error("a refused call changed the store")
	}
	if a := s.as(key, "POST", "/api/spaces", m{"Name": "Empty"}); a.status != 201 {
		t.Errorf("a space that nobody manages yet: %d %s", a.status, a.body)
	}
}

// inSecondSpace makes the space Spaces-2 with a machine, and a task that runs a script there.
func (s *site) inSecondSpace() (task string) {
	s.t.Helper()
	s.must(201, "POST", "/api/spaces", m{"Name": "Second"})
	environment := s.must(201, "POST", "/api/Spaces-2/environments", m{"Name": "Far"})["Id"]
	machine := s.must(201, "POST", "/api/Spaces-2/machines", m{
		"Name": "far", "EnvironmentIds": []any{environment}, "Roles": []string{"web"},
		"Endpoint": m{
			"CommunicationStyle": "TentaclePassive", "Uri": "https://far.example.test:10933/",
			"Thumbprint": strings.Repeat("2", 64),
		},
	})["Id"]
	return s.must(201, "POST", "/api/Spaces-2/tasks", m{"Name": "AdHocScript", "Arguments": m{
		"MachineIds": []any{machine}, "ScriptBody": "true", "Syntax": "Bash",
	}})["Id"].(string)
}

// TestALogIsFollowedInEverySpace follows that of a task of the second space, by both addresses.
func TestALogIsFollowedInEverySpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		task := s.inSecondSpace()
		s.logs.say(deploy.TaskID(task), "", "one")
		for _, path := range []string{"/api/Spaces-2/tasks/", "/api/tasks/"} {
			response := s.open(path+task+"/log", nil)
			next := events(response.Body)
			if e, _ := next(); e.Name != "lines" {
				t.Errorf("GET %s%s/log: %+v, want its lines", path, task, e)
			}
			_ = response.Body.Close()
		}
	})
}

// TestA3CookiesAreSecureBehindAProxy: a browser that comes by HTTPS to a proxy gets cookies that go no other way.
func TestA3CookiesAreSecureBehindAProxy(t *testing.T) {
	for _, isSecure := range []bool{false, true} {
		s := newSite(t, func(d *api.Deps) { d.Secure = isSecure })
		s.must(201, "POST", "/api/users", m{"Username": "ada", "Password": "correct horse"})
		r := httptest.NewRequest("POST", "/api/users/login", strings.NewReader(`{"Username":"ada","Password":"correct horse"}`))
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		cookies := w.Result().Cookies()
		for _, c := range cookies {
			if c.Secure != isSecure {
				t.Errorf("secure %v: cookie %s is %v", isSecure, c.Name, c.Secure)
			}
		}
		if len(cookies) != 2 {
			t.Errorf("%d cookies", len(cookies))
		}
		out := httptest.NewRequest("POST", "/api/users/logout", nil)
		out.Header.Set(api.RequestHeader, "1")
		for _, c := range cookies {
			out.AddCookie(c)
		}
		w = httptest.NewRecorder()
		s.handler.ServeHTTP(w, out)
		for _, c := range w.Result().Cookies() {
			if c.MaxAge >= 0 || c.Value != "" {
				t.Errorf("signing out leaves the cookie %s", c.Name)
			}
		}
		if n := len(w.Result().Cookies()); w.Code != 200 || n != 2 {
			t.Errorf("signing out: %d, %d cookies", w.Code, n)
		}
	}
}

// TestMethodsAreNotToldToStrangers: what an address takes is told to those only who are let in.
func TestMethodsAreNotToldToStrangers(t *testing.T) {
	s := newSite(t)
	r := httptest.NewRequest("PATCH", "/api/Spaces-1/environments", nil)
	if a := s.send(r); a.status != 401 || a.header.Get("Allow") != "" {
		t.Errorf("%d, Allow %q", a.status, a.header.Get("Allow"))
	}
}

// TestA11FoldedMembersAreTwice: the decoder takes letters for each other that lower case does not.
func TestA11FoldedMembersAreTwice(t *testing.T) {
	s := newSite(t)
	for _, body := range []string{`{"Name":"x","DiſplayName":"a","DisplayName":"b"}`, "{\"\u212aey\":1,\"key\":2}"} {
		if a := s.call("POST", "/api/users", body); a.status != 400 || !strings.Contains(string(a.body), "twice") {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
}

// TestASlowBodyIsNotWaitedFor: who sends the body of a sign in a byte at a time holds nothing for long.
func TestASlowBodyIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		near, far := net.Pipe()
		listener := &oneConn{conn: far, over: make(chan struct{})}
		server := &http.Server{Handler: s.handler}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(listener) }()
		begun := time.Now()
		head := "POST /api/users/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
		if _, err := near.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 4096)
		n, _ := near.Read(answer)
		if took := time.Since(begun); took > api.BodyLimit || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 4") {
			t.Errorf("after %v: %.80q", took, answer[:n])
		}
		_ = near.Close()
		_ = server.Shutdown(context.Background())
		<-ended
	})
}

// oneConn is a listener of one connection.
type oneConn struct {
	conn net.Conn
	over chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if conn := l.conn; conn != nil {
		l.conn = nil
		return conn, nil
	}
	<-l.over
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	select {
	case <-l.over:
	default:
		close(l.over)
	}
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// TestZ6OutsideAndMissingLookAlike asks every route about a thing outside of the caller's reach, in his space and in
// another, and about one that there is not: nothing but the id differs.
func TestZ6OutsideAndMissingLookAlike(t *testing.T) {
	s := newSite(t)
	s.fill()
	scoped := s.hire("ada", identity.SpaceManagerRoleID, s.other())
	s.must(201, "POST", "/api/spaces", m{"Name": "Second"})
	foreign := s.hire("bob", identity.SpaceManagerRoleID, deploy.ScopedRole{Space: "Spaces-2"})
	asked := 0
	for _, route := range api.Routes() {
		path := address(route)
		if !finite(route) || !strings.Contains(route.Pattern, "{id}") || identity.IsSystemPermission(route.Need) ||
			route.Need == identity.SignedIn || strings.Contains(path, "Web.App") || strings.Contains(path, "/feeds/") {
			continue
		}
		isShown := strings.Contains(path, "/projectgroups/") // ada's project lies in the same group
		if len(identity.RestrictionsOf(route.Need)) > 0 && !isShown {
			asked++
			s.comparesMissing(scoped, route, path)
		}
		asked++
		s.comparesMissing(foreign, route, strings.NewReplacer("/api/Spaces-1/", "/api/Spaces-2/", "/api/tasks",
			"/api/Spaces-2/tasks", "/api/events", "/api/Spaces-2/events").Replace(path))
	}
	t.Logf("%d pairs of calls", asked)
}

// comparesMissing asks for a thing and for one that there is not.
func (s *site) comparesMissing(key string, route api.Route, path string) {
	s.t.Helper()
	body := plausible()
	there, none := s.as(key, route.Method, path, body), s.as(key, route.Method, missing(path), body)
	if there.status == 200 {
		return // it lies inside
	}
	if there.status != none.status || missing(string(there.body)) != missing(string(none.body)) {
		s.t.Errorf("%s %s: %d %.200s\nmissing: %d %.200s", route.Method, path, there.status, there.body, none.status, none.body)
	}
}

// ofFill are the ids that fill gave.
var ofFill = regexp.MustCompile(`\b([A-Z][A-Za-z]+)-1\b`)

// missing names the same kind of thing by an id that nothing has; a space stays what it is.
func missing(text string) string {
	return ofFill.ReplaceAllStringFunc(text, func(id string) string {
		if id == "Spaces-1" {
			return id
		}
		return strings.TrimSuffix(id, "1") + "404"
	})
}
