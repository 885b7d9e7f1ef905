// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
)

// TestPreviewSaysWhereAndWhat holds a preview against the process: the tags are the step's, and disabled actions
// come for who asks for them.
func TestPreviewSaysWhereAndWhat(t *testing.T) {
	s := newSite(t)
	s.fill()
	off := scriptStep("Off")
	off["Properties"] = m{"Octopus.Action.TargetRoles": "db"}
	off["Actions"].([]m)[0]["IsDisabled"] = true
	s.must(200, "PUT", "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1", m{
		"Version": 1, "Steps": []m{scriptStep("Say hello"), off},
	})
	s.must(201, "POST", "/api/Spaces-1/releases/create/v1", m{"projectName": "Web App", "releaseVersion": "2.0.0"})
	told := func(shown m) (lines []string) {
		for _, step := range shown["StepsToExecute"].([]any) {
			step := step.(m)
			lines = append(lines, fmt.Sprint(step["ActionName"], step["Roles"], step["IsDisabled"]))
		}
		return lines
	}
	one := "/api/Spaces-1/releases/Releases-2/deployments/preview/Environments-1"
	on, all := []string{"Say hello[web] false"}, []string{"Say hello[web] false", "Off[db] true"}
	if diff := cmp.Diff(on, told(s.must(200, "GET", one, nil))); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(all, told(s.must(200, "GET", one+"?includeDisabledSteps=true", nil))); diff != "" {
		t.Errorf("preview with disabled steps (-want +got):\n%s", diff)
	}
	a := s.call("POST", "/api/Spaces-1/releases/Releases-2/deployments/previews", m{
		"IncludeDisabledSteps": true, "DeploymentPreviews": []m{{"EnvironmentId": "Environments-1"}},
	})
	var previews []m
	if err := json.Unmarshal(a.body, &previews); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, told(previews[0])); diff != "" {
		t.Errorf("previews with disabled steps (-want +got):\n%s", diff)
	}
}

// TestTemplateTellsOfDrift changes process, variables and library sets after a release, one after the other.
func TestTemplateTellsOfDrift(t *testing.T) {
	s := newSite(t)
	s.fill()
	release := "Releases-1"
	drift := func() string {
		shown := s.must(200, "GET", "/api/Spaces-1/releases/"+release+"/deployments/template", nil)
		return fmt.Sprint(shown["IsDeploymentProcessModified"], shown["IsVariableSetModified"], shown["IsLibraryVariableSetModified"])
	}
	if got := drift(); got != "false false false" {
		t.Errorf("at first: %s", got)
	}
	s.must(200, "PUT", "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1", m{
		"Version": 1, "Steps": []m{scriptStep("Say hello")},
	})
	if got := drift(); got != "true false false" {
		t.Errorf("after the process: %s", got)
	}
	s.must(200, "PUT", "/api/Spaces-1/variables/variableset-Projects-1", m{"Version": 1, "Variables": []m{}})
	if got := drift(); got != "true true false" {
		t.Errorf("after the variables: %s", got)
	}
	project := s.must(200, "GET", "/api/Spaces-1/projects/Projects-1", nil)
	project["IncludedLibraryVariableSetIds"] = []string{"LibraryVariableSets-1"}
	s.must(200, "PUT", "/api/Spaces-1/projects/Projects-1", project)
	if got := drift(); got != "true true true" {
		t.Errorf("after the library sets: %s", got)
	}
	s.must(201, "POST", "/api/Spaces-1/releases/create/v1", m{"projectName": "Web App", "releaseVersion": "2.0.0"})
	if release = "Releases-2"; drift() != "false false false" {
		t.Errorf("a new release: %s", drift())
	}
	set := s.must(200, "GET", "/api/Spaces-1/variables/variableset-LibraryVariableSets-1", nil)
	s.must(200, "PUT", "/api/Spaces-1/variables/variableset-LibraryVariableSets-1", m{
		"Version": set["Version"], "Variables": []m{},
	})
	if got := drift(); got != "false false true" {
		t.Errorf("after the variables of a library set: %s", got)
	}
}

