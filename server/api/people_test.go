// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestX1TwoCookiesOfASignIn does what a stock Tentacle does with a name and a password.
func TestX1TwoCookiesOfASignIn(t *testing.T) {
	s := newSite(t)
	s.must(201, "POST", "/api/users", m{"Username": "ada", "Password": "correct horse", "IsActive": true})
	installation := s.must(200, "GET", "/api", nil)["InstallationId"].(string)
	signIn := func(body string, header ...string) *http.Response {
		r := httptest.NewRequest("POST", "/api/users/login", strings.NewReader(body))
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w.Result()
	}
	const right = `{"Username":"ada","Password":"correct horse","RememberMe":true,"State":{"UsingSecureConnection":true}}`
	answer := signIn(right)
	cookies := map[string]*http.Cookie{}
	for _, c := range answer.Cookies() {
		cookies[c.Name] = c
	}
	session, proof := cookies["OctopusIdentificationToken_"+installation], cookies["Octopus-Csrf-Token_"+installation]
	if answer.StatusCode != 200 || session == nil || proof == nil || !session.HttpOnly ||
		session.SameSite != http.SameSiteStrictMode {
		t.Fatalf("%d, cookies %v", answer.StatusCode, answer.Cookies())
	}
	use := func(method, token string) int {
		r := httptest.NewRequest(method, "/api/users/me/apikeys", strings.NewReader(`{"Purpose":"x"}`))
		r.AddCookie(session)
		r.AddCookie(proof)
		if token != "" {
			r.Header.Set("X-Octopus-Csrf-Token", token)
		}
		return s.send(r).status
	}
	for _, c := range []struct {
		method, token string
		want          int
	}{
		{"GET", "", 200}, {"POST", "", 403}, {"POST", "guessed", 403}, {"POST", session.Value, 403}, {
			"POST", proof.Value,
			201,
		},
	} {
		if got := use(c.method, c.token); got != c.want {
			t.Errorf("%s with the token %.8q: %d, want %d", c.method, c.token, got, c.want)
		}
	}
	for name, bad := range map[string]*http.Response{
		"wrong password":            signIn(strings.Replace(right, "horse", "mouse", 1)),
		"no such user":              signIn(strings.Replace(right, "ada", "bob", 1)),
		"administrator without one": signIn(`{"Username":"admin","Password":""}`),
	} {
		if bad.StatusCode != 401 || len(bad.Cookies()) != 0 {
			t.Errorf("%s: %d with %d cookies, want 401 without", name, bad.StatusCode, len(bad.Cookies()))
		}
	}
	if a := signIn(right, "Sec-Fetch-Site", "cross-site"); a.StatusCode != 403 {
		t.Errorf("a sign in from a page of another site: %d, want 403", a.StatusCode)
	}
	r := httptest.NewRequest("POST", "/api/users/logout", nil)
	r.AddCookie(session)
	r.Header.Set("X-Octopus-Csrf-Token", proof.Value)
	if a := s.send(r); a.status != 200 || use("GET", "") != 401 {
		t.Errorf("signing out: %d, and then the session still works", a.status)
	}
}

