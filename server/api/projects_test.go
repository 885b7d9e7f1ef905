// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const api1 = "/api/Spaces-1/"

// words are strings below a key of each item.
func words(items any, key string) (list []string) {
	for _, item := range items.([]any) {
		list = append(list, item.(m)[key].(string))
	}
	return list
}

// TestLifecyclesInBothSpellings writes retention as older and as newer clients do.
func TestLifecyclesInBothSpellings(t *testing.T) {
	s := newSite(t)
	s.fill()
	made := s.must(201, "POST", api1+"lifecycles", m{
		"Name": "Careful", "ReleaseRetentionPolicy": m{"Unit": "Days", "QuantityToKeep": 30, "ShouldKeepForever": false},
		"TentacleRetentionPolicy": m{"Strategy": "Default"},
		"Phases": []m{{
			"Name": "Test", "AutomaticDeploymentTargets": []string{"Environments-1"}, "OptionalDeploymentTargets": nil,
			"ReleaseRetentionPolicy": m{"Unit": "Items", "QuantityToKeep": 0, "ShouldKeepForever": true},
		}, {"Name": "Live", "OptionalDeploymentTargets": []string{"Environments-2"}, "IsOptionalPhase": true}},
	})
	if got := made["ReleaseRetentionPolicy"].(m); got["Strategy"] != "Count" || got["ShouldKeepForever"] != false {
		t.Errorf("30 days: %v", got)
	}
	if got := made["Phases"].([]any)[0].(m)["ReleaseRetentionPolicy"].(m); got["Strategy"] != "Forever" {
		t.Errorf("for ever: %v", got)
	}
	path := api1 + "lifecycles/" + made["Id"].(string)
	if diff := cmp.Diff(made, s.must(200, "PUT", path, made)); diff != "" {
		t.Errorf("written back (-want +got):\n%s", diff)
	}
	s.must(200, "GET", path+"/preview", nil)
	s.must(200, "DELETE", path, nil)
	s.must(400, "DELETE", api1+"lifecycles/Lifecycles-1", nil)
}

