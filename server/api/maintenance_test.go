// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"testing"

	"fairlead/internal/deploy"
)

func TestMaintenanceModeKeepsOthersFromChanging(t *testing.T) {
	s := newSite(t)
	s.fill()
	manager := s.hire("ada", "userroles-spacemanager", deploy.ScopedRole{})
	system := s.hire("bob", "userroles-systemmanager", deploy.ScopedRole{})
	begin := func(on bool) {
		t.Helper()
		got := s.must(200, "PUT", "/api/maintenanceconfiguration", m{"Id": "maintenance", "IsInMaintenanceMode": on})
		if got["IsInMaintenanceMode"] != on || s.must(200, "GET", "/api/serverstatus", nil)["IsInMaintenanceMode"] != on {
			t.Errorf("maintenance mode is not %v: %v", on, got)
		}
	}
	changes := func(what string, want int) {
		t.Helper()
		for path, key := range map[string]string{
			"/api/Spaces-1/environments": manager, "/api/Spaces-1/packages/raw?fileName=Web.App.2.0.0.zip": manager,
			"/api/users": system,
		} {
			var body any = m{"Name": what, "Username": what}
			if path[len(path)-3:] == "zip" {
				body = zipped(t, what)
			}
			if a := s.as(key, "POST", path, body); a.status != want {
				t.Errorf("%s: POST %s: %d %s, want %d", what, path, a.status, a.body, want)
			}
		}
	}
	if a := s.as(manager, "PUT", "/api/maintenanceconfiguration", m{"IsInMaintenanceMode": true}); a.status != 403 {
		t.Errorf("a space manager begins it: %d, want 403", a.status)
	}
	begin(true)
	before := s.checksum()
	changes("meanwhile", 503)
	if s.checksum() != before {
		t.Error("a refused change changed the store")
	}
	if a := s.as(manager, "GET", "/api/Spaces-1/environments", nil); a.status != 200 {
		t.Errorf("reading meanwhile: %d", a.status)
	}
	s.must(201, "POST", "/api/Spaces-1/environments", m{"Name": "by an administrator"})
	begin(false)
	changes("afterwards", 201)
}
