// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// random replaces what differs from run to run.
func random(text []byte) []byte {
	uuid := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	key := regexp.MustCompile(`API-[A-Z0-9]{4,}`)
	keyID := regexp.MustCompile(`apikeys-[0-9a-f]{16}`)
	token := regexp.MustCompile(`fl1_[A-Za-z0-9_-]+`)
	tokenID := regexp.MustCompile(`"Id": "[0-9a-f]{16}"|jointokens/[0-9a-f]{16}`)
	hash := regexp.MustCompile(`"Hash": "[0-9a-f]{64}"`)
	text = uuid.ReplaceAll(text, []byte("UUID"))
	text = key.ReplaceAll(text, []byte("API-KEY"))
	text = keyID.ReplaceAll(text, []byte("apikeys-ID"))
	text = token.ReplaceAll(text, []byte("fl1_TOKEN"))
	text = tokenID.ReplaceAll(text, []byte(`"TOKEN-ID"`))
	return hash.ReplaceAll(text, []byte(`"Hash": "SHA-256"`))
}

func golden(t *testing.T, name string, body []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, bytes.TrimSpace(body), "", "  "); err != nil {
		t.Fatalf("%s: %v in %s", name, err, body)
	}
	got := append(random(pretty.Bytes()), '\n')
	path := filepath.Join("testdata", "golden", name+".json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: go test ./server/api -update writes it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestGoldenShapes holds every resource to its shape. The shapes are those of the public clients'
// documents; a change here is a change of what clients see.
func TestGoldenShapes(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.logs.say("ServerTasks-1", "", "Deploy Web App release 1.0.0 to Dev")
	s.logs.say("ServerTasks-1", "1/Machines-1", "hello from lt")
	for _, one := range []struct{ name, method, path string }{
		{"root", "GET", "/api"},
		{"space-root", "GET", "/api/Spaces-1"},
		{"space", "GET", "/api/spaces/Spaces-1"},
		{"spaces-all", "GET", "/api/spaces/all"},
		{"environment", "GET", "/api/Spaces-1/environments/Environments-1"},
		{"environments-page", "GET", "/api/Spaces-1/environments?skip=1&take=1"},
		{"projectgroup", "GET", "/api/Spaces-1/projectgroups/ProjectGroups-1"},
		{"project", "GET", "/api/Spaces-1/projects/web-app"},
		{"deploymentsettings", "GET", "/api/Spaces-1/projects/web-app/deploymentsettings"},
		{"projectprogression", "GET", "/api/Spaces-1/projects/web-app/progression"},
		{"process", "GET", "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1"},
		{"lifecycle", "GET", "/api/Spaces-1/lifecycles/default-lifecycle"},
		{"channel", "GET", "/api/Spaces-1/channels/Channels-1"},
		{"release", "GET", "/api/Spaces-1/projects/Projects-1/releases/1.0.0"},
		{"releasetemplate", "GET", "/api/Spaces-1/projects/Projects-1/deploymentprocesses/template"},
		{"deployment", "GET", "/api/Spaces-1/deployments/Deployments-1"},
		{"preview", "GET", "/api/Spaces-1/releases/Releases-1/deployments/preview/Environments-1"},
		{"deploymenttemplate", "GET", "/api/Spaces-1/releases/Releases-1/deployments/template"},
		{"progression", "GET", "/api/Spaces-1/releases/Releases-1/progression"},
		{"task", "GET", "/api/tasks/ServerTasks-1"},
		{"interruption", "GET", "/api/Spaces-1/interruptions/Interruptions-1"},
		{"artifact", "GET", "/api/Spaces-1/artifacts/Artifacts-1"},
		{"artifacts", "GET", "/api/Spaces-1/artifacts?regarding=ServerTasks-1"},
		{"taskdetails", "GET", "/api/tasks/ServerTasks-1/details"},
		{"machine", "GET", "/api/Spaces-1/machines/lt"},
		{"policy", "GET", "/api/Spaces-1/machinepolicies/MachinePolicies-1"},
		{"feed", "GET", "/api/Spaces-1/feeds/feeds-builtin"},
		{"package", "GET", "/api/Spaces-1/packages/packages-web.app.1.0.0"},
		{"packageversions", "GET", "/api/Spaces-1/feeds/Feeds-1001/packages/versions?packageId=web.app"},
		{"variableset", "GET", "/api/Spaces-1/variables/variableset-Projects-1"},
		{"libraryvariableset", "GET", "/api/Spaces-1/libraryvariablesets/LibraryVariableSets-1"},
		{"account", "GET", "/api/Spaces-1/accounts/deploy"},
		{"user", "GET", "/api/users/me"},
		{"apikeys", "GET", "/api/users/me/apikeys"},
		{"serverstatus", "GET", "/api/serverstatus"},
		{"certificate", "GET", "/api/configuration/certificates/certificate-global"},
		{"dashboard", "GET", "/api/Spaces-1/dashboard"},
		{"events", "GET", "/api/events?take=3"},
		{"problem-404", "GET", "/api/Spaces-1/projects/none"},
	} {
		golden(t, one.name, s.call(one.method, one.path, nil).body)
	}
	golden(t, "apikey-created", s.call("POST", "/api/users/Users-1/apikeys", m{"Purpose": "CI", "Expires": nil}).body)
	golden(t, "jointoken-created", s.call("POST", "/api/Spaces-1/jointokens", m{
		"Environments": []string{"dev"}, "Tags": []string{"web"}, "ExpiresInSeconds": 1800,
	}).body)
	golden(t, "problem-400", s.call("POST", "/api/Spaces-1/environments", m{"Name": "dev"}).body)
	golden(t, "problem-process", s.call("PUT", "/api/Spaces-1/projects/Projects-1/deploymentprocesses", m{
		"Version": 1, "Steps": []m{
			{"Name": "A", "StartTrigger": "StartAfterPrevious", "Actions": []m{}},
			{"Name": "a", "Condition": "Variable", "Properties": m{"Octopus.Action.TargetRoles": "x"}, "Actions": []m{
				{"Name": "a1", "ActionType": "Octopus.Manual"},
				{"Name": "a2", "ActionType": "Octopus.Script", "Properties": m{"Octopus.Action.Script.Syntax": "PowerShell"}},
			}},
		},
	}).body)
}
