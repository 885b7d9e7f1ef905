// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"testing"
)

// TestRefusalsSayWhy goes through what clients offer and the server has not: each answer is one sentence that helps.
func TestRefusalsSayWhy(t *testing.T) {
	s := newSite(t)
	s.fill()
	before := s.checksum()
	machine := func(style, uri string) m {
		return m{"Name": "x", "EnvironmentIds": []string{"Environments-1"}, "Roles": []string{"web"}, "Endpoint": m{
			"CommunicationStyle": style, "Uri": uri, "Thumbprint": strings.Repeat("5", 64),
		}}
	}
	tenanted := machine("TentaclePassive", "https://host:1/")
	tenanted["TenantedDeploymentParticipation"] = "TenantedOrUntenanted"
	deploy := func(more m) m {
		more["projectName"], more["releaseVersion"], more["environmentNames"] = "Web App", "1.0.0", []string{"Dev"}
		return more
	}
	const deployments, machines, accounts = "deployments/create/untenanted/v1", "machines", "accounts"
	for _, c := range []struct {
		path string
		body m
		want string
	}{
		{machines, machine("None", ""), `a machine of the communication style "None" (this version knows TentaclePassive) comes with`},
		{machines, machine("Ssh", "ssh://host:22/"), `a machine of the communication style "Ssh"`},
		{machines, tenanted, "a machine for tenants comes with a later version"},
		{accounts, m{"Name": "x", "AccountType": "GoogleCloudAccount"}, `accounts of the type "GoogleCloudAccount" come with a later version`},
		{"deployments/create/tenanted/v1", deploy(m{"tenants": []string{"t"}}), "deployments for tenants comes with a later version"},
		{"runbook-runs/create/v1", m{"runbookName": "r"}, "runs of runbooks comes with a later version"},
		{"projects/Projects-1/git/convert", m{}, "projects in Git comes with a later version"},
		{"projects/Projects-1/git/branches/v2", m{"NewBranchName": "b"}, "branches of projects in Git comes with a later version"},
		{deployments, deploy(m{"skipStepNames": []string{"No such"}}), `step "No such" is to be skipped: the release has no step of that name`},
		{deployments, deploy(m{"runAt": "tomorrow"}), `"tomorrow" is no time: want one like 2026-11-28T22:00:00Z`},
		{deployments, deploy(m{"runAt": "2026-11-28 22:00"}), `"2026-11-28 22:00" is no time`}, // whose 22:00?
		{deployments, deploy(m{"noRunAfter": 7}), `7 is no time`},
	} {
		a := s.call("POST", "/api/Spaces-1/"+c.path, c.body)
		said, _ := a.json["Errors"].([]any)
		if a.status != 400 || len(said) != 1 || !strings.Contains(said[0].(string), c.want) {
			t.Errorf("%s %v: %d %s, want 400 and only %q", c.path, c.body, a.status, a.body, c.want)
		}
	}
	with := func(edit func(step, action m)) m {
		step := packageStep("Deploy", "Web.App")
		edit(step, step["Actions"].([]m)[0])
		return m{"Version": 1, "Steps": []m{step}}
	}
	two := func(step, action m) {
		second := scriptStep("Second")["Actions"].([]m)[0]
		second["Condition"] = "Failure"
		step["Actions"] = []m{action, second}
	}
	for want, body := range map[string]m{
		`the fixed version "1.0.0" of package Web.App comes with a later version`: with(func(_, action m) {
			action["Packages"].([]m)[0]["Version"] = "1.0.0"
		}),
		`step Deploy has the start trigger "Sometime": want StartAfterPrevious or StartWithPrevious`: with(func(step, _ m) {
			step["StartTrigger"] = "Sometime"
		}),
		`the package requirement "AfterPackageAcquisition" (this version knows LetOctopusDecide) comes with`: with(func(step, _ m) {
			step["PackageRequirement"] = "AfterPackageAcquisition"
		}),
		`action Second: a condition of its own, "Failure", comes with a later version`: with(two),
		`action Deploy: a condition of its own, "Always", comes with a later version`: with(func(_, action m) {
			action["Condition"] = "Always"
		}),
		`action Deploy is for a team to answer that there is not: "Teams-77"`: with(func(_, action m) {
			action["Properties"].(m)["Octopus.Action.Manual.ResponsibleTeamIds"] = "teams-administrators,Teams-77"
		}),
	} {
		a := s.call("PUT", "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1", body)
		said, _ := a.json["Errors"].([]any)
		if a.status != 400 || len(said) != 1 || !strings.Contains(said[0].(string), want) {
			t.Errorf("%v: %d %s, want 400 and only %q", body, a.status, a.body, want)
		}
	}
	for _, path := range []string{"tenants/t", "workers/w", "workerpools/p", "runbooks/r"} {
		a := s.call("GET", "/api/Spaces-1/"+path, nil)
		if said, _ := a.json["ErrorMessage"].(string); a.status != 404 || !strings.Contains(said, "comes with a later version") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if s.checksum() != before {
		t.Error("a refusal changed the store")
	}
}

// TestTimesOfPeople deploys later, at times as people write them.
func TestTimesOfPeople(t *testing.T) {
	s := newSite(t)
	s.fill()
	for _, at := range []string{"2099-12-24T17:00:00Z", "2099-12-24 18:00 +01:00", "2099-12-24 18:00:00+01:00", "2099-12-24T18:00+01:00"} {
		made := s.must(201, "POST", "/api/Spaces-1/deployments/create/untenanted/v1", m{
			"projectName": "Web App", "releaseVersion": "1.0.0", "environmentNames": []string{"Dev"}, "runAt": at, "noRunAfter": nil,
		})
		task := made["DeploymentServerTasks"].([]any)[0].(m)["ServerTaskId"].(string)
		if got := s.must(200, "GET", "/api/tasks/"+task, nil)["QueueTime"]; got != "2099-12-24T17:00:00.000+00:00" {
			t.Errorf("%s: queued until %v", at, got)
		}
	}
}

// TestWhatVariablesAreNotYet is said so that a slip is seen, too: with what there is, and what was asked for.
func TestWhatVariablesAreNotYet(t *testing.T) {
	s := newSite(t)
	s.fill()
	for want, variable := range map[string]m{
		`a type other than String and Sensitive, such as "Certificate", comes with a later version`: {"Type": "Certificate"},
		`Channel and ProcessOwner, such as "Enviroment", comes with a later version`: {
			"Scope": m{"Enviroment": []string{"Environments-1"}},
		},
	} {
		variable["Name"], variable["Value"] = "A", "x"
		a := s.call("PUT", "/api/Spaces-1/variables/variableset-Projects-1", m{"Version": 0, "Variables": []m{variable}})
		if said, _ := a.json["Errors"].([]any); a.status != 400 || len(said) != 1 || !strings.Contains(said[0].(string), want) {
			t.Errorf("%v: %d %s, want 400 and only %q", variable, a.status, a.body, want)
		}
	}
}
