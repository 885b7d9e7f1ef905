// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// The built-in teams.
const (
	AdministratorsTeamID deploy.TeamID = "teams-administrators"
	EveryoneTeamID       deploy.TeamID = "teams-everyone"
	ManagersTeamID       deploy.TeamID = "teams-spacemanagers-Spaces-1"
)

const (
	maxDescriptionCharacters = 10_000
	// maxMembers and maxTeamRoles bound one team.
	maxMembers   = 1_000
	maxTeamRoles = 100
)

// builtInTeams is what those of the installation are until somebody changes them.
func builtInTeams() []deploy.Team {
	return []deploy.Team{
		{
			ID: AdministratorsTeamID, Name: "Fairlead Administrators", Members: []deploy.UserID{AdministratorID},
			Description: "May do everything.",
			Roles:       []deploy.ScopedRole{{ID: "scopeduserroles-administrators", Role: AdministratorRoleID}},
		},
		{ID: EveryoneTeamID, Name: "Everyone", Description: "Everybody who is let in."},
	}
}

// IsBuiltInTeam reports whether every installation, or every space, has the team.
func IsBuiltInTeam(id deploy.TeamID) bool {
	return slices.ContainsFunc(builtInTeams(), func(t deploy.Team) bool { return t.ID == id }) ||
		strings.HasPrefix(string(id), string(ManagersTeam("")))
}

// allTeams lists stored teams, and the built-in ones that nobody has changed, by name.
func allTeams(r store.Reader) ([]deploy.Team, error) {
	teams, err := r.Teams()
	if err != nil {
		return nil, err
	}
	spaces, err := store.EverySpace(r)
	all := builtInTeams()
	for _, s := range spaces {
		all = append(all, managersTeam(s.ID))
	}
	for _, builtIn := range all {
		if !slices.ContainsFunc(teams, func(t deploy.Team) bool { return t.ID == builtIn.ID }) {
			teams = append(teams, builtIn)
		}
	}
	slices.SortStableFunc(teams, func(a, b deploy.Team) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return teams, err
}

func findTeam(r store.Reader, id deploy.TeamID) (deploy.Team, error) {
	teams, err := allTeams(r)
	if err != nil {
		return deploy.Team{}, err
	}
	for _, t := range teams {
		if strings.EqualFold(string(t.ID), string(id)) {
			return t, nil
		}
	}
	return deploy.Team{}, errkind.NotFound.Errorf("there is no team %.80q", id)
}

// teamsOf lists the teams that a user is in.
func teamsOf(r store.Reader, user deploy.UserID) ([]deploy.Team, error) {
	teams, err := allTeams(r)
	return slices.DeleteFunc(teams, func(t deploy.Team) bool {
		return t.ID != EveryoneTeamID && !slices.Contains(t.Members, user)
	}), err
}

// IsInTeam reports whether a user is in one of the teams named by id, built-in ones among them.
func IsInTeam(r store.Reader, user deploy.UserID, teams []string) (bool, error) {
	his, err := teamsOf(r, user)
	return slices.ContainsFunc(his, func(t deploy.Team) bool {
		return slices.ContainsFunc(teams, func(id string) bool { return strings.EqualFold(id, string(t.ID)) })
	}), err
}

// MissingTeams are those of the ids that no team has, in their order.
func MissingTeams(r store.Reader, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	teams, err := allTeams(r)
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(teams, func(t deploy.Team) bool { return strings.EqualFold(id, string(t.ID)) })
	}), err
}

func leaveTeams(w store.Writer, user deploy.UserID) error {
	teams, err := w.Teams()
	if err != nil {
		return err
	}
	for _, t := range teams {
		if !slices.Contains(t.Members, user) {
			continue
		}
		t.Members = slices.DeleteFunc(t.Members, func(m deploy.UserID) bool { return m == user })
		if err := w.PutTeam(t); err != nil {
			return err
		}
	}
	return nil
}

// rightsOf are those that teams give.
func rightsOf(r store.Reader, teams ...deploy.Team) (given *claims, err error) {
	roles, err := userRoles(r)
	given = &claims{}
	for _, team := range teams {
		given.addTeam(team, roles)
	}
	return given, err
}

// mayGiveAll refuses to add to, or take from, what teams give without having it. Errors: Denied.
func (p Principal) mayGiveAll(r store.Reader, teams ...deploy.Team) error {
	given, err := rightsOf(r, teams...)
	if err != nil {
		return err
	}
	return p.mayGive(given)
}

// TeamDraft is what may be chosen of a team.
type TeamDraft struct {
	Name, Description string
	Members           []deploy.UserID
	// Space is for a new team; "" makes one of the installation.
	Space deploy.SpaceID
}

// Teams lists all teams by name. Errors: Denied.
func (d *Directory) Teams(ctx context.Context, p Principal) (teams []deploy.Team, err error) {
	if err := p.Need(TeamView); err != nil {
		return nil, err
	}
	err = d.store.View(ctx, func(r store.Reader) (err error) {
		teams, err = allTeams(r)
		return err
	})
	return teams, err
}

// Team reads one. Errors: Denied, NotFound.
func (d *Directory) Team(ctx context.Context, p Principal, id deploy.TeamID) (team deploy.Team, err error) {
	if err := p.Need(TeamView); err != nil {
		return team, err
	}
	err = d.store.View(ctx, func(r store.Reader) (err error) {
		team, err = findTeam(r, id)
		return err
	})
	return team, err
}

