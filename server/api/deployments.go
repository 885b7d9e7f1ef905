// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"
	"strconv"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
)

func showDeployment(d deploy.Deployment, hasFailed bool) obj {
	machines := []deploy.MachineID{}
	for _, step := range d.Plan.Steps {
		machines = append(machines, step.Machines...)
	}
	slices.Sort(machines)
	return obj{
		"Id": d.ID, "SpaceId": d.Space, "ProjectId": d.Project, "ReleaseId": d.Release, "EnvironmentId": d.Environment,
		"TenantId": nil, "ChannelId": d.Channel, "TaskId": d.Task, "Name": d.Name, "Comments": d.Comments,
		"Created": at(d.CreatedAt), "QueueTime": at(d.Options.NotBefore), "QueueTimeExpiry": at(d.Options.NotAfter),
		"DeployedBy": d.CreatedBy, "DeployedById": idOrNull(d.CreatedByID),
		"DeployedToMachineIds": slices.Compact(machines),
		"SpecificMachineIds":   list(d.Options.Only), "ExcludedMachineIds": list(d.Options.Except),
		"SkipActions": list(d.Options.SkipActions), "FormValues": formValues(d), "Changes": []obj{}, "ChangesMarkdown": "",
		"DeploymentProcessId":   processPrefix + snapshot{string(d.Project), catalog.AnyVersion, string(d.Release)}.String(),
		"ManifestVariableSetId": variablesPrefix + string(d.ID), "FailureEncountered": hasFailed,
		"ForcePackageDownload": d.Options.ForcesPackages, "ForcePackageRedeployment": false,
		"UseGuidedFailure": d.Plan.IsGuided,
		"Links": obj{
			"Self": spacePath + "deployments/" + string(d.ID), "Task": "/api/tasks/" + string(d.Task),
			"Release":     spacePath + "releases/" + string(d.Release),
			"Environment": spacePath + "environments/" + string(d.Environment),
			"Project":     spacePath + "projects/" + string(d.Project),
			"Web":         webTask(d.Space, d.Task),
		},
	}
}

type deployV1Request struct {
	SpaceID                string `json:"SpaceId"`
	SpaceIDOrName          string `json:"SpaceIdOrName"`
	ProjectName            string
	ReleaseVersion         string
	EnvironmentNames       []string
	UpdateVariableSnapshot bool
	UseGuidedFailure       *bool
	SpecificMachineNames   []string
	ExcludedMachineNames   []string
	SkipStepNames          []string
	RunAt                  askedTime
	NoRunAfter             askedTime
	ForcePackageDownload   bool
	Variables              map[string]any
	Comments               string
}

func (a *api) deployV1(c *call) error {
	var q deployV1Request
	if err := c.decode(&q); err != nil {
		return err
	}
	if err := a.sameSpace(c, q.SpaceID, q.SpaceIDOrName); err != nil {
		return err
	}
	made, err := a.Catalog.Deploy(c.ctx(), c.principal, catalog.DeployRequest{
		Project: q.ProjectName, Release: q.ReleaseVersion, Environments: q.EnvironmentNames, Only: q.SpecificMachineNames,
		Except: q.ExcludedMachineNames, SkipSteps: q.SkipStepNames, NotBefore: q.RunAt.Time, Comments: q.Comments,
		Variables: answerTexts(q.Variables), NotAfter: q.NoRunAfter.Time, Guided: guidedWord(q.UseGuidedFailure),
		ForcesPackages: q.ForcePackageDownload, TakesVariables: q.UpdateVariableSnapshot,
	})
	if err != nil {
		return err
	}
	return c.created(obj{"DeploymentServerTasks": each(made, func(d deploy.Deployment) obj {
		return obj{"DeploymentId": d.ID, "ServerTaskId": d.Task}
	})})
}

// guidedWord is what a caller says of guided failure; null leaves it to the project.
func guidedWord(asked *bool) deploy.GuidedFailure {
	switch {
	case asked == nil:
		return ""
	case *asked:
		return deploy.GuidedAlways
	}
	return deploy.GuidedNever
}

