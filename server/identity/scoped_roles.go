// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// maxScope bounds how many places one scoped role names.
const maxScope = 1_000

// TeamRole is a scoped role with the team that gives it.
type TeamRole struct {
	Team deploy.TeamID
	deploy.ScopedRole
}

// ScopedRoles lists what all teams give, by team. Errors: Denied.
func (d *Directory) ScopedRoles(ctx context.Context, p Principal) (list []TeamRole, err error) {
	teams, err := d.Teams(ctx, p)
	for _, t := range teams {
		for _, r := range t.Roles {
			list = append(list, TeamRole{t.ID, r})
		}
	}
	return list, err
}

// ScopedRole finds one. Errors: Denied, NotFound.
func (d *Directory) ScopedRole(ctx context.Context, p Principal, id deploy.ScopedRoleID) (TeamRole, error) {
	list, err := d.ScopedRoles(ctx, p)
	if err != nil {
		return TeamRole{}, err
	}
	for _, r := range list {
		if strings.EqualFold(string(r.ID), string(id)) {
			return r, nil
		}
	}
	return TeamRole{}, noScopedRole(id)
}

func noScopedRole(id deploy.ScopedRoleID) error {
	return errkind.NotFound.Errorf("there is no scoped user role %.80q", id)
}

// AddScopedRole gives a role to a team. Errors: Denied (a right that the caller does not have himself),
// Invalid.
func (d *Directory) AddScopedRole(ctx context.Context, p Principal, given TeamRole) (TeamRole, error) {
	team, err := d.writeTeam(ctx, p, func(w store.Writer, team *deploy.Team) (event deploy.Event, err error) {
		if *team, err = findTeam(w, given.Team); err != nil {
			return event, asInvalid(err)
		}
		if len(team.Roles) >= maxTeamRoles {
			return event, errkind.Exhausted.Errorf("team %s has %d roles: limit is %d", team.Name, len(team.Roles), maxTeamRoles)
		}
		id, err := w.NextID("ScopedUserRoles")
		if err != nil {
			return event, err
		}
		given.ID = deploy.ScopedRoleID(id)
		role, err := checkScope(w, *team, &given.ScopedRole)
		if err != nil {
			return event, err
		}
		team.Roles = append(slices.Clone(team.Roles), given.ScopedRole)
		return said("ScopedUserRoleAdded", given.ID, "team %s was given the role %s", team.Name, role.Name), nil
	})
	given.Team = team.ID
	return given, err
}

// EditScopedRole changes role or scope; it stays with its team. Errors: Denied, NotFound, Invalid.
func (d *Directory) EditScopedRole(ctx context.Context, p Principal, given TeamRole) (TeamRole, error) {
	team, err := d.writeTeam(ctx, p, func(w store.Writer, team *deploy.Team) (event deploy.Event, err error) {
		i := 0
		if *team, i, err = teamWith(w, given.ID); err != nil {
			return event, err
		}
		given.ID = team.Roles[i].ID
		if IsBuiltInTeam(team.ID) && strings.HasPrefix(string(given.ID), "scopeduserroles-") {
			return event, errkind.Invalid.Errorf("the role of the team %s is built in", team.Name)
		}
		role, err := checkScope(w, *team, &given.ScopedRole)
		if err != nil {
			return event, err
		}
		team.Roles = slices.Clone(team.Roles)
		team.Roles[i] = given.ScopedRole
		return said("ScopedUserRoleEdited", given.ID, "what team %s is given by the role %s was changed", team.Name,
			role.Name), nil
	})
	given.Team = team.ID
	return given, err
}

// DeleteScopedRole takes a role away from its team. Errors: Denied, NotFound, Invalid.
func (d *Directory) DeleteScopedRole(ctx context.Context, p Principal, id deploy.ScopedRoleID) error {
	_, err := d.writeTeam(ctx, p, func(w store.Writer, team *deploy.Team) (event deploy.Event, err error) {
		i := 0
		if *team, i, err = teamWith(w, id); err != nil {
			return event, err
		}
		if IsBuiltInTeam(team.ID) && strings.HasPrefix(string(team.Roles[i].ID), "scopeduserroles-") {
			return event, errkind.Invalid.Errorf("the role of the team %s is built in", team.Name)
		}
		id = team.Roles[i].ID
		team.Roles = slices.Delete(slices.Clone(team.Roles), i, i+1)
		return said("ScopedUserRoleDeleted", id, "a role was taken away from team %s", team.Name), nil
	})
	return err
}

// teamWith finds the team that gives a scoped role, and where in its list.
func teamWith(r store.Reader, id deploy.ScopedRoleID) (deploy.Team, int, error) {
	teams, err := allTeams(r)
	if err != nil {
		return deploy.Team{}, 0, err
	}
	for _, t := range teams {
		i := slices.IndexFunc(t.Roles, func(s deploy.ScopedRole) bool { return strings.EqualFold(string(s.ID), string(id)) })
		if i >= 0 {
			return t, i, nil
		}
	}
	return deploy.Team{}, 0, noScopedRole(id)
}

// checkScope refuses a role or a place that there is not: a scope that names nothing must never come to
// mean everywhere. Errors: Invalid.
func checkScope(r store.Reader, team deploy.Team, s *deploy.ScopedRole) (deploy.UserRole, error) {
	role, err := findRole(r, s.Role)
	if err != nil {
		return role, asInvalid(err)
	}
	s.Role = role.ID
	if err := checkScopeSpace(r, team, s); err != nil {
		return role, err
	}
	if n := len(s.Projects) + len(s.Groups) + len(s.Environments); n > maxScope {
		return role, errkind.Invalid.Errorf("the scope names %d places: limit is %d", n, maxScope)
	}
	for _, id := range s.Projects {
		if p, err := r.Project(id); err != nil || p.Space != s.Space {
			return role, elsewhere("project", id, err)
		}
	}
	for _, id := range s.Environments {
		if e, err := r.Environment(id); err != nil || e.Space != s.Space {
			return role, elsewhere("environment", id, err)
		}
	}
	groups, err := r.ProjectGroups(s.Space)
	for _, id := range s.Groups {
		if !slices.ContainsFunc(groups, func(g deploy.ProjectGroup) bool { return g.ID == id }) {
			return role, errkind.Invalid.Errorf("there is no project group %.80q", id)
		}
	}
	return role, err
}

// checkScopeSpace settles the space: that of the team, if it has one. Errors: Invalid.
func checkScopeSpace(r store.Reader, team deploy.Team, s *deploy.ScopedRole) error {
	s.Space = cmp.Or(s.Space, team.Space).OrDefault()
	if team.Space != "" && s.Space != team.Space {
		return errkind.Invalid.Errorf("team %s is of space %s and gives nothing in %s", team.Name, team.Space, s.Space)
	}
	spaces, err := store.EverySpace(r)
	if err == nil && !slices.ContainsFunc(spaces, func(o deploy.Space) bool { return o.ID == s.Space }) {
		err = errkind.Invalid.Errorf("there is no space %.80q", s.Space)
	}
	return err
}

// elsewhere says that a thing is not in the space of the scope.
func elsewhere(what string, id any, err error) error {
	if err != nil && errkind.Of(err) != errkind.NotFound {
		return err
	}
	return errkind.Invalid.Errorf("there is no %s %q in the space of the role", what, id)
}