// TestDeploymentsKeepWhenAndWho reads a scheduled deployment back.
func TestDeploymentsKeepWhenAndWho(t *testing.T) {
	s := newSite(t)
	s.fill()
	begin := s.wall().Add(time.Hour).UTC().Truncate(time.Second)
	s.must(201, "POST", "/api/Spaces-1/deployments/create/untenanted/v1", m{
		"projectName": "Web App", "releaseVersion": "1.0.0", "environmentNames": []string{"Dev"},
		"runAt": begin, "noRunAfter": begin.Add(time.Hour),
	})
	shown := s.must(200, "GET", "/api/Spaces-1/deployments/Deployments-2", nil)
	want := fmt.Sprint(begin.Format("2006-01-02T15:04:05.000+00:00"), begin.Add(time.Hour).Format("2006-01-02T15:04:05.000+00:00"), "Users-1")
	if got := fmt.Sprint(shown["QueueTime"], shown["QueueTimeExpiry"], shown["DeployedById"]); got != want {
		t.Errorf("the deployment is for %s, want %s", got, want)
	}
	if shown = s.must(200, "GET", "/api/Spaces-1/deployments/Deployments-1", nil); shown["QueueTime"] != nil {
		t.Errorf("a deployment of now is for %v", shown["QueueTime"])
	}
}

// TestListsShowWholeReleases compares a release in each list with the one read by itself.
func TestListsShowWholeReleases(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.must(201, "POST", "/api/Spaces-1/releases/create/v1", m{
		"projectName": "Web App", "releaseVersion": "2.0.0", "releaseNotes": "n", "customFields": m{"Ticket": "X-1"},
		"ignoreChannelRules": true,
	})
	alone := s.must(200, "GET", "/api/Spaces-1/releases/Releases-1", nil)
	if alone["ReleaseNotes"] != "first" || len(alone["SelectedPackages"].([]any)) != 1 {
		t.Fatalf("the release has no notes or no packages: %v", alone)
	}
	for _, list := range []string{
		"releases?", "releases?ids=releases-1&", "projects/Projects-1/releases?", "channels/Channels-1/releases?",
		"projects/Projects-1/releases?searchByVersion=1&",
	} {
		page := s.must(200, "GET", "/api/Spaces-1/"+list+"take=2147483647", nil)
		items := page["Items"].([]any)
		if diff := cmp.Diff(any(alone), items[len(items)-1]); diff != "" || page["TotalResults"] != float64(len(items)) {
			t.Errorf("%s: %v in all (-alone +listed):\n%s", list, page["TotalResults"], diff)
		}
	}
	page := s.must(200, "GET", "/api/Spaces-1/releases?skip=1&take=1", nil)
	second := page["Items"].([]any)
	if len(second) != 1 || second[0].(m)["Id"] != "Releases-1" || page["TotalResults"] != 2.0 {
		t.Errorf("the second page is %v", page)
	}
}

// TestOlderAddressOfTheReleaseTemplate answers as the newer one does.
func TestOlderAddressOfTheReleaseTemplate(t *testing.T) {
	s := newSite(t)
	s.fill()
	const below = "/api/Spaces-1/projects/Projects-1/deploymentprocesses/"
	newer := s.must(200, "GET", below+"template?channel=Channels-1", nil)
	older := s.must(200, "GET", below+"deploymentprocess-Projects-1/template?channel=Channels-1", nil)
	if diff := cmp.Diff(newer, older); diff != "" || newer["NextVersionIncrement"] == nil {
		t.Errorf("(-newer +older):\n%s", diff)
	}
}

