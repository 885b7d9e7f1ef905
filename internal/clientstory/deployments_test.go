// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"context"
	"testing"
	"time"

	"fairlead/internal/demo"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/channels"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/defects"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/deployments"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/packages"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/releases"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/tasks"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/variables"
)

// release makes one by the executions API and reads it back, as the command line client does.
func (o *office) release(t *testing.T, project, version string, more func(*releases.CreateReleaseCommandV1)) *releases.Release {
	t.Helper()
	command := releases.NewCreateReleaseCommandV1(space, project)
	command.ReleaseVersion = version
	if more != nil {
		more(command)
	}
	made := try(releases.CreateReleaseV1(o.client, command)).must(t)
	return try(o.client.Releases.GetByID(made.ReleaseID)).must(t)
}

func (o *office) releases(t *testing.T) {
	service := o.client.Releases
	project := o.project(t, "Released")
	o.steps(t, project, packageStep("Unpack", "webapp"))
	channel := try(o.client.Projects.GetChannels(project)).must(t)[0]
	first := o.release(t, project.Name, "", func(c *releases.CreateReleaseCommandV1) {
		c.PackageVersion, c.ReleaseNotes = "1.0.0", "The first"
	})
	equal(t, "version", first.Version, "0.0.1")
	equal(t, "channel", first.ChannelID, channel.ID)
	equal(t, "package", first.SelectedPackages[0].Version, "1.0.0")
	second := o.release(t, project.ID, "0.1.0", func(c *releases.CreateReleaseCommandV1) {
		c.Packages = []string{"Unpack:2.0.0"}
	})
	equal(t, "package by its step", second.SelectedPackages[0].Version, "2.0.0")
	again := o.release(t, project.Name, "0.1.0", func(c *releases.CreateReleaseCommandV1) { c.IgnoreIfAlreadyExists = true })
	equal(t, "the existing one", again.ID, second.ID)
	wrong := releases.NewCreateReleaseCommandV1(space, project.Name)
	wrong.ReleaseVersion = "0.1.0"
	try(releases.CreateReleaseV1(o.client, wrong)).refused(t)
	byID := releases.NewRelease(channel.ID, project.ID, "0.2.0")
	byID.SelectedPackages = second.SelectedPackages
	third := try(service.Add(byID)).must(t)
	equal(t, "version", third.Version, "0.2.0")

	equal(t, "number", try(releases.GetReleaseInProject(o.client, space, project.ID, "0.1.0")).must(t).ID, second.ID)
	equal(t, "releases of the project", len(try(o.client.Projects.GetReleases(project)).must(t)), 3)
	equal(t, "newest first", try(o.client.Projects.GetReleases(project)).must(t)[0].Version, "0.2.0")
	equal(t, "releases of the channel", len(try(service.GetReleases(channel)).must(t).Items), 3)
	query := &releases.ReleaseQuery{SearchByVersion: "0.2"}
	equal(t, "search", len(try(service.GetReleases(channel, query)).must(t).Items), 1)
	equal(t, "by channel", len(try(releases.GetReleasesInProjectChannel(o.client, space, project.ID, channel.ID)).must(t)), 3)
	chosen := try(service.Get(releases.ReleasesQuery{IDs: []string{first.ID}})).must(t).Items
	equal(t, "chosen", len(chosen), 1)
	equal(t, "missing packages", len(try(releases.GetMissingPackages(o.client, first)).must(t)), 0)
	template := try(releases.GetReleaseDeploymentTemplate(o.client, space, first.ID)).must(t)
	equal(t, "where it may go", template.PromoteTo[0].Name, environment)
	progression := try(o.client.Deployments.GetProgression(first)).must(t)
	equal(t, "phases", len(progression.Phases) > 0, true)

	report := try(defects.NewCreateReleaseDefectCommand(first.ID, "It burns")).must(t)
	try(defects.Create(o.client, space, report)).must(t)
	all := try(defects.GetAll(o.client, space, first.ID)).must(t)
	equal(t, "defect", all[0].Status, defects.DefectStatusUnresolved)
	resolve := try(defects.NewResolveReleaseDefectCommand(first.ID)).must(t)
	try(defects.Resolve(o.client, space, resolve)).must(t)
	equal(t, "defect", try(defects.GetAll(o.client, space, first.ID)).must(t)[0].Status, defects.DefectStatusResolved)
	for _, r := range []*releases.Release{first, second, third} {
		path := "/api/" + space + "/releases/" + r.ID
		must(t, o.REST.Delete(t.Context(), path)) // the library deletes none by itself
	}
	must(t, o.client.Projects.DeleteByID(project.ID))
}

