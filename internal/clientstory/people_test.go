// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/core"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/environments"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/events"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/teams"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/userroles"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/users"
)

func (o *office) users(t *testing.T) {
	service := o.client.Users
	me := try(service.GetMe()).must(t)
	equal(t, "active", me.IsActive, true)
	wish := users.NewUser("ada", "Ada")
	wish.Password, wish.EmailAddress = "correct horse 7", "ada@example.org"
	made := try(service.Add(wish)).must(t)
	made.DisplayName = "Ada L."
	equal(t, "name", try(service.Update(made)).must(t).DisplayName, "Ada L.")
	name := func(u *users.User) string { return u.Username }
	named(t, try(service.GetAll()).must(t), "ada", name)
	named(t, try(service.Get(users.UsersQuery{Filter: "ad", Take: 10})).must(t).Items, "ada", name)
	equal(t, "by id", try(users.GetByID(o.client, made.ID)).must(t).EmailAddress, "ada@example.org")
	o.browser(t, url.Values{"name": {"Ada"}, "password": {wish.Password}})
	service2 := users.NewUser("robot", "Robot")
	service2.IsService = true
	robot := try(service.Add(service2)).must(t)
	equal(t, "service", robot.IsService, true)
	equal(t, "spaces", len(try(service.GetSpaces(me)).must(t)), 1)
	equal(t, "teams", len(*try(service.GetTeams(me)).must(t)) > 0, true)
	equal(t, "permissions", len(try(service.GetPermissions(me)).must(t).SystemPermissions) > 0, true)
	try(service.GetAuthentication()).must(t)
	must(t, service.DeleteByID(robot.ID))
	must(t, service.DeleteByID(made.ID))
}

func (o *office) apiKeys(t *testing.T) {
	me := try(o.client.Users.GetMe()).must(t)
	wish := users.NewAPIKey("A pipeline", me.ID)
	expires := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	wish.Expires = &expires
	made := try(o.client.APIKeys.Create(wish)).must(t)
	equal(t, "key", made.APIKey[:4], "API-")
	equal(t, "expiry", made.Expires.Equal(expires), true)
	held := try(o.client.APIKeys.GetByUserID(me.ID)).must(t)
	one := named(t, held, "A pipeline", func(k *users.APIKey) string { return k.Purpose })
	equal(t, "hint", one.APIKey.Hint != "" && one.APIKey.NewValue == "", true)
	equal(t, "by id", try(o.client.APIKeys.GetByID(me.ID, made.ID)).must(t).Purpose, "A pipeline")
	equal(t, "by link", len(try(o.client.Users.GetAPIKeys(me)).must(t).Items), len(held))
	must(t, o.REST.Delete(t.Context(), "/api/users/"+me.ID+"/apikeys/"+made.ID))
}

func (o *office) teams(t *testing.T) {
	me := try(o.client.Users.GetMe()).must(t)
	wish := teams.NewTeam("Night Shift")
	wish.MemberUserIDs = []string{me.ID}
	made := try(o.client.Teams.Add(wish)).must(t)
	made.Description = "While others sleep"
	equal(t, "description", try(o.client.Teams.Update(made)).must(t).Description, "While others sleep")
	name := func(s *teams.Team) string { return s.Name }
	named(t, try(o.client.Teams.GetAll()).must(t), "Night Shift", name)
	named(t, try(o.client.Teams.GetByPartialName("night")).must(t), "Night Shift", name)
	roles := try(o.client.UserRoles.GetAll()).must(t)
	deployer := named(t, roles, "Deployment creator", func(r *userroles.UserRole) string { return r.Name })
	scoped := userroles.NewScopedUserRole(deployer.ID)
	scoped.TeamID, scoped.SpaceID, scoped.EnvironmentIDs = made.ID, space, []string{o.environmentID(t)}
	given := try(o.client.ScopedUserRoles.Add(scoped)).must(t)
	equal(t, "environments", len(try(o.client.ScopedUserRoles.GetByID(given.ID)).must(t).EnvironmentIDs), 1)
	equal(t, "roles of the team", len(try(o.client.Teams.GetScopedUserRoles(*made, core.SkipTakeQuery{Take: 10})).must(t).Items), 1)
	must(t, o.client.ScopedUserRoles.DeleteByID(given.ID))
	own := userroles.NewUserRole("Reader of all")
	own.GrantedSpacePermissions = []string{"ProjectView", "EnvironmentView"}
	role := try(o.client.UserRoles.Add(own)).must(t)
	equal(t, "permissions", len(try(o.client.UserRoles.GetByID(role.ID)).must(t).GrantedSpacePermissions), 2)
	must(t, o.client.UserRoles.DeleteByID(role.ID))
	must(t, o.client.Teams.Delete(made))
}

