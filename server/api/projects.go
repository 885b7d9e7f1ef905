// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

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
