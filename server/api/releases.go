// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

func showRelease(r deploy.Release) obj {
	self := spacePath + "releases/" + string(r.ID)
	took := func(owner string, version int) string { return snapshot{owner, version, string(r.ID)}.String() }
	fields := r.CustomFields
	if fields == nil {
		fields = map[string]string{}
	}
	return obj{
		"Id": r.ID, "SpaceId": thisSpace, "ProjectId": r.Project, "ChannelId": r.Channel, "Version": r.Version,
		"ReleaseNotes": r.Notes, "Assembled": at(r.AssembledAt), "IgnoreChannelRules": r.IgnoresRules,
		"ProjectDeploymentProcessSnapshotId": processPrefix + took(string(r.Project), r.Process.Version),
		"ProjectVariableSetSnapshotId":       variablesPrefix + took(string(r.Project), r.Variables.Version),
		"LibraryVariableSetSnapshotIds": each(r.Library, func(set deploy.VariableSet) string {
			return variablesPrefix + took(string(set.Owner), set.Version)
		}),
		"SelectedPackages": each(r.Packages, func(p deploy.SelectedPackage) obj {
			return obj{"ActionName": p.Action, "StepName": p.Step, "PackageReferenceName": p.Reference, "Version": p.Version}
		}),
		"SelectedGitResources": []obj{}, "BuildInformation": []obj{}, "CustomFields": fields,
		"VersionControlReference": nil,
		"Links": obj{
			"Self": self + "{?force}", "Project": spacePath + "projects/" + string(r.Project),
			"Channel": spacePath + "channels/" + string(r.Channel), "Progression": self + "/progression",
			"Deployments": self + "/deployments{?skip,take}", "DeploymentTemplate": self + "/deployments/template",
			"SnapshotVariables": self + "/snapshot-variables", "Defects": self + "/defects",
			"Web": webRelease(r.Space, r.Project, r.Version),
		},
	}
}

type releaseV1Request struct {
	SpaceID               string `json:"SpaceId"`
	SpaceIDOrName         string `json:"SpaceIdOrName"`
	ProjectName           string
	ReleaseVersion        string
	ChannelName           string
	PackageVersion        string
	Packages              []string
	GitCommit             string
	GitRef                string
	GitResources          []string
	ReleaseNotes          string
	PackagePrerelease     string
	CustomFields          map[string]any
	IgnoreIfAlreadyExists bool
	IgnoreChannelRules    bool
}

func (a *api) createReleaseV1(c *call) error {
	var q releaseV1Request
	if err := c.decode(&q); err != nil {
		return err
	}
	if err := a.sameSpace(c, q.SpaceID, q.SpaceIDOrName); err != nil {
		return err
	}
	var not later
	not.add(q.GitCommit != "" || q.GitRef != "" || len(q.GitResources) > 0, "a process or a resource in Git")
	if err := not.err(); err != nil {
		return err
	}
	fields, err := customFields(q.CustomFields)
	if err != nil {
		return err
	}
	made, err := a.Catalog.MakeRelease(c.ctx(), c.principal, catalog.ReleaseRequest{
		Project: q.ProjectName, Channel: q.ChannelName, Version: q.ReleaseVersion, Notes: q.ReleaseNotes,
		PackageVersion: q.PackageVersion, Packages: q.Packages, Prerelease: q.PackagePrerelease,
		IgnoreIfAlreadyThere: q.IgnoreIfAlreadyExists, IgnoreChannelRules: q.IgnoreChannelRules, CustomFields: fields,
	})
	if err != nil {
		return err
	}
	names := []string{}
	for _, e := range made.Automatic {
		names = append(names, e.Name)
	}
	shown := obj{
		"ReleaseId": made.Release.ID, "ReleaseVersion": made.Release.Version,
		"AutomaticallyDeployedEnvironments": strings.Join(names, ", "),
	}
	if !made.IsNew {
		return c.ok(shown)
	}
	return c.created(shown)
}

// customFields takes texts; numbers and truth values become texts.
func customFields(given map[string]any) (map[string]string, error) {
	var fields map[string]string
	for name, value := range given {
		if fields == nil {
			fields = map[string]string{}
		}
		switch value.(type) {
		case nil:
		case string, bool, float64:
			fields[name] = fmt.Sprint(value)
		default:
			return nil, errkind.Invalid.Errorf("the custom field %.40q is no text", name)
		}
	}
	return fields, nil
}

type releaseRequest struct {
	ProjectID          string `json:"ProjectId"`
	ChannelID          string `json:"ChannelId"`
	Version            string
	ReleaseNotes       *string
	IgnoreChannelRules bool
	SelectedPackages   []selectedRequest
	CustomFields       map[string]any
}

func (q releaseRequest) choices() (list []string) {
	for _, s := range q.SelectedPackages {
		list = append(list, s.choice())
	}
	return list
}

type selectedRequest struct{ ActionName, StepName, PackageReferenceName, Version string }