// TestSnapshotsOfReleases reads process and variables under the ids that a release names, as the command line client
// does before it deploys, after the project has gone on.
func TestSnapshotsOfReleases(t *testing.T) {
	s := newSite(t)
	s.fill()
	project := s.must(200, "GET", "/api/Spaces-1/projects/Projects-1", nil)
	project["IncludedLibraryVariableSetIds"] = []string{"LibraryVariableSets-1"}
	s.must(200, "PUT", "/api/Spaces-1/projects/Projects-1", project)
	s.must(201, "POST", "/api/Spaces-1/releases/create/v1", m{"projectName": "Web App", "releaseVersion": "2.0.0"})
	s.must(200, "PUT", "/api/Spaces-1/deploymentprocesses/deploymentprocess-Projects-1", m{
		"Version": 1, "Steps": []m{scriptStep("Another")},
	})
	s.must(200, "PUT", "/api/Spaces-1/variables/variableset-Projects-1", m{"Version": 1, "Variables": []m{}})
	release := s.must(200, "GET", "/api/Spaces-1/releases/Releases-2", nil)
	id := release["ProjectDeploymentProcessSnapshotId"].(string)
	process := s.must(200, "GET", "/api/Spaces-1/deploymentprocesses/"+id, nil)
	if steps := process["Steps"].([]any); process["Id"] != id || len(steps) != 2 || steps[0].(m)["Name"] != "Say hello" {
		t.Errorf("the process is %v", process)
	}
	id = s.must(200, "GET", "/api/Spaces-1/deployments/Deployments-1", nil)["DeploymentProcessId"].(string)
	process = s.must(200, "GET", "/api/Spaces-1/deploymentprocesses/"+id, nil)
	if steps := process["Steps"].([]any); process["Id"] != id || len(steps) != 2 {
		t.Errorf("the process of the deployment is %v", process)
	}
	id = release["ProjectVariableSetSnapshotId"].(string)
	set := s.must(200, "GET", "/api/Spaces-1/variables/"+id, nil)
	if all := set["Variables"].([]any); set["Id"] != id || len(all) != 1 || all[0].(m)["Value"] != "good day" {
		t.Errorf("the variables are %v", set)
	}
	id = release["LibraryVariableSetSnapshotIds"].([]any)[0].(string)
	if set = s.must(200, "GET", "/api/Spaces-1/variables/"+id, nil); set["Id"] != id || set["OwnerId"] != "LibraryVariableSets-1" {
		t.Errorf("the library set is %v", set)
	}
	for _, gone := range []string{
		"deploymentprocesses/deploymentprocess-Projects-1-s-2-Releases-2", "variables/variableset-Projects-1-s-2-Releases-2",
		"variables/variableset-Projects-1-s-0-Releases-2", // it took that version of the library set alone
		"variables/variableset-Projects-1-s-1-Releases-9", "deploymentprocesses/deploymentprocess-Projects-1-s-1-Releases-9",
		"deploymentprocesses/deploymentprocess-Projects-9-s-1-Releases-2",
	} {
		s.must(404, "GET", "/api/Spaces-1/"+gone, nil)
	}
	for _, path := range []string{
		"variables/" + id, "variables/variableset-Deployments-1", "deploymentprocesses/deploymentprocess-Projects-1-s-1-Releases-2",
	} {
		a := s.call("PUT", "/api/Spaces-1/"+path, m{"Version": 0, "Variables": []m{}, "Steps": []m{}})
		if a.status != 400 || !strings.Contains(string(a.body), "cannot be changed") {
			t.Errorf("PUT %s: %d %s", path, a.status, a.body)
		}
	}
}

// TestSlugsThatLookLikeSnapshots: a project whose slug holds what divides the id of a snapshot is a project still.
func TestSlugsThatLookLikeSnapshots(t *testing.T) {
	s := newSite(t)
	s.fill()
	for _, name := range []string{"App S 2", "App S Releases 1"} {
		made := s.must(201, "POST", "/api/Spaces-1/projects", m{
			"Name": name, "LifecycleId": "Lifecycles-1", "ProjectGroupId": "ProjectGroups-1",
		})
		slug := made["Slug"].(string)
		for _, path := range []string{
			"projects/" + slug + "/deploymentprocesses", "projects/" + slug + "/variables",
			"deploymentprocesses/deploymentprocess-" + slug, "variables/variableset-" + slug,
		} {
			got := s.must(200, "GET", "/api/Spaces-1/"+path, nil)
			if got["ProjectId"] != made["Id"] && got["OwnerId"] != made["Id"] {
				t.Errorf("%s is of %v %v, want %v", path, got["ProjectId"], got["OwnerId"], made["Id"])
			}
		}
	}
}

