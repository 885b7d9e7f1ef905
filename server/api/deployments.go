// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"
	"strconv"
	"time"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

func showDeployment(d deploy.Deployment) obj {
	machines := []deploy.MachineID{}
	for _, step := range d.Plan.Steps {
		machines = append(machines, step.Machines...)
	}
	slices.Sort(machines)
	return obj{
		"Id": d.ID, "SpaceId": d.Space, "ProjectId": d.Project, "ReleaseId": d.Release, "EnvironmentId": d.Environment,
		"TenantId": nil, "ChannelId": d.Channel, "TaskId": d.Task, "Name": d.Name, "Comments": d.Comments,
		"Created": at(d.CreatedAt), "QueueTime": nil, "QueueTimeExpiry": nil, "DeployedBy": d.CreatedBy,
		"DeployedToMachineIds": slices.Compact(machines), "SpecificMachineIds": []string{}, "ExcludedMachineIds": []string{},
		"SkipActions": []string{}, "FormValues": formValues(d), "Changes": []obj{}, "ChangesMarkdown": "",
		"DeployedById": nil, "DeploymentProcessId": processPrefix + string(d.Project) + "-s-" + string(d.Release),
		"ManifestVariableSetId": variablesPrefix + string(d.ID), "FailureEncountered": false,
		"ForcePackageDownload": false, "ForcePackageRedeployment": false, "UseGuidedFailure": false,
		"Links": obj{
			"Self": spacePath + "deployments/" + string(d.ID), "Task": "/api/tasks/" + string(d.Task),
			"Release":     spacePath + "releases/" + string(d.Release),
			"Environment": spacePath + "environments/" + string(d.Environment),
			"Project":     spacePath + "projects/" + string(d.Project),
			"Web":         "/app#/" + string(d.Space) + "/deployments/" + string(d.ID),
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
	RunAt                  *time.Time
	NoRunAfter             *time.Time
	Variables              map[string]any
	Comments               string
}

func (a *api) deployV1(c *call) error {
	var q deployV1Request
	if err := c.decode(&q); err != nil {
		return err
	}
	if err := sameSpace(q.SpaceID, q.SpaceIDOrName); err != nil {
		return err
	}
	var not later
	not.add(q.UpdateVariableSnapshot, "taking the variables of a release afresh")
	not.add(q.UseGuidedFailure != nil && *q.UseGuidedFailure, "guided failure")
	not.add(q.NoRunAfter != nil, "a time after which a task does not start")
	if err := not.err(); err != nil {
		return err
	}
	made, err := a.Catalog.Deploy(c.ctx(), c.principal, catalog.DeployRequest{
		Project: q.ProjectName, Release: q.ReleaseVersion, Environments: q.EnvironmentNames, Only: q.SpecificMachineNames,
		Except: q.ExcludedMachineNames, SkipSteps: q.SkipStepNames, NotBefore: when(q.RunAt), Comments: q.Comments,
		Variables: answerTexts(q.Variables),
	})
	if err != nil {
		return err
	}
	return c.created(obj{"DeploymentServerTasks": each(made, func(d deploy.Deployment) obj {
		return obj{"DeploymentId": d.ID, "ServerTaskId": d.Task}
	})})
}

type deployRequest struct {
	ReleaseID          string   `json:"ReleaseId"`
	EnvironmentID      string   `json:"EnvironmentId"`
	SpecificMachineIDs []string `json:"SpecificMachineIds"`
	ExcludedMachineIDs []string `json:"ExcludedMachineIds"`
	SkipActions        []string
	UseGuidedFailure   bool
	QueueTime          *time.Time
	QueueTimeExpiry    *time.Time
	FormValues         map[string]any
	TenantID           string `json:"TenantId"`
	Comments           string
}

func (a *api) deploy(c *call) error {
	var q deployRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	var not later
	not.add(q.UseGuidedFailure, "guided failure")
	not.add(q.QueueTimeExpiry != nil, "a time after which a task does not start")
	not.add(q.TenantID != "", "deploying for a tenant")
	not.add(len(q.SkipActions) > 0, "skipping actions by id (skip steps by name with deployments/create/untenanted/v1)")
	if err := not.err(); err != nil {
		return err
	}
	release, err := a.Catalog.Release(c.ctx(), c.principal, q.ReleaseID)
	if err != nil {
		return err
	}
	made, err := a.Catalog.Deploy(c.ctx(), c.principal, catalog.DeployRequest{
		Project: string(release.Project), Release: string(release.ID), Environments: []string{q.EnvironmentID},
		Only: q.SpecificMachineIDs, Except: q.ExcludedMachineIDs, NotBefore: when(q.QueueTime), Comments: q.Comments,
		Variables: answerTexts(q.FormValues),
	})
	if err != nil {
		return err
	}
	return c.created(showDeployment(made[0]))
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
	all, err := a.Catalog.Deployments(c.ctx(), c.principal, f)
	if err != nil {
		return err
	}
	query := c.query()
	keep := func(name string, of func(deploy.Deployment) string) {
		text, given := query[name]
		if wanted := commaList(text, given); wanted != nil {
			all = slices.DeleteFunc(all, func(d deploy.Deployment) bool { return !containsFold(wanted, of(d)) })
		}
	}
	keep("projects", func(d deploy.Deployment) string { return string(d.Project) })
	keep("environments", func(d deploy.Deployment) string { return string(d.Environment) })
	keep("channels", func(d deploy.Deployment) string { return string(d.Channel) })
	all = chosen(c, all, func(d deploy.Deployment) (string, string) { return string(d.ID), d.Name })
	return paged(c, "Deployment", all, showDeployment)
}

func (a *api) getDeployment(c *call) error {
	d, err := a.Catalog.Deployment(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showDeployment(d))
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
	environments, err := a.Catalog.Environments(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	environments = slices.DeleteFunc(environments, func(e deploy.Environment) bool { return !slices.Contains(next, e.ID) })
	return c.ok(obj{
		"IsDeploymentProcessModified": false, "IsVariableSetModified": false, "IsLibraryVariableSetModified": false,
		"DeploymentNotes": "", "TenantPromotions": []obj{}, "Links": obj{},
		"PromoteTo": each(environments, func(e deploy.Environment) obj {
			preview := spacePath + "releases/" + string(release.ID) + "/deployments/preview/" + string(e.ID)
			return obj{"Id": e.ID, "Name": e.Name, "Links": obj{"Preview": preview + "{?includeDisabledSteps}"}}
		}),
	})
}

func (a *api) previewDeployment(c *call) error {
	plan, machines, err := a.Catalog.Preview(c.ctx(), c.principal, c.param("id"), c.param("environment"))
	if err != nil {
		return err
	}
	steps := []obj{}
	for _, step := range plan.Steps {
		for i, action := range step.Actions {
			number := strconv.Itoa(step.Number)
			if len(step.Actions) > 1 {
				number += "." + strconv.Itoa(i+1)
			}
			steps = append(steps, showPreview(step, action, number, machines))
		}
	}
	asked, err := a.Catalog.Prompted(c.ctx(), c.principal, c.param("id"), c.param("environment"))
	if err != nil {
		return err
	}
	return c.ok(obj{
		"StepsToExecute": steps, "Form": formOf(asked), "UseGuidedFailureModeByDefault": false,
		"Changes": []obj{}, "ChangesMarkdown": "", "Links": obj{},
	})
}

func showPreview(step deploy.PlannedStep, action deploy.Action, number string, machines []deploy.Machine) obj {
	names, shown := []string{}, []obj{}
	for _, m := range machines {
		if slices.Contains(step.Machines, m.ID) {
			names = append(names, m.Name)
			shown = append(shown, obj{"Id": m.ID, "Name": m.Name, "HasLatestCalamari": true, "HealthStatus": m.Health.Status})
		}
	}
	return obj{
		"ActionId": action.ID, "ActionName": action.Name, "ActionNumber": number,
		"Roles": list(commaList(action.Properties[deploy.PropTargetTags], true)), "MachineNames": names, "Machines": shown,
		"CanBeSkipped": !action.IsRequired, "IsDisabled": action.IsDisabled, "HasNoApplicableMachines": len(names) == 0,
		"UnavailableMachines": []obj{}, "ExcludedMachines": []obj{},
	}
}
