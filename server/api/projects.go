// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

func showGroup(g deploy.ProjectGroup) obj {
	self := spacePath + "projectgroups/" + string(g.ID)
	return obj{
		"Id": g.ID, "SpaceId": g.Space, "Name": g.Name, "Slug": g.Slug, "Description": g.Description,
		"EnvironmentIds": []string{}, "RetentionPolicyId": nil,
		"Links": obj{"Self": self, "Projects": self + "/projects"}, // followed verbatim: no template in it
	}
}

func (a *api) listGroups(c *call) error {
	all, err := a.Catalog.Groups(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all = chosen(c, all, func(g deploy.ProjectGroup) (string, string) { return string(g.ID), g.Name })
	return paged(c, "ProjectGroup", all, showGroup)
}

func (a *api) allGroups(c *call) error {
	all, err := a.Catalog.Groups(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showGroup))
}

func (a *api) getGroup(c *call) error {
	g, err := a.Catalog.Group(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showGroup(g))
}

func (a *api) groupProjects(c *call) error {
	g, err := a.Catalog.Group(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	all, err := a.Catalog.Projects(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(p deploy.Project) bool { return p.Group != g.ID })
	return paged(c, "Project", all, showProject)
}

func (a *api) createGroup(c *call) error {
	var q struct{ Name, Description string }
	if err := c.decode(&q); err != nil {
		return err
	}
	g, err := a.Catalog.CreateGroup(c.ctx(), c.principal, catalog.GroupDraft(q))
	if err != nil {
		return err
	}
	return c.created(showGroup(g))
}

func showProject(p deploy.Project) obj {
	self := spacePath + "projects/" + string(p.ID)
	template := p.VersionTemplate
	if template == "" {
		template = deploy.DefaultVersionTemplate
	}
	return obj{
		"Id": p.ID, "SpaceId": p.Space, "Name": p.Name, "Slug": p.Slug, "Description": p.Description,
		"IsDisabled": p.IsDisabled, "ProjectGroupId": p.Group, "LifecycleId": p.Lifecycle,
		"DeploymentProcessId": processPrefix + string(p.ID), "VariableSetId": variablesPrefix + string(p.ID),
		"IncludedLibraryVariableSetIds": []string{}, "TenantedDeploymentMode": "Untenanted",
		"DefaultGuidedFailureMode": "Off", "DefaultToSkipIfAlreadyInstalled": false, "DiscreteChannelRelease": false,
		"AutoCreateRelease": false, "AutoDeployReleaseOverrides": []obj{}, "AllowIgnoreChannelRules": true,
		"IsVersionControlled": false, "PersistenceSettings": obj{"Type": "Database"},
		"ProjectConnectivityPolicy": obj{
			"SkipMachineBehavior": "None", "TargetRoles": []string{}, "AllowDeploymentsToNoTargets": false,
			"ExcludeUnhealthyTargets": false,
		},
		"VersioningStrategy":      obj{"Template": template, "DonorPackage": nil, "DonorPackageStepId": nil},
		"ReleaseCreationStrategy": obj{"ChannelId": nil, "ReleaseCreationPackage": nil, "ReleaseCreationPackageStepId": nil},
		"ReleaseNotesTemplate":    "", "DeploymentChangesTemplate": "", "Templates": []obj{}, "ProjectTags": []string{},
		"ExtensionSettings": []obj{}, "ClonedFromProjectId": nil,
		"Links": obj{
			"Self":              self,
			"Channels":          self + "/channels{/id}{?skip,take,partialName}",
			"Releases":          self + "/releases{/version}{?skip,take,searchByVersion}",
			"DeploymentProcess": self + "/deploymentprocesses",
			"Progression":       self + "/progression{?aggregate}",
			"Variables":         spacePath + "variables/" + variablesPrefix + string(p.ID),
			"Web":               "/app#/" + string(p.Space) + "/projects/" + string(p.ID),
		},
	}
}

func (a *api) listProjects(c *call) error {
	all, err := a.Catalog.Projects(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all = chosen(c, all, func(p deploy.Project) (string, string) { return string(p.ID), p.Name })
	return paged(c, "Project", all, showProject)
}

func (a *api) allProjects(c *call) error {
	all, err := a.Catalog.Projects(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showProject))
}

func (a *api) getProject(c *call) error {
	p, err := a.Catalog.Project(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showProject(p))
}

type projectRequest struct {
	Name               string
	Description        string
	ProjectGroupID     string `json:"ProjectGroupId"`
	LifecycleID        string `json:"LifecycleId"`
	IsDisabled         bool
	VersioningStrategy *struct{ Template string }
}

func (c *call) projectDraft() (catalog.ProjectDraft, error) {
	var q projectRequest
	if err := c.decode(&q); err != nil {
		return catalog.ProjectDraft{}, err
	}
	draft := catalog.ProjectDraft{
		Name: q.Name, Description: q.Description, Group: q.ProjectGroupID, Lifecycle: q.LifecycleID, IsDisabled: q.IsDisabled,
	}
	if q.VersioningStrategy != nil {
		draft.VersionTemplate = q.VersioningStrategy.Template
	}
	return draft, nil
}

func (a *api) createProject(c *call) error {
	if c.query()["clone"] != "" {
		return errkind.Invalid.Errorf("cloning a project comes with a later version")
	}
	draft, err := c.projectDraft()
	if err != nil {
		return err
	}
	p, err := a.Catalog.CreateProject(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showProject(p))
}

func (a *api) editProject(c *call) error {
	draft, err := c.projectDraft()
	if err != nil {
		return err
	}
	p, err := a.Catalog.EditProject(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(showProject(p))
}

func (a *api) deleteProject(c *call) error {
	if err := a.Catalog.DeleteProject(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}

func showChannel(ch deploy.Channel) obj {
	var lifecycle any
	if ch.Lifecycle != "" {
		lifecycle = ch.Lifecycle
	}
	project := spacePath + "projects/" + string(ch.Project)
	return obj{
		"Id": ch.ID, "SpaceId": ch.Space, "ProjectId": ch.Project, "Name": ch.Name, "Slug": ch.Slug,
		"Description": ch.Description, "Type": "Lifecycle", "IsDefault": ch.IsDefault, "LifecycleId": lifecycle,
		"Rules": []obj{}, "TenantTags": []string{}, "GitReferenceRules": []obj{}, "GitResourceRules": []obj{},
		"CustomFieldDefinitions": []obj{},
		"Links": obj{
			"Self": spacePath + "channels/" + string(ch.ID), "Project": project,
			"Releases": project + "/releases{/version}{?skip,take,searchByVersion}",
		},
	}
}

func channelKeys(ch deploy.Channel) (string, string) { return string(ch.ID), ch.Name }

func (a *api) projectChannels(c *call) error {
	all, err := a.Catalog.Channels(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return paged(c, "Channel", chosen(c, all, channelKeys), showChannel)
}

func (a *api) listChannels(c *call) error {
	all, err := a.Catalog.Channels(c.ctx(), c.principal, "")
	if err != nil {
		return err
	}
	return paged(c, "Channel", chosen(c, all, channelKeys), showChannel)
}

func (a *api) allChannels(c *call) error {
	all, err := a.Catalog.Channels(c.ctx(), c.principal, "")
	if err != nil {
		return err
	}
	return c.ok(each(all, showChannel))
}

func (a *api) getChannel(c *call) error {
	ch, err := a.Catalog.Channel(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showChannel(ch))
}
