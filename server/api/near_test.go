// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"testing"

	"fairlead/internal/deploy"
	"fairlead/server/identity"
)

// TestWhatIsNotFoundHasANearName: a slip in a name is answered with the name that may be meant, of what the caller sees.
func TestWhatIsNotFoundHasANearName(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.must(201, "POST", "/api/spaces", m{"Name": "Second"})
	s.must(201, "POST", "/api/Spaces-1/environments", m{"Name": "Testing"})
	for path, want := range map[string]any{
		"/api/Spaces-1/environments/tesitng":             `did you mean "Testing"?`,
		"/api/Spaces-1/projects/Web%20Ap":                `did you mean "Web App"?`,
		"/api/Spaces-1/lifecycles/Defualt%20Lifecycle":   `did you mean "Default Lifecycle"?`,
		"/api/Spaces-1/environments/Nothing%20like%20it": nil,
		"/api/Spaces-1/environments/Environments-99":     nil,
		"/api/spaces/Secnd":                              `did you mean "Second"?`,
		"/api/spaces/Secnd/environments":                 `did you mean "Second"?`,
		"/api/Spaces-7/environments":                     nil,
	} {
		a := s.call("GET", path, nil)
		if a.status != 404 || a.json["HelpText"] != want {
			t.Errorf("GET %s: %d with %v, want %v\n%s", path, a.status, a.json["HelpText"], want, a.body)
		}
	}
	slip := m{"projectName": "Web App", "releaseVersion": "1.0.0", "environmentNames": []string{"tesitng"}}
	const deploys = "/api/Spaces-1/deployments/create/untenanted/v1"
	if a := s.call("POST", deploys, slip); a.status != 404 || a.json["HelpText"] != `did you mean "Testing"?` {
		t.Errorf("a deployment: %d with %v\n%s", a.status, a.json["HelpText"], a.body)
	}
	key := s.hire("ann", identity.SpaceManagerRoleID, deploy.ScopedRole{
		Space: "Spaces-1", Environments: []deploy.EnvironmentID{"Environments-1"},
	})
	if a := s.as(key, "POST", deploys, slip); a.status != 404 || a.json["HelpText"] != nil {
		t.Errorf("who does not see it deploys there: %d with %v\n%s", a.status, a.json["HelpText"], a.body)
	}
	for _, path := range []string{
		"/api/spaces/Secnd/environments", "/api/Spaces-1/environments/tesitng",
		"/api/Spaces-1/releases/Releases-1/deployments/preview/tesitng",
	} {
		if a := s.as(key, "GET", path, nil); a.status != 404 || a.json["HelpText"] != nil {
			t.Errorf("who does not see it: GET %s: %d with %v", path, a.status, a.json["HelpText"])
		}
	}
}