func (o *office) events(t *testing.T) {
	service := o.client.Events
	newest := try(service.Get(events.EventsQuery{Take: 5})).must(t).Items
	equal(t, "events of a page", len(newest), 5)
	equal(t, "order", newest[0].Occurred.Before(newest[4].Occurred), false)
	byCategory := try(service.Get(events.EventsQuery{EventCategories: []string{"Created"}, Take: 100})).must(t).Items
	for _, e := range byCategory {
		equal(t, "category", e.Category, "Created")
	}
	equal(t, "created things", len(byCategory) > 0, true)
	regarding := try(service.Get(events.EventsQuery{Regarding: o.environmentID(t), Take: 100})).must(t).Items
	equal(t, "events of the environment", len(regarding) > 0, true)
	future := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	equal(t, "events of the future", len(try(service.Get(events.EventsQuery{From: future})).must(t).Items), 0)
	equal(t, "categories", len(*try(service.GetCategories(events.EventCategoriesQuery{})).must(t)) > 0, true)
	equal(t, "document types", len(*try(service.GetDocumentTypes()).must(t)) > 0, true)
	equal(t, "groups", len(*try(service.GetGroups(events.EventGroupsQuery{})).must(t)) > 0, true)
	try(service.GetAgents()).must(t)
}

func (o *office) system(t *testing.T) {
	status := try(o.client.ServerStatus.Get()).must(t)
	equal(t, "maintenance", status.IsInMaintenanceMode, false)
	var certificate struct{ Thumbprint string }
	must(t, o.REST.Get(t.Context(), "/api/configuration/certificates/certificate-global", &certificate))
	equal(t, "thumbprint", certificate.Thumbprint != "", true)
}

// restrictedUser looks around with the key of somebody who may only look.
func (o *office) restrictedUser(t *testing.T) {
	wish := users.NewUser("visitor", "A visitor")
	wish.IsService = true
	visitor := try(o.client.Users.Add(wish)).must(t)
	team := teams.NewTeam("Visitors")
	team.MemberUserIDs = []string{visitor.ID}
	visitors := try(o.client.Teams.Add(team)).must(t)
	roles := try(o.client.UserRoles.GetAll()).must(t)
	viewer := named(t, roles, "Environment viewer", func(r *userroles.UserRole) string { return r.Name })
	scoped := userroles.NewScopedUserRole(viewer.ID)
	scoped.TeamID, scoped.SpaceID = visitors.ID, space
	try(o.client.ScopedUserRoles.Add(scoped)).must(t)
	key := try(o.client.APIKeys.Create(users.NewAPIKey("Looking", visitor.ID))).must(t)

	theirs := o.clientWith(t, key.APIKey)
	equal(t, "who it is", try(theirs.Users.GetMe()).must(t).ID, visitor.ID)
	named(t, try(theirs.Environments.GetAll()).must(t), environment, func(e *environments.Environment) string { return e.Name })
	err := try(theirs.Environments.Add(environments.NewEnvironment("Theirs"))).refused(t)
	contains(t, err.Error(), "lacks the permission")
	if err := theirs.Environments.DeleteByID(o.environmentID(t)); err == nil {
		t.Error("a visitor deleted an environment")
	}
	named(t, try(o.client.Environments.GetAll()).must(t), environment, func(e *environments.Environment) string { return e.Name })

	visitor.IsActive = false
	try(o.client.Users.Update(visitor)).must(t)
	try(theirs.Environments.GetAll()).refused(t)
	must(t, o.client.Teams.Delete(visitors))
	must(t, o.client.Users.DeleteByID(visitor.ID))
}

// emptyLists reads the lists of what this server does not have yet, on the way to which clients must not fail.
func (o *office) emptyLists(t *testing.T) {
	equal(t, "tenants", len(try(o.client.Tenants.GetAll()).must(t)), 0)
	equal(t, "tag sets", len(try(o.client.TagSets.GetAll()).must(t)), 0)
	equal(t, "workers", len(try(o.client.Workers.GetAll()).must(t)), 0)
	equal(t, "worker pools", len(try(o.client.WorkerPools.GetAll()).must(t)), 0)
	equal(t, "proxies", len(try(o.client.Proxies.GetAll()).must(t)), 0)
}
