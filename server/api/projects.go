// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

// shownProject is what the wire shows of a project. Lists have thousands of them, and a struct is written many times as
// fast as an obj; its members are in the order in which an obj's would be.
type shownProject struct {
	AllowIgnoreChannelRules         bool
	AutoCreateRelease               json.RawMessage
	AutoDeployReleaseOverrides      json.RawMessage
	ClonedFromProjectID             *deploy.ProjectID `json:"ClonedFromProjectId"`
	DefaultGuidedFailureMode        deploy.GuidedFailure
	DefaultToSkipIfAlreadyInstalled bool
	DeploymentChangesTemplate       string
	DeploymentProcessID             string `json:"DeploymentProcessId"`
	Description                     string
	DiscreteChannelRelease          json.RawMessage
	ExtensionSettings               json.RawMessage
	ID                              deploy.ProjectID      `json:"Id"`
	IncludedLibrarySets             []deploy.LibrarySetID `json:"IncludedLibraryVariableSetIds"`
	IsDisabled                      bool
	IsVersionControlled             bool
	LifecycleID                     deploy.LifecycleID `json:"LifecycleId"`
	Links                           projectLinks
	Name                            string
	PersistenceSettings             typed
	ProjectConnectivityPolicy       shownConnectivity
	ProjectGroupID                  deploy.ProjectGroupID `json:"ProjectGroupId"`
	ProjectTags                     json.RawMessage
	ReleaseCreationStrategy         json.RawMessage
	ReleaseNotesTemplate            string
	Slug                            string
	SpaceID                         deploy.SpaceID `json:"SpaceId"`
	Templates                       json.RawMessage
	TenantedDeploymentMode          json.RawMessage
	VariableSetID                   string `json:"VariableSetId"`
	VersioningStrategy              shownVersioning
}

type typed struct{ Type string }

type projectLinks struct {
	Channels           string
	ConvertToVcs       string // answered with what comes later
	DeploymentProcess  string
	DeploymentSettings string
	Progression        string
	Releases           string
	Self               string
	Summary            string
	Variables          string
	Web                string
}

func linksOfProject(space deploy.SpaceID, id deploy.ProjectID) projectLinks {
	self := spacePath + "projects/" + string(id)
	return projectLinks{
		Self:               self,
		ConvertToVcs:       self + "/git/convert",
		Channels:           self + "/channels{/id}{?skip,take,partialName}",
		Releases:           self + "/releases{/version}{?skip,take,searchByVersion}",
		DeploymentProcess:  self + "/deploymentprocesses",
		DeploymentSettings: self + "/deploymentsettings",
		Progression:        self + "/progression{?aggregate}",
		Summary:            self + "/summary",
		Variables:          spacePath + "variables/" + variablesPrefix + string(id),
		Web:                webProject(space, id),
	}
}

func showProject(p deploy.Project) shownProject {
	shown := shownProject{
		ID: p.ID, SpaceID: p.Space, Name: p.Name, Slug: p.Slug, Description: p.Description, IsDisabled: p.IsDisabled,
		ProjectGroupID: p.Group, LifecycleID: p.Lifecycle, DeploymentProcessID: processPrefix + string(p.ID),
		VariableSetID: variablesPrefix + string(p.ID), IncludedLibrarySets: list(p.Libraries),
		TenantedDeploymentMode:   keptOr(p.Kept, "TenantedDeploymentMode", `"Untenanted"`),
		DefaultGuidedFailureMode: guidedMode(p), DefaultToSkipIfAlreadyInstalled: p.SkipIfInstalled,
		DiscreteChannelRelease:     keptOr(p.Kept, "DiscreteChannelRelease", "false"),
		AutoCreateRelease:          keptOr(p.Kept, "AutoCreateRelease", "false"),
		AutoDeployReleaseOverrides: keptOr(p.Kept, "AutoDeployReleaseOverrides", "[]"),
		AllowIgnoreChannelRules:    !p.KeepsChannelRules, PersistenceSettings: typed{"Database"},
		ProjectConnectivityPolicy: showConnectivity(p.Connectivity), VersioningStrategy: showVersioning(p),
		ReleaseCreationStrategy: keptOr(p.Kept, "ReleaseCreationStrategy", noReleaseCreation),
		ReleaseNotesTemplate:    p.NotesTemplate, DeploymentChangesTemplate: p.ChangesTemplate,
		Templates:         keptOr(p.Kept, "Templates", "[]"),
		ProjectTags:       keptOr(p.Kept, "ProjectTags", "[]"),
		ExtensionSettings: keptOr(p.Kept, "ExtensionSettings", "[]"),
		Links:             linksOfProject(p.Space, p.ID),
	}
	if p.ClonedFrom != "" {
		shown.ClonedFromProjectID = &p.ClonedFrom
	}
	return shown
}

const noReleaseCreation = `{"ChannelId":null,"ReleaseCreationPackage":null,"ReleaseCreationPackageStepId":null}`

func (a *api) listProjects(c *call) error {
	all, err := a.Catalog.Projects(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all = chosen(c, all, func(p deploy.Project) (string, string) { return string(p.ID), p.Name })
	if source := c.query()["clonedfromprojectid"]; source != "" {
		all = slices.DeleteFunc(all, func(p deploy.Project) bool { return !strings.EqualFold(source, string(p.ClonedFrom)) })
	}
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