type deployRequest struct {
	ReleaseID            string   `json:"ReleaseId"`
	EnvironmentID        string   `json:"EnvironmentId"`
	SpecificMachineIDs   []string `json:"SpecificMachineIds"`
	ExcludedMachineIDs   []string `json:"ExcludedMachineIds"`
	SkipActions          []string
	UseGuidedFailure     *bool
	QueueTime            askedTime
	QueueTimeExpiry      askedTime
	FormValues           map[string]any
	ForcePackageDownload bool
	TenantID             string `json:"TenantId"`
	Comments             string
}

func (a *api) deploy(c *call) error {
	var q deployRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	var not later
	not.add(q.TenantID != "", "deploying for a tenant")
	if err := not.err(); err != nil {
		return err
	}
	release, err := a.Catalog.Release(c.ctx(), c.principal, q.ReleaseID)
	if err != nil {
		return err
	}
	made, err := a.Catalog.Deploy(c.ctx(), c.principal, catalog.DeployRequest{
		Project: string(release.Project), Release: string(release.ID), Environments: []string{q.EnvironmentID},
		Only: q.SpecificMachineIDs, Except: q.ExcludedMachineIDs, NotBefore: q.QueueTime.Time, Comments: q.Comments,
		Variables: answerTexts(q.FormValues), SkipActions: q.SkipActions, NotAfter: q.QueueTimeExpiry.Time,
		Guided: guidedWord(q.UseGuidedFailure), ForcesPackages: q.ForcePackageDownload,
	})
	if err != nil {
		return err
	}
	return c.created(showDeployment(made[0], false))
}

func (a *api) listDeployments(c *call) error {
	return a.answerDeployments(c, catalog.DeploymentFilter{})
}

