// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"testing"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/channels"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/core"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/deployments"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/environments"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/lifecycles"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/packages"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/projectgroups"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/projects"
)

func (o *office) spaces(t *testing.T) {
	all := try(o.client.Spaces.GetAll()).must(t)
	equal(t, "number of spaces", len(all), 1)
	equal(t, "the default space", all[0].IsDefault, true)
	equal(t, "space by its name", try(o.client.Spaces.GetByIDOrName(all[0].Name)).must(t).ID, space)
	equal(t, "space by its id", try(o.client.Spaces.GetByID(space)).must(t).Name, all[0].Name)
	equal(t, "space of the client", o.client.GetSpaceID(), space)
}

func (o *office) environments(t *testing.T) {
	service := o.client.Environments
	wish := environments.NewEnvironment("Staging Area")
	wish.Description, wish.UseGuidedFailure = "Before production", true
	made := try(service.Add(wish)).must(t)
	equal(t, "slug", made.Slug, "staging-area")
	try(service.Add(environments.NewEnvironment("staging area"))).refused(t)

	made.Description, made.AllowDynamicInfrastructure = "Shown to customers", true
	equal(t, "description", try(service.Update(made)).must(t).Description, "Shown to customers")
	got := try(service.GetByID(made.ID)).must(t)
	equal(t, "guided failure", got.UseGuidedFailure, true)
	equal(t, "dynamic infrastructure", got.AllowDynamicInfrastructure, true)

	name := func(e *environments.Environment) string { return e.Name }
	named(t, try(service.GetAll()).must(t), "Staging Area", name)
	named(t, try(service.GetByIDs([]string{made.ID})).must(t), "Staging Area", name)
	named(t, try(service.GetByName("Staging Area")).must(t), "Staging Area", name)
	named(t, try(service.GetByPartialName("ging ar")).must(t), "Staging Area", name)
	page := try(service.Get(environments.EnvironmentsQuery{Take: 1})).must(t)
	equal(t, "items of a page of one", len(page.Items), 1)
	named(t, try(environments.GetAll(o.client, space)).must(t), "Staging Area", name)

	must(t, service.DeleteByID(made.ID))
	try(service.GetByID(made.ID)).refused(t)
}

func (o *office) lifecycles(t *testing.T) {
	service := o.client.Lifecycles
	test := named(t, try(o.client.Environments.GetAll()).must(t), environment,
		func(e *environments.Environment) string { return e.Name })
	wish := lifecycles.NewLifecycle("Careful")
	phase := lifecycles.NewPhase("First")
	phase.OptionalDeploymentTargets, phase.MinimumEnvironmentsBeforePromotion = []string{test.ID}, 1
	last := lifecycles.NewPhase("Anywhere")
	last.IsOptionalPhase = true
	wish.Phases = []*lifecycles.Phase{phase, last}
	wish.ReleaseRetentionPolicy = core.KeepForeverRetentionPeriod()
	wish.TentacleRetentionPolicy = core.CountBasedRetentionPeriod(3, core.RetentionUnitItems)
	made := try(service.Add(wish)).must(t)
	equal(t, "phases", len(made.Phases), 2)
	equal(t, "phase has an id", made.Phases[0].ID != "", true)

	made.Description = "Slowly"
	made.Phases[1].ReleaseRetentionPolicy = core.CountBasedRetentionPeriod(5, core.RetentionUnitDays)
	try(service.Update(made)).must(t)
	got := try(service.GetByID(made.ID)).must(t)
	equal(t, "description", got.Description, "Slowly")
	equal(t, "retention of releases", *got.ReleaseRetentionPolicy, *core.KeepForeverRetentionPeriod())
	equal(t, "retention on machines", *got.TentacleRetentionPolicy, *core.CountBasedRetentionPeriod(3, core.RetentionUnitItems))
	equal(t, "retention of a phase", *got.Phases[1].ReleaseRetentionPolicy, *core.CountBasedRetentionPeriod(5, core.RetentionUnitDays))
	equal(t, "phase is optional", got.Phases[1].IsOptionalPhase, true)
	equal(t, "environment of the phase", got.Phases[0].OptionalDeploymentTargets[0], test.ID)

	equal(t, "by name", try(service.GetByIDOrName("careful")).must(t).ID, made.ID)
	name := func(l *lifecycles.Lifecycle) string { return l.Name }
	named(t, try(service.GetAll()).must(t), "Careful", name)
	named(t, try(service.GetByPartialName("aref")).must(t), "Careful", name)
	equal(t, "projects of it", len(try(service.GetProjects(got)).must(t)), 0)
	must(t, service.DeleteByID(made.ID))
}

func (o *office) projectGroups(t *testing.T) {
	service := o.client.ProjectGroups
	made := try(service.Add(projectgroups.NewProjectGroup("Web Sites"))).must(t)
	made.Description = "All that faces outward"
	equal(t, "description", try(service.Update(*made)).must(t).Description, "All that faces outward")
	equal(t, "by name", try(service.GetByIDOrName("web sites")).must(t).ID, made.ID)
	name := func(g *projectgroups.ProjectGroup) string { return g.Name }
	named(t, try(service.GetAll()).must(t), "Web Sites", name)
	named(t, try(service.GetByPartialName("web")).must(t), "Web Sites", name)
	equal(t, "projects of it", len(try(service.GetProjects(made)).must(t)), 0)
	must(t, service.DeleteByID(made.ID))
}

