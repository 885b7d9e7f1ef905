// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"

	"fairlead/internal/deploy"
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

func (a *api) editGroup(c *call) error {
	var q struct{ Name, Description string }
	if err := c.decode(&q); err != nil {
		return err
	}
	g, err := a.Catalog.EditGroup(c.ctx(), c.principal, c.param("id"), catalog.GroupDraft(q))
	if err != nil {
		return err
	}
	return c.ok(showGroup(g))
}

func (a *api) deleteGroup(c *call) error {
	if err := a.Catalog.DeleteGroup(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
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