func (o *office) releasesByRule(t *testing.T) {
	project := o.project(t, "Ruled")
	o.steps(t, project, packageStep("Unpack", "webapp"))
	wish := channels.NewChannel("Old", project.ID)
	wish.Rules = []channels.ChannelRule{{
		ActionPackages: []packages.DeploymentActionPackage{{DeploymentAction: "Unpack"}}, VersionRange: "[1.0,2.0)",
	}}
	try(o.client.Channels.Add(wish)).must(t)
	command := releases.NewCreateReleaseCommandV1(space, project.Name)
	command.ChannelIDOrName, command.ReleaseVersion, command.PackageVersion = "Old", "1.0.0", "2.0.0"
	try(releases.CreateReleaseV1(o.client, command)).refused(t)
	fits := o.release(t, project.Name, "1.0.0", func(c *releases.CreateReleaseCommandV1) { c.ChannelIDOrName = "Old" })
	equal(t, "newest that fits the rule", fits.SelectedPackages[0].Version, "1.0.0")
	command.IgnoreChannelRules, command.ReleaseVersion = true, "1.0.1"
	try(releases.CreateReleaseV1(o.client, command)).must(t)
	must(t, o.client.Projects.DeleteByID(project.ID))
}

// deploy queues a deployment to the environment by the executions API.
func (o *office) deploy(t *testing.T, project, version string, more func(*deployments.CreateDeploymentUntenantedCommandV1)) *deployments.DeploymentServerTask {
	t.Helper()
	command := deployments.NewCreateDeploymentUntenantedCommandV1(space, project)
	command.ReleaseVersion, command.EnvironmentNames = version, []string{environment}
	if more != nil {
		more(command)
	}
	queued := try(deployments.CreateDeploymentUntenantedV1(o.client, command)).must(t).DeploymentServerTasks
	equal(t, "tasks", len(queued), 1)
	return queued[0]
}

// await waits as `octopus task wait` does, and returns the task.
func (o *office) await(t *testing.T, id string) *tasks.Task {
	t.Helper()
	var task *tasks.Task
	must(t, demo.Await(t.Context(), limit, "task "+id, o.until(id, &task, func(now *tasks.Task) bool { return *now.IsCompleted })))
	return task
}

// succeed waits for a task and tells its log when it fails.
func (o *office) succeed(t *testing.T, id string) *tasks.Task {
	t.Helper()
	task := o.await(t, id)
	if !*task.FinishedSuccessfully {
		t.Fatalf("task %s ended with %s: %s\n%s", id, task.State, task.ErrorMessage, try(o.REST.RawLog(t.Context(), id)).must(t))
	}
	return task
}

func (o *office) deployments(t *testing.T) {
	service := o.client.Deployments
	project := o.project(t, "Deployed")
	o.steps(t, project, scriptStep("Say hello", "echo hello"), scriptStep("Say goodbye", "echo goodbye"))
	release := o.release(t, project.Name, "1.0.0", nil)
	environmentID := o.environmentID(t)
	preview := try(deployments.GetReleaseDeploymentPreview(o.client, space, release.ID, environmentID, true)).must(t)
	equal(t, "steps of the preview", len(preview.StepsToExecute), 2)
	equal(t, "machines of the preview", len(preview.StepsToExecute[0].Machines), 2)
	requests := []deployments.DeploymentPreviewRequest{{EnvironmentId: environmentID}}
	body := deployments.DeploymentPreviewsBody{DeploymentPreviews: requests, ReleaseId: release.ID, SpaceId: space}
	path := "/api/" + space + "/releases/" + release.ID + "/deployments/previews"
	must(t, o.REST.Post(t.Context(), path, body, nil)) // the library crashes when the server refuses this
	equal(t, "previews", len(try(deployments.GetReleaseDeploymentPreviews(o.client, space, release.ID, requests, true)).must(t)), 1)

	queued := o.deploy(t, project.Name, "1.0.0", func(c *deployments.CreateDeploymentUntenantedCommandV1) {
		c.SpecificMachineNames, c.SkipStepNames = []string{"web-2"}, []string{"Say goodbye"}
	})
	task := o.succeed(t, queued.ServerTaskID)
	equal(t, "state", task.State, "Success")
	log := try(o.REST.RawLog(t.Context(), task.ID)).must(t)
	contains(t, log, "hello")
	lacks(t, log, " 2/Machines-")
	lacks(t, log, "web-1")
	got := try(service.GetByID(queued.DeploymentID)).must(t)
	equal(t, "task of it", got.TaskID, task.ID)
	equal(t, "release of it", got.ReleaseID, release.ID)
	equal(t, "by ids", len(try(service.GetByIDs([]string{got.ID})).must(t)), 1)
	equal(t, "of the release", len(try(service.GetDeployments(release)).must(t).Items), 1)
	progression := try(o.client.Projects.GetProgression(project)).must(t)
	equal(t, "in the progression", progression.Releases[0].Deployments[environmentID][0].DeploymentID, got.ID)

	byID := deployments.NewDeployment(environmentID, release.ID)
	byID.ExcludedMachineIDs = []string{try(o.REST.Machine(t.Context(), "web-1")).must(t).ID}
	byID.Comments = "By ids"
	second := try(service.Add(byID)).must(t)
	o.succeed(t, second.TaskID)
	equal(t, "comments", try(service.GetByID(second.ID)).must(t).Comments, "By ids")

	set := try(o.client.Variables.GetAll(project.ID)).must(t)
	set.Variables = append(set.Variables, variables.NewVariable("Late"))
	try(o.client.Variables.Update(project.ID, set)).must(t)
	must(t, o.REST.Post(t.Context(), "/api/"+space+"/releases/"+release.ID+"/snapshot-variables", struct{}{}, nil))
	afresh := try(o.client.Releases.GetByID(release.ID)).must(t)
	equal(t, "variables afresh", afresh.ProjectVariableSetSnapshotID != release.ProjectVariableSetSnapshotID, true)
	third := o.deploy(t, project.Name, "1.0.0", func(c *deployments.CreateDeploymentUntenantedCommandV1) { c.UpdateVariableSnapshot = true })
	o.succeed(t, third.ServerTaskID)

	later := o.deploy(t, project.Name, "1.0.0", func(c *deployments.CreateDeploymentUntenantedCommandV1) {
		c.RunAt = time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		c.NoRunAfter = time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	})
	waiting := o.task(t, later.ServerTaskID)
	equal(t, "state", waiting.State, "Queued")
	equal(t, "expires", waiting.QueueTimeExpiry != nil, true)
	try(tasks.Cancel(o.client, space, later.ServerTaskID)).must(t)
	equal(t, "state", o.await(t, later.ServerTaskID).State, "Canceled")
}

