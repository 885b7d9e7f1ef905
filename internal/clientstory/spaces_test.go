// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/client"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/environments"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/projects"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/releases"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/spaces"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/tasks"
)

// secondSpace makes a second space, works in it with the same names, and finds nothing of the first one there.
func (o *office) secondSpace(t *testing.T) {
	service, me := o.client.Spaces, try(o.client.Users.GetMe()).must(t)
	wish := spaces.NewSpace("Second")
	wish.SpaceManagersTeamMembers = []string{me.ID}
	made := try(service.Add(wish)).must(t)
	equal(t, "by name", try(service.GetByName("Second")).must(t).ID, made.ID)
	named(t, try(service.GetAll()).must(t), "Second", func(s *spaces.Space) string { return s.Name })
	equal(t, "spaces of the user", len(try(o.client.Users.GetSpaces(me)).must(t)), 2)

	key := strings.TrimSpace(string(try(os.ReadFile(o.KeyFile())).must(t)))
	address := &url.URL{Scheme: "http", Host: o.HTTP}
	there := try(client.NewClient(&http.Client{Timeout: limit}, address, key, made.ID)).must(t)
	o.worksThere(t, there, made.ID)

	try(there.Spaces.GetByID("Spaces-404")).refused(t)
	contains(t, service.DeleteByID(made.ID).Error(), "stop")
	made.TaskQueueStopped = true
	try(service.Update(made)).must(t)
	must(t, service.DeleteByID(made.ID))
	try(service.GetByID(made.ID)).refused(t)
	try(client.NewClient(&http.Client{Timeout: limit}, address, key, made.ID)).refused(t)
}

func (o *office) worksThere(t *testing.T, there *client.Client, id string) {
	equal(t, "environments there", len(try(there.Environments.GetAll()).must(t)), 0)
	equal(t, "machines there", len(try(there.Machines.GetAll()).must(t)), 0)
	equal(t, "projects there", len(try(there.Projects.GetAll()).must(t)), 0)
	try(there.Environments.Add(environments.NewEnvironment(environment))).must(t)
	lifecycle := try(there.Lifecycles.GetAll()).must(t)[0]
	group := try(there.ProjectGroups.GetAll()).must(t)[0]
	here := try(o.client.Projects.GetAll()).must(t)
	project := try(there.Projects.Add(projects.NewProject(here[0].Name, lifecycle.ID, group.ID))).must(t)
	equal(t, "space of the project", project.SpaceID, id)
	try(o.client.Projects.GetByID(project.ID)).refused(t)
	try(there.Projects.GetByID(here[0].ID)).refused(t)
	second := &office{Site: o.Site, client: there}
	second.steps(t, project, scriptStep("Say", "echo there"))
	command := releases.NewCreateReleaseCommandV1(id, project.Name)
	command.ReleaseVersion = "1.0.0"
	made := try(releases.CreateReleaseV1(there, command)).must(t)
	equal(t, "release", try(there.Releases.GetByID(made.ReleaseID)).must(t).SpaceID, id)
	try(o.client.Releases.GetByID(made.ReleaseID)).refused(t)
	equal(t, "tasks there", len(try(there.Tasks.Get(tasks.TasksQuery{Spaces: []string{id}})).must(t).Items), 0)
}
