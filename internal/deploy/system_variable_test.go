// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"strings"
	"testing"
	"time"

	"fairlead/internal/deploy"
)

func scene() deploy.Scene {
	return deploy.Scene{
		Space: deploy.DefaultSpaceRow(),
		Task:  deploy.Task{ID: "ServerTasks-7", Kind: deploy.DeployTask, Deployment: "Deployments-3", Description: "Deploy Web"},
		Deployment: deploy.Deployment{
			Name: "Deploy to Dev", Comments: "now", CreatedBy: "ada", CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		Release: deploy.Release{
			ID: "Releases-1", Version: "1.2.3", Notes: "first", CustomFields: map[string]string{"Ticket": "X-1"},
			Packages: []deploy.SelectedPackage{
				{Action: "Install", PackageID: "Web.App", Version: "1.0"},
				{Action: "install", Reference: "tools", PackageID: "Tools", Version: "2.0"},
				{Action: "Other", PackageID: "Not.This"},
			},
		},
		Channel: deploy.Channel{ID: "Channels-1", Name: "Default"}, Project: deploy.Project{ID: "Projects-1", Space: "Spaces-1", Name: "Web"},
		Group: deploy.ProjectGroup{Name: "All"}, Environment: deploy.Environment{ID: "Environments-1", Name: "Dev", SortOrder: 4},
		Machine: deploy.Machine{ID: "Machines-1", Name: "web-1", Tags: []string{"db", "web"}, Facts: deploy.MachineFacts{Hostname: "h"}},
		Step:    deploy.PlannedStep{Name: "Put", Number: 2},
		Action: deploy.Action{ID: "a", Name: "Install", Properties: map[string]string{
			"Octopus.Action.Name": "forged", "Octopus.Action.Script.ScriptBody": "#{Body}", "Mine": "kept",
		}},
		ActionNumber: 1, ServerURL: "https://deploy.example", Tags: []string{"web", "db"},
		Around: map[string]string{"Octopus.Release.Previous.Number": "1.2.2"}, Failure: "it failed", Detail: "it failed; m",
	}
}

// TestAddressesNameAnotherSpace than the default one.
func TestAddressesNameAnotherSpace(t *testing.T) {
	t.Parallel()
	s := scene()
	s.Space.ID = "Spaces-2"
	got := s.Variables()
	for name, want := range map[string]string{
		"Octopus.Web.ProjectLink":    "/app/projects/Projects-1?space=Spaces-2",
		"Octopus.Web.ReleaseLink":    "/app/projects/Projects-1/releases/1.2.3?space=Spaces-2",
		"Octopus.Web.DeploymentLink": "/app/tasks/ServerTasks-7?space=Spaces-2",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

func TestSystemVariables(t *testing.T) {
	t.Parallel()
	got := scene().Variables()
	for name, want := range map[string]string{
		"Octopus.Release.Number": "1.2.3", "Octopus.Release.Notes": "first", "Octopus.Release.Channel.Name": "Default",
		"Octopus.Release.CustomFields[Ticket]": "X-1",
		"Octopus.Deployment.Id":                "Deployments-3", "Octopus.Deployment.Comments": "now",
		"Octopus.Deployment.Created": "2026-01-02T03:04:05Z", "Octopus.Deployment.CreatedBy.Username": "ada",
		"Octopus.Release.Previous.Number": "1.2.2", "Octopus.Action.TargetRoles": "web,db",
		"Octopus.Step.Status.Code": "Running", "Octopus.Deployment.ErrorDetail": "it failed; m",
		"Octopus.Environment.Name": "Dev", "Octopus.Environment.SortOrder": "4",
		"Octopus.Machine.Name": "web-1", "Octopus.Machine.Roles": "db,web", "Octopus.Machine.Hostname": "h",
		"Octopus.Project.Name": "Web", "Octopus.ProjectGroup.Name": "All", "Octopus.Space.Name": "Default",
		"Octopus.Task.Id": "ServerTasks-7", "Octopus.Step.Name": "Put", "Octopus.Step.Number": "2",
		"Octopus.Action.Name": "Install", "Octopus.Action.Number": "1", "Mine": "kept",
		"Octopus.Action.Package.PackageId": "Web.App", "Octopus.Action.Package[tools].PackageVersion": "2.0",
		"Octopus.Web.ProjectLink": "/app/projects/Projects-1", "Octopus.Web.ReleaseLink": "/app/projects/Projects-1/releases/1.2.3",
		"Octopus.Web.DeploymentLink": "/app/tasks/ServerTasks-7", "Octopus.Web.ServerUri": "https://deploy.example",
	} {
		if value, isThere := got[name]; value != want || !isThere {
			t.Errorf("%s = %q, want %q", name, value, want)
		}
	}
	if body, isThere := got["Octopus.Action.Script.ScriptBody"]; isThere {
		t.Errorf("the script itself is a variable: %q", body)
	}
}

// TestSystemVariablesOfAScript has nothing of a deployment.
func TestSystemVariablesOfAScript(t *testing.T) {
	t.Parallel()
	s := scene()
	s.Task.Kind = deploy.ScriptTask
	for name := range s.Variables() {
		for _, prefix := range []string{"Octopus.Deployment.", "Octopus.Release.", "Octopus.Environment.", "Octopus.Project"} {
			if strings.HasPrefix(name, prefix) {
				t.Errorf("a script without a deployment has %s", name)
			}
		}
	}
}