func (o *office) tasks(t *testing.T) {
	service := o.client.Tasks
	wish := tasks.NewTask()
	wish.Name, wish.Description = "AdHocScript", "Look around"
	wish.Arguments = map[string]any{"ScriptBody": "echo looking; >&2 echo odd", "Syntax": "Bash", "MachineNames": []string{"web-1"}}
	made := try(service.Add(wish)).must(t)
	task := o.succeed(t, made.ID)
	equal(t, "warnings", task.HasWarningsOrErrors, true)
	equal(t, "start", task.StartTime != nil && task.CompletedTime != nil, true)
	details := try(tasks.GetDetails(o.client, space, made.ID)).must(t)
	equal(t, "task of the details", details.Task.ID, made.ID)
	machine := details.ActivityLogs[0].Children[0].Children[0]
	equal(t, "machine in the details", machine.Name, "web-1")
	equal(t, "its end", machine.Status, "Success")
	equal(t, "its log", len(machine.LogElements) > 0, true)
	equal(t, "progress", details.Progress.ProgressPercentage, 100)
	for name, query := range map[string]tasks.TasksQuery{
		"ids":    {IDs: []string{made.ID}},
		"name":   {Name: "AdHocScript", Take: 1},
		"states": {States: []string{"Success"}, Take: 1},
		"warned": {HasWarningsOrErrors: true, Take: 1},
	} {
		equal(t, "tasks by "+name, len(try(service.Get(query)).must(t).Items), 1)
	}
	equal(t, "active tasks", len(try(service.Get(tasks.TasksQuery{IsActive: true})).must(t).Items), 0)

	wish.Arguments["ScriptBody"] = "sleep 60"
	long := try(service.Add(wish)).must(t)
	must(t, demo.Await(t.Context(), limit, "the start", o.until(long.ID, new(*tasks.Task), func(now *tasks.Task) bool { return now.State == "Executing" })))
	try(tasks.Cancel(o.client, space, long.ID)).must(t)
	equal(t, "state", o.await(t, long.ID).State, "Canceled")
	var again tasks.Task
	must(t, o.REST.Post(t.Context(), "/api/tasks/rerun/"+made.ID, nil, &again))
	o.succeed(t, again.ID)
}

// task reads one as `octopus task wait` does: by its id in the list.
func (o *office) task(t *testing.T, id string) *tasks.Task {
	t.Helper()
	found := try(o.client.Tasks.Get(tasks.TasksQuery{IDs: []string{id}})).must(t).Items
	equal(t, "tasks of that id", len(found), 1)
	return found[0]
}

// until looks at a task, keeps it in now, and is content when is says so.
func (o *office) until(id string, now **tasks.Task, is func(*tasks.Task) bool) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		found, err := o.client.Tasks.Get(tasks.TasksQuery{IDs: []string{id}})
		if err != nil || len(found.Items) != 1 {
			return false, err
		}
		*now = found.Items[0]
		return is(*now), nil
	}
}

// environmentID is that of the story's environment.
func (o *office) environmentID(t *testing.T) string {
	t.Helper()
	return try(o.client.Environments.GetByName(environment)).must(t)[0].ID
}
