// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Scene is where and for what an action runs: what the system's own variables tell a script.
// Deployment, Release, Channel, Project, Group and Environment are zero unless the task deploys.
type Scene struct {
	Space        Space
	Task         Task
	Deployment   Deployment
	Release      Release
	Channel      Channel
	Project      Project
	Group        ProjectGroup
	Environment  Environment
	Machine      Machine
	Step         PlannedStep
	Action       Action
	ActionNumber int // in its step, from 1
	ServerURL    string
	// Failure is the reason of the deployment's first failure so far; "" while there is none.
	Failure string
	// Detail is Failure with the machine and what it said; "" while there is none.
	Detail string
	// Tags are those that the step picks its machines by.
	Tags []string
	// Around is what Surroundings say, made once for many scenes; not to be changed.
	Around map[string]string
}

// Variables are the system's own, by the names that Octopus documents (features.md VAR-8). Lists are
// joined with commas, times are RFC 3339 in UTC, links are paths below the server's address.
func (s Scene) Variables() map[string]string {
	all := map[string]string{
		"Octopus.Space.Id": string(s.Space.ID), "Octopus.Space.Name": s.Space.Name,
		"Octopus.Task.Id": string(s.Task.ID), "Octopus.Task.Name": s.Task.Description,
		"Octopus.Task.QueueTime": timeText(s.Task.QueuedAt),
		"Octopus.Machine.Id":     string(s.Machine.ID), "Octopus.Machine.Name": s.Machine.Name,
		"Octopus.Machine.Hostname": s.Machine.Facts.Hostname,
		"Octopus.Machine.Roles":    strings.Join(s.Machine.Tags, ","),
		"Octopus.Step.Name":        s.Step.Name, "Octopus.Step.Number": strconv.Itoa(s.Step.Number),
	}
	if s.ServerURL != "" {
		all["Octopus.Web.ServerUri"], all["Octopus.Web.BaseUrl"] = s.ServerURL, s.ServerURL
	}
	maps.Copy(all, s.action())
	if s.Task.Kind == DeployTask {
		maps.Copy(all, s.deployment())
	}
	return all
}

// action tells of the action with all its settings, but for the script itself.
func (s Scene) action() map[string]string {
	all := map[string]string{}
	for name, value := range s.Action.Properties {
		if !strings.EqualFold(name, PropScriptBody) {
			all[name] = value
		}
	}
	all["Octopus.Action.Id"], all["Octopus.Action.Name"] = s.Action.ID, s.Action.Name
	all["Octopus.Action.Number"] = strconv.Itoa(s.ActionNumber)
	for _, p := range s.Release.Packages {
		if !strings.EqualFold(p.Action, s.Action.Name) {
			continue
		}
		prefix := "Octopus.Action.Package."
		if p.Reference != "" {
			prefix = "Octopus.Action.Package[" + p.Reference + "]."
		}
		all[prefix+"PackageId"], all[prefix+"PackageVersion"] = p.PackageID, p.Version
	}
	return all
}

func (s Scene) deployment() map[string]string {
	page, space := "/app/projects/"+url.PathEscape(string(s.Project.ID)), s.Space.ID.InAddress()
	all := map[string]string{
		"Octopus.Deployment.Id": string(s.Task.Deployment), "Octopus.Deployment.Name": s.Deployment.Name,
		"Octopus.Deployment.Comments":           s.Deployment.Comments,
		"Octopus.Deployment.Created":            timeText(s.Deployment.CreatedAt),
		"Octopus.Deployment.CreatedBy.Username": s.Deployment.CreatedBy,
		"Octopus.Release.Id":                    string(s.Release.ID), "Octopus.Release.Number": s.Release.Version,
		"Octopus.Release.Notes":              s.Release.Notes,
		"Octopus.Release.Created":            timeText(s.Release.AssembledAt),
		"Octopus.Release.CreatedBy.Username": s.Release.AssembledBy,
		"Octopus.Release.Channel.Id":         string(s.Channel.ID), "Octopus.Release.Channel.Name": s.Channel.Name,
		"Octopus.Environment.Id": string(s.Environment.ID), "Octopus.Environment.Name": s.Environment.Name,
		"Octopus.Environment.SortOrder": strconv.Itoa(s.Environment.SortOrder),
		"Octopus.Project.Id":            string(s.Project.ID), "Octopus.Project.Name": s.Project.Name,
		"Octopus.ProjectGroup.Id": string(s.Group.ID), "Octopus.ProjectGroup.Name": s.Group.Name,
		"Octopus.Web.ProjectLink":    page + space,
		"Octopus.Web.ReleaseLink":    page + "/releases/" + url.PathEscape(s.Release.Version) + space,
		"Octopus.Web.DeploymentLink": "/app/tasks/" + url.PathEscape(string(s.Task.ID)) + space,
	}
	maps.Copy(all, s.Around)
	all["Octopus.Step.Status.Code"], all["Octopus.Action.TargetRoles"] = "Running", strings.Join(s.Tags, ",")
	if s.Step.Name != "" {
		all[statusName(s.Step, "Code")], all[statusName(s.Step, "Error")] = "Running", ""
	}
	if s.Failure != "" { // conditions ask whether there is such a variable
		all["Octopus.Deployment.Error"], all["Octopus.Deployment.ErrorDetail"] = s.Failure, s.Detail
	}
	for name, value := range s.Release.CustomFields {
		all["Octopus.Release.CustomFields["+name+"]"] = value
	}
	return all
}

// machineTexts are the ids of all machines of a plan, sorted.
func machineTexts(p Plan) []string {
	var ids []string
	for _, step := range p.Steps {
		for _, id := range step.Machines {
			ids = append(ids, string(id))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
