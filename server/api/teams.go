// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"

	"fairlead/internal/deploy"
	"fairlead/server/identity"
)

func showTeam(t deploy.Team) obj {
	self, free := "/api/teams/"+string(t.ID), !identity.IsBuiltInTeam(t.ID)
	return obj{
		"Id": t.ID, "SpaceId": idOrNull(t.Space), "Name": t.Name, "Slug": deploy.Slug(t.Name), "Description": t.Description,
		"MemberUserIds": list(t.Members), "ExternalSecurityGroups": []obj{}, "CanBeDeleted": free, "CanBeRenamed": free,
		"CanChangeMembers": t.ID != identity.EveryoneTeamID, "CanChangeRoles": true,
		"Links": obj{"Self": self, "ScopedUserRoles": self + "/scopeduserroles{?skip,take}"},
	}
}

func teamKeys(t deploy.Team) (string, string) { return string(t.ID), t.Name }

func (a *api) listTeams(c *call) error {
	all, err := a.Directory.Teams(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all, err = ofSpaces(c, all, func(team deploy.Team) deploy.SpaceID { return team.Space })
	if err != nil {
		return err
	}
	return paged(c, "Team", chosen(c, all, teamKeys), showTeam)
}

func (a *api) allTeams(c *call) error {
	all, err := a.Directory.Teams(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(chosen(c, all, teamKeys), showTeam))
}

func (a *api) getTeam(c *call) error {
	team, err := a.Directory.Team(c.ctx(), c.principal, deploy.TeamID(c.param("id")))
	if err != nil {
		return err
	}
	return c.ok(showTeam(team))
}

type teamRequest struct {
	Name, Description      string
	MemberUserIDs          []deploy.UserID `json:"MemberUserIds"`
	ExternalSecurityGroups []obj
	SpaceID                deploy.SpaceID `json:"SpaceId"`
}

func (c *call) teamDraft() (identity.TeamDraft, error) {
	var q teamRequest
	err := c.decode(&q)
	var not later
	not.add(len(q.ExternalSecurityGroups) > 0, "a team of groups of another directory")
	if err == nil {
		err = not.err()
	}
	return identity.TeamDraft{Name: q.Name, Description: q.Description, Members: q.MemberUserIDs, Space: q.SpaceID}, err
}

func (a *api) createTeam(c *call) error {
	draft, err := c.teamDraft()
	if err != nil {
		return err
	}
	team, err := a.Directory.CreateTeam(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showTeam(team))
}

func (a *api) editTeam(c *call) error {
	draft, err := c.teamDraft()
	if err != nil {
		return err
	}
	team, err := a.Directory.EditTeam(c.ctx(), c.principal, deploy.TeamID(c.param("id")), draft)
	if err != nil {
		return err
	}
	return c.ok(showTeam(team))
}

func (a *api) deleteTeam(c *call) error {
	if err := a.Directory.DeleteTeam(c.ctx(), c.principal, deploy.TeamID(c.param("id"))); err != nil {
		return err
	}
	return c.deleted()
}

func (a *api) teamRoles(c *call) error {
	team, err := a.Directory.Team(c.ctx(), c.principal, deploy.TeamID(c.param("id")))
	if err != nil {
		return err
	}
	return paged(c, "ScopedUserRole", team.Roles, func(r deploy.ScopedRole) obj {
		return showScopedRole(identity.TeamRole{Team: team.ID, ScopedRole: r})
	})
}

func showRole(r deploy.UserRole) obj {
	free := !identity.IsBuiltInRole(r.ID)
	return obj{
		"Id": r.ID, "Name": r.Name, "Description": r.Description, "GrantedSpacePermissions": list(r.Permissions),
		"GrantedSystemPermissions": list(r.System), "SpacePermissionDescriptions": []string{},
		"SystemPermissionDescriptions": []string{}, "SupportedRestrictions": []string{
			"Environments", "ProjectGroups",
			"Projects",
		},
		"CanBeDeleted": free, "CanBeEdited": free, "Links": obj{"Self": "/api/userroles/" + string(r.ID)},
	}
}

func roleKeys(r deploy.UserRole) (string, string) { return string(r.ID), r.Name }

func (a *api) listRoles(c *call) error {
	all, err := a.Directory.UserRoles(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return paged(c, "UserRole", chosen(c, all, roleKeys), showRole)
}

func (a *api) allRoles(c *call) error {
	all, err := a.Directory.UserRoles(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showRole))
}

func (a *api) getRole(c *call) error {
	role, err := a.Directory.UserRole(c.ctx(), c.principal, deploy.RoleID(c.param("id")))
	if err != nil {
		return err
	}
	return c.ok(showRole(role))
}

type roleRequest struct {
	Name, Description        string
	GrantedSpacePermissions  []string
	GrantedSystemPermissions []string
}

func (c *call) roleDraft() (identity.RoleDraft, error) {
	var q roleRequest
	err := c.decode(&q)
	return identity.RoleDraft{
		Name: q.Name, Description: q.Description, Permissions: q.GrantedSpacePermissions, System: q.GrantedSystemPermissions,
	}, err
}

func (a *api) createRole(c *call) error {
	draft, err := c.roleDraft()
	if err != nil {
		return err
	}
	role, err := a.Directory.CreateUserRole(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showRole(role))
}

func (a *api) editRole(c *call) error {
	draft, err := c.roleDraft()
	if err != nil {
		return err
	}
	role, err := a.Directory.EditUserRole(c.ctx(), c.principal, deploy.RoleID(c.param("id")), draft)
	if err != nil {
		return err
	}
	return c.ok(showRole(role))
}

func (a *api) deleteRole(c *call) error {
	if err := a.Directory.DeleteUserRole(c.ctx(), c.principal, deploy.RoleID(c.param("id"))); err != nil {
		return err
	}
	return c.deleted()
}

// spaceOfRole is "" for what holds in every space. Rows from before there were others have no space.
func spaceOfRole(r deploy.ScopedRole) deploy.SpaceID {
	if r.Role == identity.AdministratorRoleID {
		return ""
	}
	return r.Space.OrDefault()
}

func showScopedRole(r identity.TeamRole) obj {
	return obj{
		"Id": r.ID, "TeamId": r.Team, "UserRoleId": r.Role, "SpaceId": idOrNull(spaceOfRole(r.ScopedRole)),
		"ProjectIds":      list(r.Projects),
		"ProjectGroupIds": list(r.Groups), "EnvironmentIds": list(r.Environments), "TenantIds": []string{},
		"Links": obj{"Self": "/api/scopeduserroles/" + string(r.ID)},
	}
}

func (a *api) listScopedRoles(c *call) error {
	all, err := a.Directory.ScopedRoles(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	all, err = ofSpaces(c, all, func(r identity.TeamRole) deploy.SpaceID { return spaceOfRole(r.ScopedRole) })
	if err != nil {
		return err
	}
	return paged(c, "ScopedUserRole", chosen(c, all, func(r identity.TeamRole) (string, string) {
		return string(r.ID), string(r.Role)
	}), showScopedRole)
}

func (a *api) getScopedRole(c *call) error {
	r, err := a.Directory.ScopedRole(c.ctx(), c.principal, deploy.ScopedRoleID(c.param("id")))
	if err != nil {
		return err
	}
	return c.ok(showScopedRole(r))
}

type scopedRoleRequest struct {
	TeamID          deploy.TeamID           `json:"TeamId"`
	UserRoleID      deploy.RoleID           `json:"UserRoleId"`
	SpaceID         deploy.SpaceID          `json:"SpaceId"`
	ProjectIDs      []deploy.ProjectID      `json:"ProjectIds"`
	ProjectGroupIDs []deploy.ProjectGroupID `json:"ProjectGroupIds"`
	EnvironmentIDs  []deploy.EnvironmentID  `json:"EnvironmentIds"`
	TenantIDs       []string                `json:"TenantIds"`
}

func (c *call) scopedRole(id string) (identity.TeamRole, error) {
	var q scopedRoleRequest
	if err := c.decode(&q); err != nil {
		return identity.TeamRole{}, err
	}
	var not later
	not.add(len(q.TenantIDs) > 0, "a role for tenants") // left out, it would mean everywhere
	return identity.TeamRole{Team: q.TeamID, ScopedRole: deploy.ScopedRole{
		ID: deploy.ScopedRoleID(id), Role: q.UserRoleID, Space: q.SpaceID, Projects: sortedIDs(q.ProjectIDs),
		Groups:       sortedIDs(q.ProjectGroupIDs),
		Environments: sortedIDs(q.EnvironmentIDs),
	}}, not.err()
}

func sortedIDs[T ~string](ids []T) []T { return slices.Compact(slices.Sorted(slices.Values(ids))) }

func (a *api) addScopedRole(c *call) error {
	given, err := c.scopedRole("")
	if err != nil {
		return err
	}
	if given, err = a.Directory.AddScopedRole(c.ctx(), c.principal, given); err != nil {
		return err
	}
	return c.created(showScopedRole(given))
}

func (a *api) editScopedRole(c *call) error {
	given, err := c.scopedRole(c.param("id"))
	if err != nil {
		return err
	}
	if given, err = a.Directory.EditScopedRole(c.ctx(), c.principal, given); err != nil {
		return err
	}
	return c.ok(showScopedRole(given))
}

func (a *api) deleteScopedRole(c *call) error {
	if err := a.Directory.DeleteScopedRole(c.ctx(), c.principal, deploy.ScopedRoleID(c.param("id"))); err != nil {
		return err
	}
	return c.deleted()
}

// listPermissions names every permission there is.
func (a *api) listPermissions(c *call) error {
	all := obj{}
	for _, p := range identity.Everything() {
		if p == identity.SignedIn {
			continue
		}
		r := identity.RestrictionsOf(p)
		all[string(p)] = obj{
			"Description": string(p), "SupportedRestrictions": r, "CanApplyAtSpaceLevel": !identity.IsSystemPermission(p),
			"CanApplyAtSystemLevel": identity.IsSystemPermission(p),
		}
	}
	return c.ok(all)
}
