// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"fairlead/internal/errkind"
	"fairlead/server/api"
)

// TestADiscoveredMachineCanBeAdded as it was answered, which is what clients do.
func TestADiscoveredMachineCanBeAdded(t *testing.T) {
	var asked []string
	pin := strings.Repeat("cd", 32)
	s := newSite(t, func(d *api.Deps) {
		d.Discover = func(_ context.Context, address string) (string, error) {
			asked = append(asked, address)
			switch {
			case strings.HasPrefix(address, "dead"):
				return "", errkind.Unavailable.Errorf("connection refused")
			case strings.HasPrefix(address, "myself"):
				return d.Server().Pin, nil
			case strings.HasPrefix(address, "busy"):
				return "", errkind.Exhausted.Errorf("too many")
			}
			return pin, nil
		}
	})
	s.fill()
	const path = "/api/Spaces-1/machines/discover"
	found := s.must(200, "GET", path+"?host=lt.example.test&port=10934&type=TentaclePassive", nil)
	end := found["Endpoint"].(m)
	if _, has := found["Id"]; has || end["Thumbprint"] != pin || end["Uri"] != "https://lt.example.test:10934/" ||
		found["HealthStatus"] != "Unknown" || found["Status"] != "Unknown" {
		t.Errorf("found is %v", found)
	}
	found["Name"], found["EnvironmentIds"], found["Roles"] = "found", []string{"Environments-1"}, []string{"web"}
	added := s.must(201, "POST", "/api/Spaces-1/machines", found)
	if added["Thumbprint"] != pin || added["Uri"] != end["Uri"] {
		t.Errorf("added is %v", added)
	}
	s.must(200, "GET", path+"?host=%5B2001:db8::1%5D", nil)
	if asked[1] != "[2001:db8::1]:10933" {
		t.Errorf("asked was %q", asked[1])
	}
	for query, want := range map[string]string{
		"host=myself": "this server itself answers there", "host=dead": "no agent was found at dead:10933: connection refused", "": "host is",
		"host=a&port=0": "port is", "host=a&port=x": "port is", "host=a&type=TentacleActive": "it calls the server",
		"host=a&type=Ssh": "type is", "host=a&proxyId=Proxies-1": "later version", "host=a/b": "host is",
		"host=" + url.QueryEscape("a\r\nb"): "host is",
	} {
		if a := s.call("GET", path+"?"+query, nil); a.status != 400 || !strings.Contains(a.json["ErrorMessage"].(string), want) {
			t.Errorf("%s: %d %s, want %q", query, a.status, a.body, want)
		}
	}
	s.must(201, "POST", "/api/spaces", m{"Name": "Two", "TaskQueueStopped": true})
	const other = "/api/Spaces-2/machines"
	if got := s.must(200, "GET", other+"/discover?host=lt", nil)["SpaceId"]; got != "Spaces-2" {
		t.Errorf("found in Spaces-2 is of space %v", got)
	}
	for what, a := range map[string]answer{
		"discover": s.call("GET", other+"/discover?host=a&type=TentacleActive", nil),
		"polling":  s.call("POST", other, m{"Name": "a", "Endpoint": m{"CommunicationStyle": "TentacleActive"}}),
		"stock":    s.call("POST", other, m{"Name": "a", "Endpoint": m{"Thumbprint": strings.Repeat("A", 40)}}),
	} {
		if help, _ := a.json["HelpText"].(string); !strings.Contains(help, "POST /api/Spaces-2/jointokens") {
			t.Errorf("%s: %d %s, want where join tokens are made", what, a.status, a.body)
		}
	}
	if a := s.call("GET", path+"?host=busy", nil); a.status == 200 || a.status == 400 {
		t.Errorf("too many at once: %d %s", a.status, a.body)
	}
	before := len(asked)
	if a := s.as(s.powerless(), "GET", path+"?host=lt", nil); a.status != 403 || len(asked) != before {
		t.Errorf("without the right: %d, %d calls", a.status, len(asked)-before)
	}
}