// project makes a project of that name in the default group with the default lifecycle.
func (o *office) project(t *testing.T, name string) *projects.Project {
	t.Helper()
	lifecycle := try(o.client.Lifecycles.GetAll()).must(t)[0]
	group := try(o.client.ProjectGroups.GetAll()).must(t)[0]
	return try(o.client.Projects.Add(projects.NewProject(name, lifecycle.ID, group.ID))).must(t)
}

func (o *office) projects(t *testing.T) {
	service := o.client.Projects
	made := o.project(t, "Shop Front")
	equal(t, "slug", made.Slug, "shop-front")
	equal(t, "no steps", try(service.GetSummary(made)).must(t).HasDeploymentProcess, false)
	try(service.Add(projects.NewProject("shop front", made.LifecycleID, made.ProjectGroupID))).refused(t)

	made.Description, made.IsDisabled = "Where people buy", true
	made.DefaultGuidedFailureMode = "On"
	made.ConnectivityPolicy.AllowDeploymentsToNoTargets = true
	made.ConnectivityPolicy.SkipMachineBehavior = core.SkipMachineBehaviorSkipUnavailableMachines
	made.ReleaseNotesTemplate = "Release #{Octopus.Release.Number}"
	made.VersioningStrategy = &projects.VersioningStrategy{Template: "1.0.i"}
	try(service.Update(made)).must(t)
	got := try(service.GetByID(made.ID)).must(t)
	equal(t, "description", got.Description, "Where people buy")
	equal(t, "disabled", got.IsDisabled, true)
	equal(t, "guided failure", got.DefaultGuidedFailureMode, "On")
	equal(t, "deployments to no targets", got.ConnectivityPolicy.AllowDeploymentsToNoTargets, true)
	equal(t, "unavailable machines", got.ConnectivityPolicy.SkipMachineBehavior, core.SkipMachineBehaviorSkipUnavailableMachines)
	equal(t, "notes", got.ReleaseNotesTemplate, made.ReleaseNotesTemplate)
	equal(t, "numbering", got.VersioningStrategy.Template, "1.0.i")
	equal(t, "settings", try(o.client.Deployments.GetDeploymentSettings(got, "")).must(t).ReleaseNotesTemplate, made.ReleaseNotesTemplate)
	got.IsDisabled = false
	got = try(projects.Update(o.client, got)).must(t) // which takes the links of its argument away

	equal(t, "by name", try(service.GetByName("shop front")).must(t).ID, made.ID)
	equal(t, "by slug", try(service.GetByIdentifier("shop-front")).must(t).ID, made.ID)
	name := func(p *projects.Project) string { return p.Name }
	named(t, try(service.GetAll()).must(t), "Shop Front", name)
	named(t, try(service.Get(projects.ProjectsQuery{PartialName: "front"})).must(t).Items, "Shop Front", name)
	equal(t, "channels", len(try(service.GetChannels(got)).must(t)), 1)
	equal(t, "releases", len(try(service.GetReleases(got)).must(t)), 0)
	equal(t, "progression", len(try(service.GetProgression(got)).must(t).Releases), 0)

	clone := try(service.Clone(got, projects.ProjectCloneRequest{
		Name: "Shop Front 2", ProjectGroupID: got.ProjectGroupID, LifecycleID: got.LifecycleID,
	})).must(t)
	equal(t, "origin of the clone", clone.ClonedFromProjectID, made.ID)
	equal(t, "numbering of the clone", clone.VersioningStrategy.Template, "1.0.i")
	must(t, service.DeleteByID(clone.ID))
	must(t, service.DeleteByID(made.ID))
	try(service.GetByID(made.ID)).refused(t)
}