// CreateTeam adds one. Errors: Denied, Invalid, Conflict, Exhausted.
func (d *Directory) CreateTeam(ctx context.Context, p Principal, draft TeamDraft) (deploy.Team, error) {
	return d.writeTeam(ctx, p, func(w store.Writer, team *deploy.Team) (deploy.Event, error) {
		teams, err := w.Teams()
		if err != nil {
			return deploy.Event{}, err
		}
		if len(teams) >= maxTeams {
			return deploy.Event{}, errkind.Exhausted.Errorf("there are %d teams: limit is %d", len(teams), maxTeams)
		}
		id, err := w.NextID("Teams")
		if err != nil {
			return deploy.Event{}, err
		}
		if team.ID, team.Space = deploy.TeamID(id), draft.Space; team.Space != "" {
			err = checkScopeSpace(w, deploy.Team{}, &deploy.ScopedRole{Space: draft.Space})
		}
		if err != nil {
			return deploy.Event{}, err
		}
		err = fillTeam(w, team, draft)
		return said("TeamAdded", team.ID, "team %s was added with %s", team.Name, memberCount(team.Members)), err
	})
}

// memberCount is how many there are, in words.
func memberCount(members []deploy.UserID) string {
	if len(members) == 1 {
		return "1 member"
	}
	return fmt.Sprintf("%d members", len(members))
}

// EditTeam changes one. Errors: Denied, NotFound, Invalid, Conflict.
func (d *Directory) EditTeam(ctx context.Context, p Principal, id deploy.TeamID, draft TeamDraft) (deploy.Team, error) {
	return d.writeTeam(ctx, p, func(w store.Writer, team *deploy.Team) (deploy.Event, error) {
		var err error
		if *team, err = findTeam(w, id); err != nil {
			return deploy.Event{}, err
		}
		if team.ID == EveryoneTeamID {
			draft.Members = nil // they are not counted
		}
		if team.ID == AdministratorsTeamID && !slices.Contains(draft.Members, AdministratorID) {
			return deploy.Event{}, errkind.Invalid.Errorf("the built-in administrator stays in the team %s", team.Name)
		}
		if IsBuiltInTeam(team.ID) {
			draft.Name = team.Name
		}
		err = fillTeam(w, team, draft)
		return said("TeamEdited", team.ID, "team %s was changed: it has %s", team.Name, memberCount(team.Members)), err
	})
}

// writeTeam stores a team that f made or changed, if the principal has every right that it gives and gave. Errors:
// Denied.
func (d *Directory) writeTeam(
	ctx context.Context, p Principal, f func(store.Writer, *deploy.Team) (deploy.Event, error),
) (team deploy.Team, err error) {
	if err := p.Need(TeamEdit); err != nil {
		return team, err
	}
	err = d.change(ctx, p, func(w store.Writer) (deploy.Event, error) {
		team = deploy.Team{}
		event, err := f(w, &team)
		if err != nil {
			return event, err
		}
		old, err := findTeam(w, team.ID)
		if err != nil && errkind.Of(err) != errkind.NotFound {
			return event, err
		}
		if err := p.mayGiveAll(w, old, team); err != nil {
			return event, err
		}
		if err := p.mayStaff(w, old, team); err != nil {
			return event, err
		}
		return event, w.PutTeam(team)
	})
	return team, err
}

func fillTeam(r store.Reader, team *deploy.Team, draft TeamDraft) error {
	name, err := checkName("a team", draft.Name)
	if err != nil {
		return err
	}
	teams, err := allTeams(r)
	if err != nil {
		return err
	}
	for _, other := range teams {
		if other.ID != team.ID && strings.EqualFold(other.Name, name) {
			return errkind.Conflict.Errorf("a team with the name %s exists already", name)
		}
	}
	if utf8.RuneCountInString(draft.Description) > maxDescriptionCharacters {
		return errkind.Invalid.Errorf("the description has more than %d characters", maxDescriptionCharacters)
	}
	if len(draft.Members) > maxMembers {
		return errkind.Invalid.Errorf("a team has %d members: limit is %d", len(draft.Members), maxMembers)
	}
	for _, id := range draft.Members {
		if _, err := findUser(r, id); err != nil {
			return asInvalid(err)
		}
	}
	members := slices.Sorted(slices.Values(draft.Members))
	team.Name, team.Description, team.Members = name, draft.Description, slices.Compact(members)
	return nil
}

// asInvalid makes a broken rule of a thing that a request names and that there is not.
func asInvalid(err error) error {
	if errkind.Of(err) == errkind.NotFound {
		return errkind.Invalid.Errorf("%s", err.Error())
	}
	return err
}

// DeleteTeam removes one with the roles it gives, if the principal has every right in them. Errors: Denied, NotFound,
// Invalid (it is built in).
func (d *Directory) DeleteTeam(ctx context.Context, p Principal, id deploy.TeamID) error {
	if err := p.Need(TeamEdit); err != nil {
		return err
	}
	return d.change(ctx, p, func(w store.Writer) (deploy.Event, error) {
		team, err := findTeam(w, id)
		if err != nil {
			return deploy.Event{}, err
		}
		if IsBuiltInTeam(team.ID) {
			return deploy.Event{}, errkind.Invalid.Errorf("the team %s is built in and cannot be deleted", team.Name)
		}
		if err := p.mayGiveAll(w, team); err != nil {
			return deploy.Event{}, err
		}
		if err := p.mayStaff(w, team, deploy.Team{ID: team.ID, Name: team.Name}); err != nil {
			return deploy.Event{}, err
		}
		return said("TeamDeleted", team.ID, "team %s was deleted", team.Name), w.DeleteTeam(team.ID)
	})
}
