// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

func showProject(p deploy.Project) obj {
	self := spacePath + "projects/" + string(p.ID)
	var clonedFrom any
	if p.ClonedFrom != "" {
		clonedFrom = p.ClonedFrom
	}
	return withKept(p.Kept, obj{
		"Id": p.ID, "SpaceId": p.Space, "Name": p.Name, "Slug": p.Slug, "Description": p.Description,
		"IsDisabled": p.IsDisabled, "ProjectGroupId": p.Group, "LifecycleId": p.Lifecycle,
		"DeploymentProcessId": processPrefix + string(p.ID), "VariableSetId": variablesPrefix + string(p.ID),
		"IncludedLibraryVariableSetIds": list(p.Libraries), "TenantedDeploymentMode": "Untenanted",
		"DefaultGuidedFailureMode": guidedMode(p), "DefaultToSkipIfAlreadyInstalled": p.SkipIfInstalled,
		"DiscreteChannelRelease": false, "AutoCreateRelease": false, "AutoDeployReleaseOverrides": []obj{},
		"AllowIgnoreChannelRules": !p.KeepsChannelRules, "IsVersionControlled": false,
		"PersistenceSettings": obj{"Type": "Database"}, "ProjectConnectivityPolicy": showConnectivity(p.Connectivity),
		"VersioningStrategy":      showVersioning(p),
		"ReleaseCreationStrategy": obj{"ChannelId": nil, "ReleaseCreationPackage": nil, "ReleaseCreationPackageStepId": nil},
		"ReleaseNotesTemplate":    p.NotesTemplate, "DeploymentChangesTemplate": p.ChangesTemplate, "Templates": []obj{},
		"ProjectTags": []string{}, "ExtensionSettings": []obj{}, "ClonedFromProjectId": clonedFrom,
		"Links": obj{
			"Self":               self,
			"Channels":           self + "/channels{/id}{?skip,take,partialName}",
			"Releases":           self + "/releases{/version}{?skip,take,searchByVersion}",
			"DeploymentProcess":  self + "/deploymentprocesses",
			"DeploymentSettings": self + "/deploymentsettings",
			"Progression":        self + "/progression{?aggregate}",
			"Summary":            self + "/summary",
			"Variables":          spacePath + "variables/" + variablesPrefix + string(p.ID),
			"Web":                webProject(p.ID),
		},
	})
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
	Name                      string
	Description               string
	ProjectGroupID            string `json:"ProjectGroupId"`
	LifecycleID               string `json:"LifecycleId"`
	IsDisabled                bool
	IsVersionControlled       bool
	AllowIgnoreChannelRules   *bool
	IncludedLibrarySets       []string `json:"IncludedLibraryVariableSetIds"`
	ProjectConnectivityPolicy *connectivityRequest
	settingsRequest
	TenantedDeploymentMode     json.RawMessage
	DiscreteChannelRelease     json.RawMessage
	AutoCreateRelease          json.RawMessage
	AutoDeployReleaseOverrides json.RawMessage
	ReleaseCreationStrategy    json.RawMessage
	Templates                  json.RawMessage
	ProjectTags                json.RawMessage
	ExtensionSettings          json.RawMessage
}

func (c *call) projectDraft() (catalog.ProjectDraft, error) {
	var q projectRequest
	if err := c.decode(&q); err != nil {
		return catalog.ProjectDraft{}, err
	}
	var not later
	not.add(q.IsVersionControlled, "a project in Git")
	if err := not.err(); err != nil {
		return catalog.ProjectDraft{}, err
	}
	settings, err := q.settings()
	if err != nil {
		return catalog.ProjectDraft{}, err
	}
	settings.AllowIgnoreRules = q.AllowIgnoreChannelRules
	if settings.Connectivity, err = q.ProjectConnectivityPolicy.connectivity(); err != nil {
		return catalog.ProjectDraft{}, err
	}
	return catalog.ProjectDraft{
		Name: q.Name, Description: q.Description, Group: q.ProjectGroupID, Lifecycle: q.LifecycleID,
		IsDisabled: q.IsDisabled, Settings: settings, Libraries: q.IncludedLibrarySets,
		Kept: keep(members{
			"TenantedDeploymentMode": q.TenantedDeploymentMode, "DiscreteChannelRelease": q.DiscreteChannelRelease,
			"AutoCreateRelease": q.AutoCreateRelease, "AutoDeployReleaseOverrides": q.AutoDeployReleaseOverrides,
			"ReleaseCreationStrategy": q.ReleaseCreationStrategy, "Templates": q.Templates, "ProjectTags": q.ProjectTags,
			"ExtensionSettings": q.ExtensionSettings,
		}),
	}, nil
}

func (a *api) createProject(c *call) error {
	draft, err := c.projectDraft()
	if err != nil {
		return err
	}
	var made deploy.Project
	if source := c.query()["clone"]; source != "" {
		made, err = a.Catalog.CloneProject(c.ctx(), c.principal, source, draft)
	} else {
		made, err = a.Catalog.CreateProject(c.ctx(), c.principal, draft)
	}
	if err != nil {
		return err
	}
	return c.created(showProject(made))
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