func (o *office) channels(t *testing.T) {
	service := o.client.Channels
	project := o.project(t, "Channelled")
	o.steps(t, project, packageStep("Unpack", "webapp"))
	wish := channels.NewChannel("Hotfix", project.ID)
	wish.Description = "For the night"
	wish.Rules = []channels.ChannelRule{{
		ActionPackages: []packages.DeploymentActionPackage{{DeploymentAction: "Unpack"}},
		VersionRange:   "[1.0,2.0)", Tag: "^$",
	}}
	made := try(service.Add(wish)).must(t)
	equal(t, "rules", len(made.Rules), 1)
	equal(t, "range", made.Rules[0].VersionRange, "[1.0,2.0)")
	equal(t, "action", made.Rules[0].ActionPackages[0].DeploymentAction, "Unpack")
	made.Description, made.LifecycleID = "For any night", project.LifecycleID
	equal(t, "description", try(service.Update(made)).must(t).Description, "For any night")
	got := try(service.GetByID(made.ID)).must(t)
	equal(t, "lifecycle", got.LifecycleID, project.LifecycleID)
	equal(t, "project of it", try(o.client.Projects.GetProject(got)).must(t).ID, project.ID)
	name := func(c *channels.Channel) string { return c.Name }
	named(t, try(service.GetAll()).must(t), "Hotfix", name)
	named(t, try(service.Get(channels.Query{IDs: []string{made.ID}})).must(t).Items, "Hotfix", name)
	named(t, try(o.client.Projects.GetChannels(project)).must(t), "Hotfix", name)
	byProject := channels.QueryByProjectID{ProjectID: project.ID, Take: 100}
	named(t, try(channels.GetByProjectID(o.client, space, byProject)).must(t).Items, "Hotfix", name)
	equal(t, "releases of it", len(try(o.client.Releases.GetReleases(got)).must(t).Items), 0)
	must(t, service.DeleteByID(made.ID))
	first := try(o.client.Projects.GetChannels(project)).must(t)[0]
	if err := service.DeleteByID(first.ID); err == nil {
		t.Error("the default channel was deleted")
	}
	must(t, o.client.Projects.DeleteByID(project.ID))
}

func (o *office) processes(t *testing.T) {
	service := o.client.DeploymentProcesses
	project := o.project(t, "Processed")
	step := scriptStep("Say hello", "echo hello")
	step.Properties["Octopus.Action.MaxParallelism"] = core.NewPropertyValue("1", false)
	step.Condition = deployments.DeploymentStepConditionTypeAlways
	step.Actions[0].Notes = "Says hello"
	step.Actions[0].IsRequired = true
	saved := o.steps(t, project, step, packageStep("Unpack", "webapp"))
	equal(t, "version", saved.Version, 1)
	got := try(service.Get(project, "")).must(t)
	equal(t, "steps", len(got.Steps), 2)
	equal(t, "step has an id", got.Steps[0].ID != "", true)
	equal(t, "window", got.Steps[0].Properties["Octopus.Action.MaxParallelism"].Value, "1")
	equal(t, "condition", got.Steps[0].Condition, deployments.DeploymentStepConditionTypeAlways)
	action := got.Steps[0].Actions[0]
	equal(t, "action has an id", action.ID != "", true)
	equal(t, "notes", action.Notes, "Says hello")
	equal(t, "required", action.IsRequired, true)
	equal(t, "script", action.Properties["Octopus.Action.Script.ScriptBody"].Value, "echo hello")
	equal(t, "package", got.Steps[1].Actions[0].Packages[0].PackageID, "webapp")

	stale := *got
	got.Steps = got.Steps[1:]
	equal(t, "version", try(service.Update(got)).must(t).Version, 2)
	try(service.Update(&stale)).refused(t)
	template := try(service.GetTemplate(try(service.GetByID(got.ID)).must(t), "", "")).must(t)
	equal(t, "packages of the template", len(template.Packages), 1)
	equal(t, "package of the template", template.Packages[0].PackageID, "webapp")
	equal(t, "next version", template.NextVersionIncrement, "0.0.1")
	if len(try(service.GetAll()).must(t)) == 0 {
		t.Error("the list of processes is empty")
	}
	equal(t, "steps there are", try(o.client.Projects.GetSummary(project)).must(t).HasDeploymentProcess, true)
	must(t, o.client.Projects.DeleteByID(project.ID))
}

// steps replaces the process of a project.
func (o *office) steps(t *testing.T, project *projects.Project, steps ...*deployments.DeploymentStep) *deployments.DeploymentProcess {
	t.Helper()
	process := try(o.client.DeploymentProcesses.GetByID(project.DeploymentProcessID)).must(t)
	process.Steps = steps
	return try(deployments.UpdateDeploymentProcess(o.client, process)).must(t)
}

// step is one of one action on the machines with the tag of the story.
func step(name, kind string) *deployments.DeploymentStep {
	s := deployments.NewDeploymentStep(name)
	s.Properties["Octopus.Action.TargetRoles"] = core.NewPropertyValue(tag, false)
	s.Actions = []*deployments.DeploymentAction{deployments.NewDeploymentAction(name, kind)}
	return s
}

func scriptStep(name, body string) *deployments.DeploymentStep {
	s := step(name, "Octopus.Script")
	setAll(s.Actions[0].Properties, map[string]string{
		"Octopus.Action.RunOnServer": "false", "Octopus.Action.Script.ScriptSource": "Inline",
		"Octopus.Action.Script.Syntax": "Bash", "Octopus.Action.Script.ScriptBody": body,
	})
	return s
}

func packageStep(name, id string) *deployments.DeploymentStep {
	s := step(name, "Octopus.TentaclePackage")
	s.Actions[0].Packages = []*packages.PackageReference{{
		PackageID: id, FeedID: "feeds-builtin", AcquisitionLocation: deployments.PackageAcquisitionLocationServer,
		Properties: map[string]string{},
	}}
	return s
}

func setAll(to map[string]core.PropertyValue, values map[string]string) {
	for name, value := range values {
		to[name] = core.NewPropertyValue(value, false)
	}
}