// TestZ5BodiesChangeNoRights sends members that are not the caller's to choose.
func TestZ5BodiesChangeNoRights(t *testing.T) {
	s := newSite(t)
	key := s.powerless()
	a := s.as(key, "PUT", "/api/users/Users-2", m{
		"Id": "Users-1", "Username": "root", "DisplayName": "Me", "IsActive": true, "IsService": true,
		"Permissions": []string{"AdministerSystem"},
	})
	if a.status != 200 || a.json["Username"] != "guest" || a.json["Id"] != "Users-2" || a.json["DisplayName"] != "Me" ||
		a.json["IsService"] != false {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.as(key, "GET", "/api/users", nil); a.status != 403 {
		t.Errorf("afterwards: %d, want 403", a.status)
	}
	for _, path := range []string{"", "/teams", "/permissions", "/apikeys", "/spaces"} {
		if a := s.as(key, "GET", "/api/users/me"+path, nil); a.status != 200 {
			t.Errorf("GET /api/users/me%s: %d %s", path, a.status, a.body)
		}
		if a := s.as(key, "GET", "/api/users/Users-1"+path, nil); a.status != 403 {
			t.Errorf("GET of somebody else's %q: %d, want 403", path, a.status)
		}
	}
	s.must(400, "POST", "/api/scopeduserroles", m{
		"TeamId": "teams-everyone", "UserRoleId": "userroles-projectlead",
		"TenantIds": []string{"Tenants-1"},
	})
	s.must(400, "POST", "/api/scopeduserroles", m{
		"TeamId": "teams-everyone", "UserRoleId": "userroles-projectlead",
		"SpaceId": "Spaces-2",
	})
}

func TestMachinePolicies(t *testing.T) {
	s := newSite(t)
	s.fill()
	made := s.must(201, "POST", "/api/Spaces-1/machinepolicies", m{
		"Name": "Patient", "ConnectionRetryCountLimit": 9, "Unheard": 1,
		"MachineHealthCheckPolicy": m{"HealthCheckType": "OnlyConnectivity", "HealthCheckInterval": "1.02:03:04"},
		"MachineCleanupPolicy": m{
			"DeleteMachinesBehavior":        "DeleteUnavailableMachines",
			"DeleteMachinesElapsedTimeSpan": "2.00:00:00.0000000",
		},
		"MachineUpdatePolicy": m{"TentacleUpdateBehavior": "Update"},
	})
	path := "/api/Spaces-1/machinepolicies/" + made["Id"].(string)
	made["Description"] = "Waits"
	got := s.must(200, "PUT", path, made)
	health, cleanUp := got["MachineHealthCheckPolicy"].(m), got["MachineCleanupPolicy"].(m)
	if got["Description"] != "Waits" || got["ConnectionRetryCountLimit"] != 9.0 ||
		health["HealthCheckInterval"] != "1.02:03:04" ||
		health["HealthCheckType"] != "OnlyConnectivity" || cleanUp["DeleteMachinesElapsedTimeSpan"] != "2.00:00:00" ||
		got["MachineUpdatePolicy"].(m)["TentacleUpdateBehavior"] != "Update" {
		t.Errorf("it came back as %v", got)
	}
	machine := s.must(200, "GET", "/api/Spaces-1/machines/lt", nil)
	machine["MachinePolicyId"] = made["Id"]
	if s.must(200, "PUT", "/api/Spaces-1/machines/lt", machine)["MachinePolicyId"] != made["Id"] {
		t.Error("the machine did not take the policy")
	}
	s.must(400, "DELETE", path, nil)
	s.must(400, "DELETE", "/api/Spaces-1/machinepolicies/MachinePolicies-1", nil)
	for name, bad := range map[string]m{
		"interval": {"HealthCheckInterval": "90m"}, "short": {"HealthCheckInterval": "00:00:01"},
		"type":   {"HealthCheckType": "Perhaps"},
		"cron":   {"HealthCheckCron": "0 0 * * *"},
		"past":   {"HealthCheckCron": "0 0 0 * * * 2001"},
		"zone":   {"HealthCheckCron": "0 0 0 * * *", "HealthCheckCronTimezone": "W. Europe Standard Time"},
		"source": {"BashHealthCheckPolicy": m{"RunType": "Perhaps", "ScriptBody": "true"}},
		"script": {"BashHealthCheckPolicy": m{"RunType": "Inline", "ScriptBody": strings.Repeat("#", 64<<10+1)}},
	} {
		if a := s.call("POST", "/api/Spaces-1/machinepolicies", m{
			"Name":                     name,
			"MachineHealthCheckPolicy": bad,
		}); a.status != 400 {
			t.Errorf("%s: %d %s, want 400", name, a.status, a.body)
		}
	}
	edited := s.must(200, "PUT", "/api/Spaces-1/machinepolicies/MachinePolicies-1", m{"Name": "Ours"})
	if edited["IsDefault"] != true || s.must(200, "GET", "/api/Spaces-1/machinepolicies", nil)["TotalResults"] != 2.0 {
		t.Errorf("the default policy: %v", edited)
	}
}

// TestAPolicyKeepsItsScriptAndItsTimes: they come back as they were sent, and a check of a machine runs the script.
func TestAPolicyKeepsItsScriptAndItsTimes(t *testing.T) {
	s := newSite(t)
	sent := m{
		"HealthCheckCron": "0 0 6 * * Mon-Fri", "HealthCheckCronTimezone": "Europe/Berlin",
		"BashHealthCheckPolicy": m{"RunType": "InlineBash", "ScriptBody": "echo_warning 'hot'"},
	}
	made := s.must(201, "POST", "/api/Spaces-1/machinepolicies", m{"Name": "Nightly", "MachineHealthCheckPolicy": sent})
	got := s.must(200, "GET", "/api/Spaces-1/machinepolicies/"+made["Id"].(string), nil)["MachineHealthCheckPolicy"].(m)
	bash := got["BashHealthCheckPolicy"].(m)
	if got["HealthCheckCron"] != sent["HealthCheckCron"] || got["HealthCheckCronTimezone"] != "Europe/Berlin" ||
		got["HealthCheckInterval"] != "00:00:00" || bash["RunType"] != "Inline" || bash["ScriptBody"] != "echo_warning 'hot'" {
		t.Errorf("it came back as %v", got)
	}
}
