// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"testing"

	"fairlead/internal/deploy"
)

// TestInterruptionsAreAnswered as the public clients do it: look, take, submit.
func TestInterruptionsAreAnswered(t *testing.T) {
	s := newSite(t)
	s.fill()
	guided := s.ask("ServerTasks-1", deploy.FailureInterruption, "")
	const base = "/api/Spaces-1/interruptions"
	for query, want := range map[string]int{
		"": 2, "?regarding=ServerTasks-1&pendingOnly=true": 2, "?regarding=deployments-1": 2, "?regarding=Projects-1": 2,
		"?regarding=ServerTasks-77": 0, "?ids=Interruptions-1": 1, "?take=1": 1,
	} {
		if n := len(s.must(200, "GET", base+query, nil)["Items"].([]any)); n != want {
			t.Errorf("%d interruptions with %q, want %d", n, query, want)
		}
	}
	task := s.must(200, "GET", "/api/tasks/ServerTasks-1", nil)
	if task["HasPendingInterruptions"] != true || !strings.Contains(task["WaitingFor"].(string), "waits for an answer: Approve") {
		t.Errorf("the task: %v, %v", task["HasPendingInterruptions"], task["WaitingFor"])
	}
	if n := len(s.must(200, "GET", "/api/tasks?hasPendingInterruptions=true", nil)["Items"].([]any)); n != 1 {
		t.Errorf("%d tasks with pending interruptions", n)
	}
	one := base + "/Interruptions-1"
	s.must(404, "GET", base+"/"+guided+"/responsible", nil)
	if user := s.must(200, "PUT", one+"/responsible", nil); user["Username"] == nil {
		t.Errorf("taking responsibility answers %v, want a user", user)
	}
	s.must(200, "GET", one+"/responsible", nil)
	s.must(400, "POST", one+"/submit", m{"Result": "Retry"})
	done := s.must(200, "POST", one+"/submit", m{"Instructions": "", "Notes": "fine", "Result": "proceed"})
	values := done["Form"].(m)["Values"].(m)
	if done["IsPending"] != false || values["Result"] != "Proceed" || values["Notes"] != "fine" || done["HasResponsibility"] != true {
		t.Errorf("after the answer: %v", done)
	}
	s.must(400, "POST", one+"/submit", m{"Result": "Abort"})
	s.must(400, "PUT", one+"/responsible", nil)
	s.must(200, "POST", base+"/"+guided+"/submit", m{"Guidance": "Exclude", "Result": ""})
	events := s.must(200, "GET", "/api/events?take=3", nil)["Items"].([]any)
	if len(events) != 3 || events[0].(m)["Category"] != "InterruptionSubmitted" {
		t.Errorf("events: %v", events)
	}
	if n := len(s.must(200, "GET", base+"?pendingOnly=true", nil)["Items"].([]any)); n != 0 {
		t.Errorf("%d are pending at the end", n)
	}
}

// TestTasksRunAgain: a deployment as a new one, a script as it was.
func TestTasksRunAgain(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.must(400, "POST", "/api/tasks/rerun/ServerTasks-1", nil)
	s.must(200, "POST", "/api/tasks/ServerTasks-1/cancel", nil)
	again := s.must(201, "POST", "/api/tasks/rerun/ServerTasks-1", nil)
	if again["Id"] != "ServerTasks-2" || again["DeploymentId"] != "Deployments-2" || again["State"] != "Queued" {
		t.Errorf("again: %v", again)
	}
	script := s.must(201, "POST", "/api/tasks", m{"Name": "AdHocScript", "Arguments": m{
		"ScriptBody": "true", "MachineIds": []string{"Machines-1"},
	}})
	s.must(200, "POST", "/api/tasks/"+script["Id"].(string)+"/cancel", nil)
	second := s.must(201, "POST", "/api/tasks/rerun/"+script["Id"].(string), nil)
	if second["Arguments"].(m)["ScriptBody"] != "true" || second["Id"] == script["Id"] {
		t.Errorf("the script again: %v", second)
	}
	if state := s.must(200, "GET", "/api/tasks/ServerTasks-1/state", nil)["State"]; state != "Canceled" {
		t.Errorf("state %v", state)
	}
}

