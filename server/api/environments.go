// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

func showEnvironment(e deploy.Environment) obj {
	self := spacePath + "environments/" + string(e.ID)
	return obj{
		"Id": e.ID, "SpaceId": e.Space, "Name": e.Name, "Slug": e.Slug, "Description": e.Description,
		"SortOrder": e.SortOrder, "UseGuidedFailure": e.UseGuidedFailure, "AllowDynamicInfrastructure": true,
		"Type": "Static", "EnvironmentTags": []string{}, "ExtensionSettings": []obj{},
		"Links": obj{"Self": self, "Machines": self +
			"/machines{?skip,take,partialName,roles,isDisabled,healthStatuses,commStyles}"},
	}
}

func (a *api) listEnvironments(c *call) error {
	all, err := a.Catalog.Environments(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all = chosen(c, all, func(e deploy.Environment) (string, string) { return string(e.ID), e.Name })
	return paged(c, "Environment", all, showEnvironment)
}

func (a *api) allEnvironments(c *call) error {
	all, err := a.Catalog.Environments(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showEnvironment))
}

func (a *api) getEnvironment(c *call) error {
	e, err := a.Catalog.Environment(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showEnvironment(e))
}

type environmentRequest struct {
	Name             string
	Description      string
	SortOrder        int
	UseGuidedFailure bool
}

func (c *call) environmentDraft() (catalog.EnvironmentDraft, error) {
	var q environmentRequest
	err := c.decode(&q)
	return catalog.EnvironmentDraft(q), err
}

func (a *api) createEnvironment(c *call) error {
	draft, err := c.environmentDraft()
	if err != nil {
		return err
	}
	e, err := a.Catalog.CreateEnvironment(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showEnvironment(e))
}

func (a *api) editEnvironment(c *call) error {
	draft, err := c.environmentDraft()
	if err != nil {
		return err
	}
	e, err := a.Catalog.EditEnvironment(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(showEnvironment(e))
}

func (a *api) deleteEnvironment(c *call) error {
	if err := a.Catalog.DeleteEnvironment(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}

func (a *api) environmentMachines(c *call) error {
	e, err := a.Catalog.Environment(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	all, err := a.Catalog.Machines(c.ctx(), c.principal, catalog.MachineFilter{Environment: e.ID})
	if err != nil {
		return err
	}
	return paged(c, "DeploymentTarget", chosenMachines(c, all), a.showMachine)
}

func showLifecycle(l deploy.Lifecycle) obj {
	self := spacePath + "lifecycles/" + string(l.ID)
	keep := obj{"Strategy": "Count", "QuantityToKeep": l.KeepOnMachine, "ShouldKeepForever": false, "Unit": "Items"}
	if l.KeepOnMachine == 0 {
		keep = forever("Items")
	}
	return obj{
		"Id": l.ID, "SpaceId": l.Space, "Name": l.Name, "Slug": l.Slug, "Description": l.Description,
		"ReleaseRetentionPolicy": forever("Days"), "TentacleRetentionPolicy": keep, "Phases": each(l.Phases, showPhase),
		"Links": obj{"Self": self, "Preview": self + "/preview", "Projects": self + "/projects"},
	}
}

func forever(unit string) obj {
	return obj{"Strategy": "Forever", "QuantityToKeep": 0, "ShouldKeepForever": true, "Unit": unit}
}

func showPhase(p deploy.Phase) obj {
	return obj{
		"Id": p.ID, "Name": p.Name, "AutomaticDeploymentTargets": []string{},
		"OptionalDeploymentTargets":          list(p.Environments),
		"MinimumEnvironmentsBeforePromotion": p.Minimum, "IsOptionalPhase": p.IsOptional, "IsPriorityPhase": false,
		"ReleaseRetentionPolicy": nil, "TentacleRetentionPolicy": nil,
	}
}

func (a *api) listLifecycles(c *call) error {
	all, err := a.Catalog.Lifecycles(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all = chosen(c, all, func(l deploy.Lifecycle) (string, string) { return string(l.ID), l.Name })
	return paged(c, "Lifecycle", all, showLifecycle)
}

func (a *api) allLifecycles(c *call) error {
	all, err := a.Catalog.Lifecycles(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showLifecycle))
}

func (a *api) getLifecycle(c *call) error {
	l, err := a.Catalog.Lifecycle(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showLifecycle(l))
}