// TestDeploymentsTellOfTheirFailures: people were asked about one, or the task failed.
func TestDeploymentsTellOfTheirFailures(t *testing.T) {
	s := newSite(t)
	s.fill()
	told := func() string {
		one := s.must(200, "GET", "/api/Spaces-1/deployments/Deployments-1", nil)
		listed := s.must(200, "GET", "/api/Spaces-1/deployments", nil)["Items"].([]any)[0].(m)
		return fmt.Sprint(one["FailureEncountered"], listed["FailureEncountered"])
	}
	if got := told(); got != "false false" {
		t.Errorf("before: %s", got)
	}
	s.ask("ServerTasks-1", deploy.FailureInterruption, "")
	if got := told(); got != "true true" {
		t.Errorf("after a question about a failure: %s", got)
	}
}

// TestVariablesOfADeployment are those of its queueing, also when its release has others by now.
func TestVariablesOfADeployment(t *testing.T) {
	s := newSite(t)
	s.fill()
	values := func(deployment string) (all string) {
		id := s.must(200, "GET", "/api/Spaces-1/deployments/"+deployment, nil)["ManifestVariableSetId"]
		set := s.must(200, "GET", "/api/Spaces-1/variables/"+id.(string), nil)
		for _, v := range set["Variables"].([]any) {
			all += fmt.Sprint(v.(m)["Name"], "=", v.(m)["Value"], " ")
		}
		return fmt.Sprint(set["Id"] == id, " ", all)
	}
	before := values("Deployments-1")
	set := s.must(200, "GET", "/api/Spaces-1/variables/variableset-Projects-1", nil)
	s.must(200, "PUT", "/api/Spaces-1/variables/variableset-Projects-1", m{
		"Version": set["Version"], "Variables": []m{{"Name": "New", "Value": "1", "Type": "String", "Scope": m{}}},
	})
	s.must(201, "POST", "/api/Spaces-1/deployments/create/untenanted/v1", m{
		"projectName": "Web App", "releaseVersion": "1.0.0", "environmentNames": []string{"Dev"},
		"updateVariableSnapshot": true,
	})
	if got := values("Deployments-1"); got != before {
		t.Errorf("the first deployment has %s, and had %s", got, before)
	}
	if got := values("Deployments-2"); got != "true New=1 " {
		t.Errorf("the second deployment has %s", got)
	}
	s.must(404, "GET", "/api/Spaces-1/variables/variableset-Deployments-9", nil)
}

// TestPreviewTellsWhoIsMissed: machines that are off, and those that the last check did not reach.
func TestPreviewTellsWhoIsMissed(t *testing.T) {
	s := newSite(t)
	s.fill()
	edit := func(change func(*deploy.Machine)) {
		t.Helper()
		if err := s.store.Update(t.Context(), func(w store.Writer) error {
			one, err := w.Machine("Machines-1")
			if err != nil {
				return err
			}
			change(&one)
			return w.PutMachine(one)
		}); err != nil {
			t.Fatal(err)
		}
	}
	told := func() string {
		one := s.must(200, "GET", "/api/Spaces-1/releases/Releases-1/deployments/preview/Environments-1", nil)
		step := one["StepsToExecute"].([]any)[0].(m)
		return fmt.Sprint(step["UnavailableMachines"], step["ExcludedMachines"])
	}
	if got := told(); got != "[] []" {
		t.Errorf("nobody is missed, and yet %s", got)
	}
	edit(func(one *deploy.Machine) { one.Health.Status = deploy.HealthUnavailable })
	if got := told(); got != "[map[Id:Machines-1 Name:lt]] []" {
		t.Errorf("an unavailable machine: %s", got)
	}
	edit(func(one *deploy.Machine) { one.IsDisabled = true })
	if got := told(); got != "[] [map[Id:Machines-1 Name:lt]]" {
		t.Errorf("a disabled machine: %s", got)
	}
}
