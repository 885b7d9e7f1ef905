// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// teamID is the one team there is.
const teamID = "teams-administrators"

func showUser(u deploy.User) obj {
	self := "/api/users/" + string(u.ID)
	return obj{
		"Id": u.ID, "Username": u.Name, "DisplayName": u.DisplayName, "EmailAddress": "", "IsActive": u.IsActive,
		"IsService": u.IsService, "IsRequestor": false, "CanPasswordBeEdited": false, "Identities": []obj{},
		"Links": obj{"Self": self, "Spaces": self + "/spaces", "ApiKeys": self + "/apikeys{/id}{?skip,take}"},
	}
}

func (a *api) getMe(c *call) error {
	shown := showUser(c.principal.User)
	shown["IsRequestor"] = true
	shown["Permissions"] = list(c.principal.Permissions.List())
	return c.ok(shown)
}

func (a *api) listUsers(c *call) error {
	all, err := a.Directory.Users(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	filter := strings.ToLower(c.query()["filter"])
	all = slices.DeleteFunc(all, func(u deploy.User) bool { return !strings.Contains(strings.ToLower(u.Name), filter) })
	return paged(c, "User", chosen(c, all, func(u deploy.User) (string, string) { return string(u.ID), u.Name }), showUser)
}

func (a *api) allUsers(c *call) error {
	all, err := a.Directory.Users(c.ctx(), c.principal)
	if err != nil {
		return err
	}
	return c.ok(each(all, showUser))
}

// userID reads the user of the path; "me" is who asks.
func userID(c *call) deploy.UserID {
	id := c.param("id")
	const prefix = "users-"
	switch {
	case strings.EqualFold(id, "me"):
		return c.principal.User.ID
	case len(id) > len(prefix) && strings.EqualFold(id[:len(prefix)], prefix):
		return deploy.UserID("Users-" + id[len(prefix):])
	}
	return deploy.UserID(id)
}

func (a *api) userSpaces(c *call) error {
	if userID(c) != c.principal.User.ID {
		return errkind.Denied.Errorf("the spaces of others are not shown")
	}
	return a.allSpaces(c)
}

func showKey(k deploy.APIKey) obj {
	return obj{
		"Id": k.ID, "UserId": k.User, "Purpose": k.Purpose, "Created": at(k.CreatedAt), "Expires": at(k.ExpiresAt),
		"ApiKey": obj{"HasValue": true, "NewValue": nil, "Hint": k.Hint},
		"Links":  obj{"Self": "/api/users/" + string(k.User) + "/apikeys/" + string(k.ID)},
	}
}

func (a *api) listKeys(c *call) error {
	keys, err := a.Directory.Keys(c.ctx(), c.principal, userID(c))
	if err != nil {
		return err
	}
	return paged(c, "ApiKey", keys, showKey)
}

type keyRequest struct {
	Purpose string
	Expires *time.Time
}

func (a *api) createKey(c *call) error {
	var q keyRequest
	if err := c.decode(&q); err != nil {
		return err
	}
	var expires time.Time
	if q.Expires != nil {
		expires = *q.Expires
	}
	key, text, err := a.Directory.CreateKey(c.ctx(), c.principal, userID(c), q.Purpose, expires)
	if err != nil {
		return err
	}
	shown := showKey(key)
	shown["ApiKey"] = text
	return c.created(shown)
}

func (a *api) deleteKey(c *call) error {
	if err := a.Directory.DeleteKey(c.ctx(), c.principal, userID(c), deploy.KeyID(c.param("key"))); err != nil {
		return err
	}
	return c.deleted()
}

func showTeam(id string) obj {
	return obj{
		"Id": id, "SpaceId": nil, "Name": "Fairlead Administrators", "Description": "", "MemberUserIds": []string{"Users-1"},
		"CanBeDeleted": false, "CanBeRenamed": false, "CanChangeMembers": false, "CanChangeRoles": false,
		"Links": obj{"Self": "/api/teams/" + id},
	}
}

func (a *api) listTeams(c *call) error { return paged(c, "Team", []string{teamID}, showTeam) }

func (a *api) allTeams(c *call) error { return c.ok([]obj{showTeam(teamID)}) }