// TestProjectsKeepWhatClientsSend writes members that nothing acts on yet, and reads them back.
func TestProjectsKeepWhatClientsSend(t *testing.T) {
	s := newSite(t)
	s.fill()
	project := s.must(200, "GET", api1+"projects/web-app", nil)
	for name, value := range map[string]any{
		"DiscreteChannelRelease": true, "DefaultToSkipIfAlreadyInstalled": true, "DefaultGuidedFailureMode": "Off",
		"AllowIgnoreChannelRules": false, "ReleaseNotesTemplate": "notes", "DeploymentChangesTemplate": "changes",
		"ProjectTags": []any{"a/b"}, "TenantedDeploymentMode": "TenantedOrUntenanted", "IsDisabled": true,
		"ExtensionSettings": []any{m{"ExtensionId": "x", "Values": m{"a": 1.0}}},
		"ProjectConnectivityPolicy": m{
			"SkipMachineBehavior": "SkipUnavailableMachines", "TargetRoles": []any{"web"}, "AllowDeploymentsToNoTargets": true,
			"ExcludeUnhealthyTargets": true,
		},
		"VersioningStrategy": m{
			"Template": "", "DonorPackageStepId": nil,
			"DonorPackage": m{"DeploymentAction": "Deploy web", "PackageReference": ""},
		},
	} {
		project[name] = value
	}
	s.must(200, "PUT", api1+"projects/Projects-1", project)
	if diff := cmp.Diff(project, s.must(200, "GET", api1+"projects/Projects-1", nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	settings := s.must(200, "PUT", api1+"projects/Projects-1/deploymentsettings", m{
		"VersioningStrategy": m{"Template": "2.#{Octopus.Version.NextMinor}"},
	})
	if settings["ReleaseNotesTemplate"] != "notes" || settings["VersioningStrategy"].(m)["DonorPackage"] != nil {
		t.Errorf("what a request leaves out is lost: %v", settings)
	}
	for word, body := range map[string]m{
		"NextYear":            {"VersioningStrategy": m{"Template": "#{Octopus.Version.NextYear}.0"}},
		"SkipMachineBehavior": {"ConnectivityPolicy": m{"SkipMachineBehavior": "Maybe"}},
		"guided failure mode": {"DefaultGuidedFailureMode": "Sometimes"},
		"take the version":    {"VersioningStrategy": m{"DonorPackage": m{"DeploymentAction": "Nope"}}},
	} {
		a := s.call("PUT", api1+"projects/Projects-1/deploymentsettings", body)
		if a.status != 400 || !strings.Contains(string(a.body), word) {
			t.Errorf("%s: %d %s", word, a.status, a.body)
		}
	}
}

// TestProjectsAreCloned sends what the public client sends, spelled as it spells it.
func TestProjectsAreCloned(t *testing.T) {
	s := newSite(t)
	s.fill()
	hotfix := s.must(201, "POST", api1+"channels", m{"ProjectId": "Projects-1", "Name": "Hotfix"})
	s.must(200, "PUT", api1+"variables/variableset-Projects-1", m{"Version": 1, "Variables": []m{
		{"Name": "A", "Value": "b", "Scope": m{"Channel": []any{hotfix["Id"]}}},
	}})
	clone := s.must(201, "POST", api1+"projects?clone=Projects-1", m{
		"Name": "Copy", "Description": "", "ProjectGroupID": "ProjectGroups-1", "LifecycleID": "Lifecycles-1",
	})
	if clone["ClonedFromProjectId"] != "Projects-1" || clone["Slug"] != "copy" {
		t.Errorf("%v", clone)
	}
	id := clone["Id"].(string)
	channels := s.must(200, "GET", api1+"projects/"+id+"/channels", nil)["Items"]
	if diff := cmp.Diff([]string{"Default", "Hotfix"}, words(channels, "Name")); diff != "" {
		t.Error(diff)
	}
	steps := s.must(200, "GET", api1+"deploymentprocesses/deploymentprocess-"+id, nil)["Steps"]
	if diff := cmp.Diff([]string{"Say hello", "Deploy web"}, words(steps, "Name")); diff != "" {
		t.Error(diff)
	}
	set := s.must(200, "GET", api1+"variables/variableset-"+id, nil)["Variables"].([]any)
	scope := set[0].(m)["Scope"].(m)["Channel"]
	if diff := cmp.Diff([]any{channels.([]any)[1].(m)["Id"]}, scope); diff != "" {
		t.Errorf("the variable's channel is not the clone's (-want +got):\n%s", diff)
	}
	s.must(404, "POST", api1+"projects?clone=Projects-99", m{"Name": "x"})
	s.must(400, "POST", api1+"projects?clone=Projects-1", m{"Name": "Copy"})
}

// TestReleasesGoTheirWay holds, lets go, edits and lists releases.
func TestReleasesGoTheirWay(t *testing.T) {
	s := newSite(t)
	s.fill()
	path := api1 + "releases/Releases-1"
	s.must(400, "POST", path+"/defects", m{"ReleaseId": "Releases-1", "Description": " "})
	s.must(201, "POST", path+"/defects", m{"ReleaseId": "Releases-1", "Description": "it bites"})
	s.must(400, "POST", path+"/defects", m{"ReleaseId": "Releases-1", "Description": "twice"})
	if got := words(s.must(200, "GET", path+"/defects", nil)["Items"], "Status"); len(got) != 1 || got[0] != "Unresolved" {
		t.Errorf("%v", got)
	}
	if got := s.must(200, "GET", path+"/progression", nil); got["HasUnresolvedDefect"] != true {
		t.Errorf("%v", got)
	}
	deploy := m{"projectName": "Web App", "releaseVersion": "1.0.0", "environmentNames": []string{"Production"}}
	a := s.call("POST", api1+"deployments/create/untenanted/v1", deploy)
	if a.status != 400 || !strings.Contains(string(a.body), "goes no further, and so not to Production: it bites") {
		t.Errorf("a held release: %d %s", a.status, a.body)
	}
	s.must(200, "POST", path+"/defects/resolve", m{"ReleaseId": "Releases-1"})
	s.must(400, "POST", path+"/defects/resolve", m{"ReleaseId": "Releases-1"})
	if got := s.must(200, "GET", path+"/progression", nil)["Phases"].([]any); len(got) != 2 {
		t.Errorf("%d phases are shown of a lifecycle without any, want one for each environment", len(got))
	}
	s.must(201, "POST", api1+"releases/create/v1", m{"projectName": "Web App", "customFields": m{"Ticket": "X-1"}})
	edited := s.must(200, "PUT", api1+"releases/Releases-2", m{"Version": "1.5.0", "ReleaseNotes": "n"})
	if edited["Version"] != "1.5.0" || edited["CustomFields"].(m)["Ticket"] != "X-1" {
		t.Errorf("%v", edited)
	}
	listed := s.must(200, "GET", api1+"releases?ids=Releases-2", nil)["Items"].([]any)[0].(m)
	if got := s.must(200, "PUT", api1+"releases/Releases-2", listed); got["ReleaseNotes"] != "n" {
		t.Errorf("a release out of a list, written back, has the notes %v", got["ReleaseNotes"])
	}
	s.must(409, "PUT", api1+"releases/Releases-2", m{"Version": "1.0.0"})
	s.must(400, "PUT", path, m{"Version": "1.6.0"}) // it was deployed
	s.must(200, "POST", api1+"releases/Releases-2/snapshot-variables", nil)
	for _, list := range []string{"projects/web-app/channels/Channels-1/releases", "channels/Channels-1/releases", "releases"} {
		if got := words(s.must(200, "GET", api1+list, nil)["Items"], "Version"); len(got) != 2 || got[0] != "1.5.0" {
			t.Errorf("%s: %v", list, got)
		}
	}
	if got := s.must(200, "GET", api1+"projects/web-app/releases?searchByVersion=1.5", nil); got["TotalResults"] != 1.0 {
		t.Errorf("%v", got)
	}
	template := s.must(200, "GET", api1+"deploymentprocesses/deploymentprocess-Projects-1/template?channel=Channels-1", nil)
	if template["LastReleaseVersion"] != "1.5.0" || template["NextVersionIncrement"] != "1.5.1" ||
		template["Packages"].([]any)[0].(m)["VersionSelectedLastRelease"] != "1.0.0" {
		t.Errorf("%v", template)
	}
	if got := s.must(200, "GET", path+"/missingpackages", nil)["Packages"].([]any); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// TestChannelsRule refuses and chooses versions by the rules of a channel.
func TestChannelsRule(t *testing.T) {
	s := newSite(t)
	s.fill()
	for _, name := range []string{"1.4.0-beta.1", "1.5.0", "2.0.0"} {
		s.must(201, "POST", api1+"packages/raw?fileName=Web.App."+name+".zip", zipped(t, name))
	}
	s.must(201, "POST", api1+"projects/web-app/channels", m{
		"Name": "Old", "Rules": []m{{
			"VersionRange": "[1.0,2.0)", "Tag": "^$",
			"ActionPackages": []m{{"DeploymentAction": "Deploy web", "PackageReference": ""}},
		}},
	})
	newest := s.must(201, "POST", api1+"releases/create/v1", m{"projectName": "Web App", "channelName": "Old"})
	release := s.must(200, "GET", api1+"releases/"+newest["ReleaseId"].(string), nil)
	if got := words(release["SelectedPackages"], "Version"); got[0] != "1.5.0" {
		t.Errorf("the newest that the channel allows is 1.5.0, not %v", got)
	}
	for _, version := range []string{"2.0.0", "1.4.0-beta.1"} {
		body := m{"projectName": "Web App", "channelName": "old", "packageVersion": version, "releaseVersion": "3.i"}
		a := s.call("POST", api1+"releases/create/v1", body)
		if a.status != 400 || !strings.Contains(string(a.body), "channel Old, rule 1: wants the version range [1.0,2.0)") {
			t.Errorf("%s: %d %s", version, a.status, a.body)
		}
		body["ignoreChannelRules"] = true
		s.must(201, "POST", api1+"releases/create/v1", body)
	}
	if got := s.must(200, "GET", api1+"projects/web-app/releases/3.1", nil); got["IgnoreChannelRules"] != true {
		t.Errorf("%v", got)
	}
}