// TestDeploymentOptionsAreKept and told, and done again.
func TestDeploymentOptionsAreKept(t *testing.T) {
	s := newSite(t)
	s.fill()
	process := s.must(200, "GET", "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1", nil)
	action := process["Steps"].([]any)[0].(m)["Actions"].([]any)[0].(m)["Id"].(string)
	d := s.must(201, "POST", "/api/Spaces-1/deployments", m{
		"ReleaseId": "Releases-1", "EnvironmentId": "Environments-1", "UseGuidedFailure": true, "ForcePackageDownload": true,
		"SkipActions": []string{action}, "SpecificMachineIds": []string{"Machines-1"}, "QueueTimeExpiry": "2099-01-01T00:00:00Z",
	})
	task := s.must(200, "GET", "/api/tasks/"+d["TaskId"].(string), nil)
	s.must(200, "POST", "/api/tasks/"+d["TaskId"].(string)+"/cancel", nil)
	s.must(201, "POST", "/api/tasks/rerun/"+d["TaskId"].(string), nil)
	for _, id := range []string{"Deployments-2", "Deployments-3"} {
		got := s.must(200, "GET", "/api/Spaces-1/deployments/"+id, nil)
		if got["UseGuidedFailure"] != true || got["ForcePackageDownload"] != true || len(got["SkipActions"].([]any)) != 1 ||
			len(got["SpecificMachineIds"].([]any)) != 1 {
			t.Errorf("%s: %v", id, got)
		}
	}
	if task["QueueTimeExpiry"] == nil {
		t.Errorf("the task has no expiry: %v", task)
	}
	s.must(400, "POST", "/api/Spaces-1/deployments", m{
		"ReleaseId": "Releases-1", "EnvironmentId": "Environments-1", "QueueTimeExpiry": "2001-01-01T00:00:00Z",
	})
}

// TestPreviewsComeInTheOrderAskedFor, one for each environment.
func TestPreviewsComeInTheOrderAskedFor(t *testing.T) {
	s := newSite(t)
	s.fill()
	a := s.call("POST", "/api/Spaces-1/releases/Releases-1/deployments/previews", m{
		"DeploymentPreviews": []m{{"EnvironmentId": "Environments-2", "TenantId": ""}, {"EnvironmentId": "Environments-1"}},
		"ReleaseId":          "Releases-1", "SpaceId": "Spaces-1", "IncludeDisabledSteps": true,
	})
	if a.status != 200 || !strings.HasPrefix(strings.TrimSpace(string(a.body)), "[") || strings.Count(string(a.body), "StepsToExecute") != 2 {
		t.Errorf("%d %s", a.status, a.body)
	}
	s.must(400, "POST", "/api/Spaces-1/releases/Releases-1/deployments/previews", m{
		"DeploymentPreviews": []m{{"EnvironmentId": "Environments-1", "TenantId": "Tenants-1"}},
	})
}

// TestStepsThatAskAndStartTogether round-trip in a process.
func TestStepsThatAskAndStartTogether(t *testing.T) {
	s := newSite(t)
	s.fill()
	const path = "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1"
	process := s.must(200, "GET", path, nil)
	together := scriptStep("Together")
	together["StartTrigger"], together["Condition"] = "StartWithPrevious", "Variable"
	together["Properties"].(m)["Octopus.Step.ConditionVariableExpression"] = "#{unless Octopus.Deployment.Error}true#{/unless}"
	process["Steps"] = append(process["Steps"].([]any), together, m{
		"Name": "Approve", "Actions": []m{{"Name": "Approve", "ActionType": "Octopus.Manual", "Properties": m{
			"Octopus.Action.Manual.Instructions": "Look", "Octopus.Action.RunOnServer": "true",
		}}},
	})
	saved := s.must(200, "PUT", path, process)["Steps"].([]any)
	if got := saved[2].(m); got["StartTrigger"] != "StartWithPrevious" || got["Condition"] != "Variable" {
		t.Errorf("together: %v", got)
	}
	if got := saved[3].(m)["Actions"].([]any)[0].(m); got["ActionType"] != "Octopus.Manual" {
		t.Errorf("approve: %v", got)
	}
}

// TestStepThatAsksNothing: a manual step has a question, and no machines to run on.
func TestStepThatAsksNothing(t *testing.T) {
	s := newSite(t)
	s.fill()
	const path = "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1"
	for want, change := range map[string]func(step, properties m){
		"step Approve asks people and runs on no machine: leave Octopus.Action.TargetRoles out": func(step, _ m) {
			step["Properties"] = m{"Octopus.Action.TargetRoles": "web"}
		},
		"action Approve does not say what people shall decide: set Octopus.Action.Manual.Instructions": func(_, properties m) {
			properties["Octopus.Action.Manual.Instructions"] = " \n"
		},
	} {
		properties := m{"Octopus.Action.Manual.Instructions": "Look"}
		step := m{"Name": "Approve", "Actions": []m{{"Name": "Approve", "ActionType": "Octopus.Manual", "Properties": properties}}}
		change(step, properties)
		process := s.must(200, "GET", path, nil)
		process["Steps"] = append(process["Steps"].([]any), step)
		if got := s.must(400, "PUT", path, process)["Errors"].([]any); len(got) != 1 || got[0] != want {
			t.Errorf("refused with %q, want %q", got, want)
		}
	}
}