// choice writes an entry in the form that the catalog reads.
func (s selectedRequest) choice() string {
	escape := strings.NewReplacer(`\`, `\\`, ":", `\:`, "/", `\/`, "=", `\=`)
	name := s.ActionName
	if name == "" {
		name = s.StepName
	}
	return escape.Replace(name) + ":" + escape.Replace(s.PackageReferenceName) + ":" + escape.Replace(s.Version)
}

func (a *api) createRelease(c *call) error {
	var q releaseRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	fields, err := customFields(q.CustomFields)
	if err != nil {
		return err
	}
	// Rules may also be ignored by the address, as older clients do.
	ignore := q.IgnoreChannelRules || strings.EqualFold(c.query()["ignorechannelrules"], "true")
	notes := ""
	if q.ReleaseNotes != nil {
		notes = *q.ReleaseNotes
	}
	made, _, err := a.Catalog.CreateRelease(c.ctx(), c.principal, catalog.ReleaseRequest{
		Project: q.ProjectID, Channel: q.ChannelID, Version: q.Version, Notes: notes, Packages: q.choices(),
		IgnoreChannelRules: ignore, CustomFields: fields,
	})
	if err != nil {
		return err
	}
	return c.created(showRelease(made))
}

func (a *api) editRelease(c *call) error {
	var q releaseRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	fields, err := customFields(q.CustomFields)
	if err != nil {
		return err
	}
	release, err := a.Catalog.EditRelease(c.ctx(), c.principal, c.param("id"), catalog.ReleaseDraft{
		Version: q.Version, Notes: q.ReleaseNotes, Channel: q.ChannelID, Packages: q.choices(), CustomFields: fields,
	})
	if err != nil {
		return err
	}
	return c.ok(showRelease(release))
}

func (a *api) snapshotVariables(c *call) error {
	release, err := a.Catalog.SnapshotVariables(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showRelease(release))
}

func (a *api) missingPackages(c *call) error {
	missing, err := a.Catalog.MissingPackages(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(obj{"Packages": each(missing, func(p deploy.SelectedPackage) obj {
		return obj{"Id": p.PackageID, "Version": p.Version}
	}), "Links": obj{}})
}

func (a *api) getRelease(c *call) error {
	r, err := a.Catalog.Release(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showRelease(r))
}

func (a *api) numberedRelease(c *call) error {
	r, err := a.Catalog.ReleaseNumbered(c.ctx(), c.principal, c.param("id"), c.param("version"))
	if err != nil {
		return err
	}
	return c.ok(showRelease(r))
}

func (a *api) projectReleases(c *call) error {
	rows, err := a.Catalog.Releases(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return a.answerReleases(c, rows)
}

func (a *api) listReleases(c *call) error {
	rows, err := a.Catalog.AllReleases(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return a.answerReleases(c, rows)
}

func (a *api) channelReleases(c *call) error {
	id := c.param("channel")
	if id == "" {
		id = c.param("id")
	}
	rows, err := a.Catalog.ChannelReleases(c.ctx(), c.principal, id)
	if err != nil {
		return err
	}
	return a.answerReleases(c, rows)
}

func (a *api) answerReleases(c *call, rows []catalog.ReleaseRow) error {
	search := strings.ToLower(c.query()["searchbyversion"])
	rows = slices.DeleteFunc(rows, func(r catalog.ReleaseRow) bool {
		return !strings.Contains(strings.ToLower(r.Version), search)
	})
	rows = chosen(c, rows, func(r catalog.ReleaseRow) (string, string) { return string(r.ID), r.Version })
	skip, take, err := c.pageOf()
	if err != nil {
		return err
	}
	total := len(rows)
	rows = rows[min(skip, total):]
	rows = rows[:min(take, len(rows))]
	page := make([]obj, 0, len(rows))
	show := func(r deploy.Release) { page = append(page, showRelease(r)) }
	if err := a.Catalog.EachRelease(c.ctx(), c.principal, rows, show); err != nil {
		return err
	}
	return envelope(c, "Release", page, total)
}

func (a *api) deleteRelease(c *call) error {
	if err := a.Catalog.DeleteRelease(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}

// shownCell is a deployment on the dashboard. A dashboard has thousands of them, and a struct is written many times as
// fast as an obj; its members are in the order in which an obj's would be.
type shownCell struct {
	At                  any
	DeploymentID        deploy.DeploymentID  `json:"DeploymentId"`
	EnvironmentID       deploy.EnvironmentID `json:"EnvironmentId"`
	HasWarningsOrErrors bool
	ID                  deploy.DeploymentID `json:"Id"`
	IsCompleted         bool
	Links               cellLinks
	ProjectID           deploy.ProjectID `json:"ProjectId"`
	ReleaseID           deploy.ReleaseID `json:"ReleaseId"`
	ReleaseVersion      string
	State               deploy.TaskState
	TaskID              deploy.TaskID `json:"TaskId"`
}

type cellLinks struct{ Task string }

func showCell(cell catalog.DashboardCell) shownCell {
	return shownCell{
		ID: cell.Deployment, ProjectID: cell.Project, EnvironmentID: cell.Environment, ReleaseID: cell.Release,
		DeploymentID: cell.Deployment, TaskID: cell.Task, ReleaseVersion: cell.Version, State: cell.State,
		IsCompleted: cell.State.IsCompleted(), HasWarningsOrErrors: cell.State == deploy.TaskFailed, At: at(cell.At),
		Links: cellLinks{"/api/tasks/" + string(cell.Task)},
	}
}

type boardProject struct {
	ID         deploy.ProjectID `json:"Id"`
	IsDisabled bool
	Name       string
	Group      deploy.ProjectGroupID `json:"ProjectGroupId"`
	Slug       string
}

func (a *api) getDashboard(c *call) error {
	projects, err := a.Catalog.Projects(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	environments, err := a.Catalog.Environments(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	cells, err := a.Catalog.Dashboard(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	items := make([]shownCell, len(cells))
	for i, cell := range cells {
		items[i] = showCell(cell)
	}
	return c.ok(obj{
		"Projects": each(projects, func(p deploy.Project) boardProject {
			return boardProject{ID: p.ID, Name: p.Name, Slug: p.Slug, Group: p.Group, IsDisabled: p.IsDisabled}
		}),
		"Environments": each(environments, func(e deploy.Environment) obj { return obj{"Id": e.ID, "Name": e.Name} }),
		"Items":        items, "Links": obj{"Self": spacePath + "dashboard"},
	})
}
