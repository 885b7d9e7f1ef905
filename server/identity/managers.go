// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// SpaceManagerRoleID is the built-in role that may do everything within a space.
const SpaceManagerRoleID deploy.RoleID = "userroles-spacemanager"

// SpaceManagers are who may do everything within a space: people, by the built-in team of the space, and teams.
type SpaceManagers struct {
	Members []deploy.UserID
	Teams   []deploy.TeamID // without the built-in ones
}

// Change reports whether these are others than the managers that a space has; nil lists name none. Who changes
// them has the rights of a manager himself. Errors: Denied.
func (m *SpaceManagers) Change(r store.Reader, p Principal, space deploy.SpaceID) (bool, error) {
	old, err := ManagersOf(r, space)
	if err != nil {
		return false, err
	}
	if m.Members == nil {
		m.Members = old.Members
	}
	if m.Teams == nil {
		m.Teams = old.Teams
	}
	m.Teams = slices.DeleteFunc(slices.Clone(m.Teams), func(id deploy.TeamID) bool {
		return id == AdministratorsTeamID || id == ManagersTeam(space)
	})
	if sameSet(m.Members, old.Members) && sameSet(m.Teams, old.Teams) {
		return false, nil
	}
	return true, p.mayManage(r, space)
}

// mayManage refuses to choose the managers of a space without having all that a manager has, and all that somebody
// has given to their team besides. Errors: Denied.
func (p Principal) mayManage(r store.Reader, space deploy.SpaceID) error {
	stored, err := findTeam(r, ManagersTeam(space))
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return err
	}
	return p.mayGiveAll(r, managersTeam(space), stored)
}

func sameSet[T ~string](a, b []T) bool { return all(a, b) && all(b, a) }

// ManagersTeam is the built-in team of a space.
func ManagersTeam(space deploy.SpaceID) deploy.TeamID {
	return deploy.TeamID("teams-spacemanagers-" + string(space))
}

// managersTeam is what the team is until somebody changes it. Its name is unique in the installation.
func managersTeam(space deploy.SpaceID) deploy.Team {
	team := deploy.Team{
		ID: ManagersTeam(space), Space: space, Name: "Space Managers " + string(space),
		Description: "May do everything within the space.",
		Roles: []deploy.ScopedRole{{
			ID: deploy.ScopedRoleID("scopeduserroles-spacemanagers-" + string(space)), Role: SpaceManagerRoleID, Space: space,
		}},
	}
	if space == deploy.DefaultSpace {
		team.Name, team.Roles[0].ID = "Space Managers", "scopeduserroles-spacemanagers"
	}
	return team
}

// manages reports whether a scoped role makes a team a manager of a space.
func manages(r deploy.ScopedRole, space deploy.SpaceID) bool {
	return r.Role == SpaceManagerRoleID && r.Space.OrDefault() == space &&
		len(r.Projects)+len(r.Groups)+len(r.Environments) == 0
}

// ManagersOf reads the managers of a space.
func ManagersOf(r store.Reader, space deploy.SpaceID) (m SpaceManagers, err error) {
	teams, err := allTeams(r)
	for _, t := range teams {
		switch {
		case t.ID == ManagersTeam(space):
			m.Members = t.Members
		case slices.ContainsFunc(t.Roles, func(r deploy.ScopedRole) bool { return manages(r, space) }):
			m.Teams = append(m.Teams, t.ID)
		}
	}
	return m, err
}

// PutManagers makes those the managers of a space, and no others. Errors: Invalid (no such user or team,
// or one of another space), Exhausted.
func PutManagers(w store.Writer, space deploy.SpaceID, m SpaceManagers) error {
	built, err := findTeam(w, ManagersTeam(space))
	if err != nil {
		return err
	}
	err = fillTeam(w, &built, TeamDraft{Name: built.Name, Description: built.Description, Members: m.Members})
	if err != nil {
		return err
	}
	if err := w.PutTeam(built); err != nil {
		return err
	}
	for _, id := range m.Teams {
		t, err := findTeam(w, id)
		if err != nil {
			return asInvalid(err)
		}
		if t.Space != "" && t.Space != space {
			return errkind.Invalid.Errorf("team %s is of space %s and manages nothing in %s", t.Name, t.Space, space)
		}
	}
	teams, err := allTeams(w)
	if err != nil {
		return err
	}
	for _, t := range teams {
		if t.ID == built.ID || t.ID == AdministratorsTeamID {
			continue
		}
		if err := putManager(w, t, space, slices.Contains(m.Teams, t.ID)); err != nil {
			return err
		}
	}
	return nil
}

// putManager gives a team the role of a manager, or takes it away.
func putManager(w store.Writer, t deploy.Team, space deploy.SpaceID, wanted bool) error {
	is := slices.ContainsFunc(t.Roles, func(r deploy.ScopedRole) bool { return manages(r, space) })
	if is == wanted {
		return nil
	}
	if !wanted {
		t.Roles = slices.DeleteFunc(slices.Clone(t.Roles), func(r deploy.ScopedRole) bool { return manages(r, space) })
		return w.PutTeam(t)
	}
	if len(t.Roles) >= maxTeamRoles {
		return errkind.Exhausted.Errorf("team %s has %d roles: limit is %d", t.Name, len(t.Roles), maxTeamRoles)
	}
	id, err := w.NextID("ScopedUserRoles")
	if err != nil {
		return err
	}
	t.Roles = append(slices.Clone(t.Roles), deploy.ScopedRole{
		ID: deploy.ScopedRoleID(id), Role: SpaceManagerRoleID, Space: space,
	})
	return w.PutTeam(t)
}

// LeaveSpace deletes the teams of a space that goes, and what other teams give there.
func LeaveSpace(w store.Writer, space deploy.SpaceID) error {
	teams, err := w.Teams()
	if err != nil {
		return err
	}
	for _, t := range teams {
		of := func(r deploy.ScopedRole) bool { return r.Space == space }
		switch {
		case t.Space == space:
			err = w.DeleteTeam(t.ID)
		case slices.ContainsFunc(t.Roles, of):
			t.Roles = slices.DeleteFunc(slices.Clone(t.Roles), of)
			err = w.PutTeam(t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