func (a *api) releaseDeployments(c *call) error {
	release, err := a.Catalog.Release(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return a.answerDeployments(c, catalog.DeploymentFilter{Release: release.ID})
}

func (a *api) answerDeployments(c *call, f catalog.DeploymentFilter) error {
	skip, take, err := c.pageOf()
	if err != nil {
		return err
	}
	if c.names("tenants") {
		return envelope(c, "Deployment", []obj{}, 0)
	}
	query := c.query()
	if f.States, err = stateWords(commaList(query["taskstate"], true)); err != nil {
		return err
	}
	f.Contains = query["partialname"]
	f.Skip, f.Take = skip, max(1, take) // the store takes 0 for no limit
	f.IDs = idsIn[deploy.DeploymentID](query, "ids", "Deployments")
	f.Projects = idsIn[deploy.ProjectID](query, "projects", "Projects")
	f.Places = idsIn[deploy.EnvironmentID](query, "environments", "Environments")
	f.Channels = idsIn[deploy.ChannelID](query, "channels", "Channels")
	page, total, err := a.Catalog.DeploymentPage(c.ctx(), c.principal, f)
	if err != nil {
		return err
	}
	page = page[:min(take, len(page))]
	met, err := a.Catalog.FailuresMet(c.ctx(), c.principal, page)
	if err != nil {
		return err
	}
	show := func(d deploy.Deployment) obj { return showDeployment(d, met[d.ID]) }
	return envelope(c, "Deployment", each(page, show), total)
}

// idsIn reads a list of ids of a collection, in whatever case they come.
func idsIn[T ~string](query map[string]string, name, collection string) (ids []T) {
	for _, id := range commaList(query[name], true) {
		if n := len(collection); len(id) > n && strings.EqualFold(id[:n], collection) {
			id = collection + id[n:]
		}
		ids = append(ids, T(id))
	}
	return ids
}

func (a *api) getDeployment(c *call) error {
	d, err := a.Catalog.Deployment(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	met, err := a.Catalog.FailuresMet(c.ctx(), c.principal, []deploy.Deployment{d})
	if err != nil {
		return err
	}
	return c.ok(showDeployment(d, met[d.ID]))
}

func (a *api) deploymentTemplate(c *call) error {
	release, err := a.Catalog.Release(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	_, next, err := a.Catalog.Progression(c.ctx(), c.principal, string(release.ID))
	if err != nil {
		return err
	}
	drift, err := a.Catalog.Drift(c.ctx(), c.principal, string(release.ID))
	if err != nil {
		return err
	}
	environments, err := a.Catalog.Environments(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	environments = slices.DeleteFunc(environments, func(e deploy.Environment) bool { return !slices.Contains(next, e.ID) })
	return c.ok(obj{
		"IsDeploymentProcessModified": drift.Process, "IsVariableSetModified": drift.Variables,
		"IsLibraryVariableSetModified": drift.Library,
		"DeploymentNotes":              "", "TenantPromotions": []obj{}, "Links": obj{},
		"PromoteTo": each(environments, func(e deploy.Environment) obj {
			preview := spacePath + "releases/" + string(release.ID) + "/deployments/preview/" + string(e.ID)
			return obj{"Id": e.ID, "Name": e.Name, "Links": obj{"Preview": preview + "{?includeDisabledSteps}"}}
		}),
	})
}

func (a *api) previewDeployment(c *call) error {
	disabled, _, err := c.yesOrNo("includeDisabledSteps")
	if err != nil {
		return err
	}
	shown, err := a.preview(c, c.param("id"), c.param("environment"), disabled)
	if err != nil {
		return err
	}
	return c.ok(shown)
}

type previewsRequest struct {
	IncludeDisabledSteps bool
	DeploymentPreviews   []struct {
		EnvironmentID string `json:"EnvironmentId"`
		TenantID      string `json:"TenantId"`
	}
}

// maxPreviews bounds the previews that one request asks for.
const maxPreviews = 100

// previewDeployments answers one preview for each environment, in the order asked for.
func (a *api) previewDeployments(c *call) error {
	var q previewsRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	var not later
	for _, one := range q.DeploymentPreviews {
		not.add(one.TenantID != "", "deploying for a tenant")
	}
	if err := not.err(); err != nil {
		return err
	}
	if n := len(q.DeploymentPreviews); n > maxPreviews {
		return errkind.Invalid.Errorf("%d previews: want at most %d", n, maxPreviews)
	}
	all := []obj{}
	for _, one := range q.DeploymentPreviews {
		shown, err := a.preview(c, c.param("id"), one.EnvironmentID, q.IncludeDisabledSteps)
		if err != nil {
			return err
		}
		all = append(all, shown)
	}
	return c.ok(all)
}

func (a *api) preview(c *call, release, environment string, disabled bool) (obj, error) {
	shown, err := a.Catalog.Preview(c.ctx(), c.principal, release, environment, disabled)
	if err != nil {
		return nil, err
	}
	steps := []obj{}
	for s, step := range shown.Plan.Steps {
		for i := range step.Actions {
			number := strconv.Itoa(step.Number)
			if len(step.Actions) > 1 {
				number += "." + strconv.Itoa(i+1)
			}
			steps = append(steps, showPreview(shown, s, i, number))
		}
	}
	asked, err := a.Catalog.Prompted(c.ctx(), c.principal, release, environment)
	if err != nil {
		return nil, err
	}
	return obj{
		"StepsToExecute": steps, "Form": formOf(asked), "UseGuidedFailureModeByDefault": shown.Plan.IsGuided,
		"Changes": []obj{}, "ChangesMarkdown": "", "Links": obj{},
	}, nil
}

func showPreview(p catalog.Preview, at, of int, number string) obj {
	step := p.Plan.Steps[at]
	action := step.Actions[of]
	names, shown := []string{}, []obj{}
	for _, m := range p.Machines {
		if slices.Contains(step.Machines, m.ID) {
			names = append(names, m.Name)
			shown = append(shown, obj{"Id": m.ID, "Name": m.Name, "HasLatestCalamari": true, "HealthStatus": m.Health.Status})
		}
	}
	named := func(m deploy.Machine) obj { return obj{"Id": m.ID, "Name": m.Name} }
	return obj{
		"ActionId": action.ID, "ActionName": action.Name, "ActionNumber": number,
		"Roles": list(p.Process.Steps[at].Tags), "MachineNames": names, "Machines": shown,
		"CanBeSkipped": !action.IsRequired, "IsDisabled": action.IsDisabled,
		"HasNoApplicableMachines": len(names) == 0 && !step.IsManual(),
		"UnavailableMachines":     each(p.Unavailable[at], named), "ExcludedMachines": each(p.LeftOut[at], named),
	}
}
