// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"slices"

	"fairlead/internal/deploy"
	"fairlead/server/catalog"
)

func showEnvironment(e deploy.Environment) obj {
	self := spacePath + "environments/" + string(e.ID)
	return withKept(e.Kept, obj{
		"Id": e.ID, "SpaceId": e.Space, "Name": e.Name, "Slug": e.Slug, "Description": e.Description,
		"SortOrder": e.SortOrder, "UseGuidedFailure": e.UseGuidedFailure, "AllowDynamicInfrastructure": e.AllowDynamic,
		"Type": "Static", "EnvironmentTags": []string{}, "ExtensionSettings": []obj{},
		"Links": obj{"Self": self, "Machines": self +
			"/machines{?skip,take,partialName,roles,isDisabled,healthStatuses,commStyles}"},
	})
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
	Name                       string
	Description                string
	SortOrder                  int
	UseGuidedFailure           bool
	AllowDynamicInfrastructure *bool
	EnvironmentTags            json.RawMessage
	ExtensionSettings          json.RawMessage
}

func (c *call) environmentDraft() (catalog.EnvironmentDraft, error) {
	var q environmentRequest
	err := c.decode(&q)
	return catalog.EnvironmentDraft{
		Name: q.Name, Description: q.Description, SortOrder: q.SortOrder, UseGuidedFailure: q.UseGuidedFailure,
		AllowDynamic: q.AllowDynamicInfrastructure == nil || *q.AllowDynamicInfrastructure,
		Kept:         keep(members{"EnvironmentTags": q.EnvironmentTags, "ExtensionSettings": q.ExtensionSettings}),
	}, err
}

func (a *api) sortEnvironments(c *call) error {
	var ids []string
	if err := c.decode(&ids); err != nil {
		return err
	}
	if err := a.Catalog.SortEnvironments(c.ctx(), c.principal, ids); err != nil {
		return err
	}
	return a.allEnvironments(c)
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
	wanted, err := a.wantedMachines(c)
	if err != nil {
		return err
	}
	return a.answerMachines(c, func(m *deploy.Machine) bool { return slices.Contains(m.Environments, e.ID) && wanted(m) })
}
