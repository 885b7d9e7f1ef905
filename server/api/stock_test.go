// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAStockTentacleIsToldWhatToDo does what register-with and deregister-from do: each question on the way is answered,
// and the machine itself is refused in words. Source: octopus-rest.md e.
func TestAStockTentacleIsToldWhatToDo(t *testing.T) {
	s := newSite(t)
	s.fill()
	root := s.must(200, "GET", "/api", nil)
	if v, _ := root["ApiVersion"].(string); !strings.HasPrefix(v, "3.0.") || root["Version"] == "" {
		t.Errorf("the root document: %v", root)
	}
	for _, link := range []string{"SignIn", "CurrentUser", "CertificateConfiguration"} {
		if root["Links"].(m)[link] == nil {
			t.Errorf("the root document has no link %s", link)
		}
	}
	me := s.must(200, "GET", "/api/users/me", nil)
	if a := s.call("GET", me["Links"].(m)["Spaces"].(string), nil); a.status != 200 || !strings.HasPrefix(string(a.body), "[") {
		t.Errorf("the spaces of the user: %d %s", a.status, a.body)
	}
	for _, path := range []string{
		"/api/Spaces-1", "/api/configuration/certificates/certificate-global", "/api/Spaces-1/machines?name=stock",
		"/api/Spaces-1/machinepolicies", "/api/Spaces-1/proxies", "/api/Spaces-1/workerpools", "/api/Spaces-1/tenants",
		"/api/Spaces-1/environments/v2?skip=0&take=2147483647", "/api/Spaces-1/workers?name=stock",
	} {
		s.must(200, "GET", path, nil)
	}
	thumbprint := strings.Repeat("0A", 20)
	for style, uri := range map[string]string{
		"TentacleActive": "poll://abcdefghijklmnopqrst/", "TentaclePassive": "https://stock.example.test:10933/",
	} {
		a := s.call("POST", "/api/Spaces-1/machines", m{
			"Name": "stock", "EnvironmentIds": []string{"Environments-1"}, "Roles": []string{"web"}, "Thumbprint": thumbprint, "Uri": uri,
			"TenantedDeploymentParticipation": "Untenanted", "MachinePolicyId": nil,
			"Endpoint": m{"CommunicationStyle": style, "Uri": uri, "Thumbprint": thumbprint},
		})
		said, _ := a.json["ErrorMessage"].(string)
		if a.status != 400 || !strings.Contains(said, "stock Tentacle") || !strings.Contains(string(a.body), "fairlead-agent join") {
			t.Errorf("POST of a %s: %d %s", style, a.status, a.body)
		}
	}
	if a := s.call("GET", "/api/Spaces-1/machines/all?thumbprint="+thumbprint, nil); string(a.body) != "[]\n" && string(a.body) != "[]" {
		t.Errorf("deregister-from finds %d %s", a.status, a.body)
	}
	r := httptest.NewRequest("POST", "/api/Spaces-1/machines/lt", nil)
	r.Header.Set("X-HTTP-Method-Override", "DELETE")
	r.Header.Set("X-Octopus-ApiKey", s.key)
	if a := s.send(r); a.status != 200 {
		t.Errorf("the tunnelled delete of a machine that there is: %d %s", a.status, a.body)
	}
	if a := s.call("GET", "/api/Spaces-1/machines/lt", nil); a.status != 404 {
		t.Errorf("afterwards: %d", a.status)
	}
}
