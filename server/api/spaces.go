// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"fairlead/internal/deploy"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

func showSpace(s catalog.SpaceDetail) obj {
	id := string(s.ID)
	teams := append([]deploy.TeamID{identity.AdministratorsTeamID, identity.ManagersTeam(s.ID)}, s.Teams...)
	return obj{
		"Id": id, "Name": s.Name, "Slug": s.Slug, "Description": s.Description, "IsDefault": s.IsDefault(),
		"IsPrivate": false, "TaskQueueStopped": s.IsStopped, "SpaceManagersTeams": teams,
		"SpaceManagersTeamMembers": list(s.Members),
		"Links":                    obj{"Self": "/api/spaces/" + id, "SpaceHome": "/api/" + id, "Web": "/app#/spaces/" + id},
	}
}

func (a *api) listSpaces(c *call) error {
	all, err := a.Catalog.Spaces(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all = chosen(c, all, func(s catalog.SpaceDetail) (string, string) { return string(s.ID), s.Name })
	return paged(c, "Space", all, showSpace)
}

func (a *api) allSpaces(c *call) error {
	all, err := a.Catalog.Spaces(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showSpace))
}

func (a *api) getSpace(c *call) error {
	s, err := a.Catalog.Space(c.ctx(), c.principal, c.param("id"))
	if err != nil {
		return err
	}
	return c.ok(showSpace(s))
}

type spaceRequest struct {
	Name, Description        string
	TaskQueueStopped         bool
	SpaceManagersTeams       []deploy.TeamID
	SpaceManagersTeamMembers []deploy.UserID
}

func (c *call) spaceDraft() (catalog.SpaceDraft, error) {
	var q spaceRequest
	err := c.decode(&q)
	return catalog.SpaceDraft{
		Name: q.Name, Description: q.Description, IsStopped: q.TaskQueueStopped,
		SpaceManagers: identity.SpaceManagers{Members: q.SpaceManagersTeamMembers, Teams: q.SpaceManagersTeams},
	}, err
}

func (a *api) createSpace(c *call) error {
	draft, err := c.spaceDraft()
	if err != nil {
		return err
	}
	s, err := a.Catalog.CreateSpace(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showSpace(s))
}

func (a *api) editSpace(c *call) error {
	draft, err := c.spaceDraft()
	if err != nil {
		return err
	}
	s, err := a.Catalog.EditSpace(c.ctx(), c.principal, c.param("id"), draft)
	if err != nil {
		return err
	}
	return c.ok(showSpace(s))
}

func (a *api) deleteSpace(c *call) error {
	if err := a.Catalog.DeleteSpace(c.ctx(), c.principal, c.param("id")); err != nil {
		return err
	}
	return c.deleted()
}
