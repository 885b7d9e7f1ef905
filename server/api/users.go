// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/catalog"
	"fairlead/server/identity"
)

func showUser(u deploy.User) obj {
	self := "/api/users/" + string(u.ID)
	return obj{
		"Id": u.ID, "Username": u.Name, "DisplayName": u.DisplayName, "EmailAddress": u.Email, "IsActive": u.IsActive,
		"IsService": u.IsService, "IsRequestor": false, "CanPasswordBeEdited": !u.IsService,
		"HasPassword": u.PasswordHash != "",
		"Identities":  []obj{},
		"Links": obj{
			"Self": self, "Spaces": self + "/spaces", "ApiKeys": self + "/apikeys{/id}{?skip,take}",
			"Permissions": self + "/permissions", "PermissionsConfiguration": self + "/permissions/configuration",
			"Teams": self + "/teams{?spaces,includeSystem}",
		},
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
	all = slices.DeleteFunc(all, func(u deploy.User) bool {
		return !strings.Contains(strings.ToLower(u.Name), filter) && !strings.Contains(strings.ToLower(u.DisplayName), filter)
	})
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

func (a *api) getUser(c *call) error {
	user, err := a.Directory.User(c.ctx(), c.principal, userID(c))
	if err != nil {
		return err
	}
	return c.ok(showUser(user))
}

type userRequest struct {
	Username, DisplayName, EmailAddress string
	Password                            string
	IsActive                            *bool
	IsService                           bool
}

func (c *call) userDraft() (identity.UserDraft, error) {
	var q userRequest
	err := c.decode(&q)
	return identity.UserDraft{
		Name: q.Username, DisplayName: q.DisplayName, Email: q.EmailAddress, Password: q.Password,
		IsActive: q.IsActive, IsService: q.IsService,
	}, err
}

// createUser lets everybody in whom it makes: clients leave IsActive out or send false for a new user.
func (a *api) createUser(c *call) error {
	draft, err := c.userDraft()
	if err != nil {
		return err
	}
	draft.IsActive = nil
	user, err := a.Directory.CreateUser(c.ctx(), c.principal, draft)
	if err != nil {
		return err
	}
	return c.created(showUser(user))
}

func (a *api) editUser(c *call) error {
	draft, err := c.userDraft()
	if err != nil {
		return err
	}
	user, err := a.Directory.EditUser(c.ctx(), c.principal, userID(c), draft)
	if err != nil {
		return err
	}
	return c.ok(showUser(user))
}

func (a *api) deleteUser(c *call) error {
	if err := a.Directory.DeleteUser(c.ctx(), c.principal, userID(c)); err != nil {
		return err
	}
	return c.deleted()
}

// userSpaces are those in which the user has a permission.
func (a *api) userSpaces(c *call) error {
	of, _, err := a.Directory.Rights(c.ctx(), c.principal, userID(c))
	if err != nil {
		return err
	}
	all, err := a.Catalog.Spaces(c.ctx(), of)
	if err != nil {
		return err
	}
	return c.ok(each(all, showSpace))
}

// userTeams answers a bare list.
func (a *api) userTeams(c *call) error {
	_, teams, err := a.Directory.Rights(c.ctx(), c.principal, userID(c))
	if err != nil {
		return err
	}
	return c.ok(each(teams, showTeam))
}

// userPermissions tells for each permission of a space where it holds: one entry without restrictions means
// everywhere.
func (a *api) userPermissions(c *call) error {
	of, teams, err := a.Directory.Rights(c.ctx(), c.principal, userID(c))
	if err != nil {
		return err
	}
	spaces, err := a.Catalog.Spaces(c.ctx(), of)
	if err != nil {
		return err
	}
	space, system := obj{}, []string{}
	for _, p := range identity.Everything() {
		where := restrictionsOf(of, p, spaces)
		switch {
		case p == identity.SignedIn || identity.IsSystemPermission(p) && !of.Permissions.Has(p):
		case identity.IsSystemPermission(p):
			system = append(system, string(p))
		case len(where) > 0:
			space[string(p)] = where
		}
	}
	self := "/api/users/" + string(of.User.ID) + "/permissions"
	return c.ok(obj{
		"Id": of.User.ID, "SpacePermissions": space, "SystemPermissions": system,
		"Teams": each(teams, func(t deploy.Team) obj {
			return obj{
				"Id": t.ID, "Name": t.Name,
				"SpaceId": idOrNull(t.Space),
			}
		}),
		"IsPermissionsComplete": true,
		"IsTeamsComplete":       true,
		"Links":                 obj{"Self": self, "User": "/api/users/" + string(of.User.ID)},
	})
}

func restrictionsOf(of identity.Principal, p identity.Permission, spaces []catalog.SpaceDetail) (all []obj) {
	for _, s := range spaces {
		all = append(all, restrictionsIn(of.In(s.ID), p)...)
	}
	return all
}

func restrictionsIn(of identity.Principal, p identity.Permission) []obj {
	shown := func(g identity.Grant) obj {
		return obj{
			"SpaceId": of.SpaceID(), "RestrictedToProjectIds": list(g.Projects),
			"RestrictedToProjectGroupIds": list(g.Groups), "RestrictedToEnvironmentIds": list(g.Environments),
			"RestrictedToTenantIds": []string{},
		}
	}
	if of.Permissions.Has(p) {
		return []obj{shown(identity.Grant{})}
	}
	all := []obj{}
	for _, g := range of.Grants {
		if g.Permissions.Has(p) {
			all = append(all, shown(g))
		}
	}
	return all
}

// getAuthentication tells how a user can sign in.
func (a *api) getAuthentication(c *call) error {
	return c.ok(obj{
		"AuthenticationProviders": []obj{{
			"Name": "Octopus", "IdentityType": "UsernamePassword", "FormsLoginEnabled": true, "IsBuiltIn": true, "Links": obj{},
		}},
		"Links": obj{},
	})
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

func (a *api) getKey(c *call) error {
	keys, err := a.Directory.Keys(c.ctx(), c.principal, userID(c))
	if err != nil {
		return err
	}
	for _, k := range keys {
		if strings.EqualFold(string(k.ID), c.param("key")) {
			return c.ok(showKey(k))
		}
	}
	return errkind.NotFound.Errorf("there is no API key %.80q", c.param("key"))
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
