// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"maps"
	"slices"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// AdministratorRoleID is the built-in role that may do everything.
const AdministratorRoleID deploy.RoleID = "userroles-systemadministrator"

// systemPermissions are about the installation, not about what is in a space: a scope is no
// restriction to them, and a role has them in a list of its own.
func systemPermissions() []Permission {
	return []Permission{UserView, UserEdit, TeamView, TeamEdit, RoleView, RoleEdit, ConfigureServer, ServerAdmin}
}

// builtInRoles lists the roles that every installation has; they never change. The words are those
// of Octopus Deploy.
func builtInRoles() []deploy.UserRole {
	views := []Permission{
		EnvironmentView, MachineView, LifecycleView, ProjectView, VariableView, LibraryView, PackageView, ReleaseView,
		DeploymentView, TaskView, PolicyView, QuestionView, ArtifactView,
	}
	contribute := with(views, ProjectEdit, ProcessEdit, VariableEdit, DefectReport, DefectResolve, ReleaseEdit)
	lead := with(contribute, ReleaseCreate, ReleaseDelete, QuestionAnswer, ArtifactEdit, ArtifactDelete)
	manage := slices.DeleteFunc(Everything(), func(p Permission) bool {
		return p == SignedIn || slices.Contains(systemPermissions(), p)
	})
	builtIn := func(id, name, description string, space, system []Permission) deploy.UserRole {
		return deploy.UserRole{
			ID: deploy.RoleID("userroles-" + id), Name: name, Description: description, Permissions: wordsOf(space),
			System: wordsOf(system),
		}
	}
	return []deploy.UserRole{
		builtIn("buildserver", "Build server", "Push packages, create releases and deploy them.",
			with(nil, PackageView, PackagePush, ProjectView, LifecycleView, EnvironmentView, ReleaseView, ReleaseCreate,
				DeploymentView, DeploymentCreate, TaskView), nil),
		builtIn("projectdeployer", "Deployment creator", "Deploy releases and watch how it goes.",
			with(views, DeploymentCreate, TaskCancel, QuestionAnswer), nil),
		builtIn("environmentmanager", "Environment manager", "Look after environments and the machines in them.",
			with(nil, EnvironmentView, EnvironmentEdit, MachineView, MachineEdit, PolicyView, PolicyEdit, LifecycleView,
				AccountView, AccountEdit, TaskView, TaskCreate, TokenView, TokenCreate), nil),
		builtIn("environmentviewer", "Environment viewer", "See environments and the machines in them.",
			with(nil, EnvironmentView, MachineView, PolicyView, LifecycleView), nil),
		builtIn("packagepublisher", "Package publisher", "Push packages.", with(nil, PackageView, PackagePush), nil),
		builtIn("projectcontributor", "Project contributor", "Edit projects, their process and their variables.",
			contribute, nil),
		builtIn("projectinitiator", "Project initiator", "Edit projects and add them.", contribute, nil),
		builtIn("projectlead", "Project lead", "Edit projects and create their releases.", lead, nil),
		builtIn("projectviewer", "Project viewer", "See projects, their releases and their deployments.", views, nil),
		builtIn("spacemanager", "Space manager", "Do everything within a space.", manage, nil),
		builtIn("systemadministrator", "System administrator", "Do everything.", manage, systemPermissions()),
		builtIn("systemmanager", "System manager", "Look after users and the server, not after who administers it.", nil,
			[]Permission{UserView, UserEdit, TeamView, TeamEdit, RoleView, ConfigureServer}),
	}
}

func with(list []Permission, more ...Permission) []Permission {
	return slices.Concat(list, more)
}

func wordsOf(list []Permission) []string {
	words := make([]string, 0, len(list))
	for _, p := range list {
		words = append(words, string(p))
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// IsBuiltInRole reports whether a role is one that every installation has.
func IsBuiltInRole(id deploy.RoleID) bool {
	return slices.ContainsFunc(builtInRoles(), func(r deploy.UserRole) bool { return r.ID == id })
}

// userRoles lists built-in and stored roles by name.
func userRoles(r store.Reader) ([]deploy.UserRole, error) {
	stored, err := r.UserRoles()
	roles := append(builtInRoles(), stored...)
	slices.SortStableFunc(roles, func(a, b deploy.UserRole) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return roles, err
}

func findRole(r store.Reader, id deploy.RoleID) (deploy.UserRole, error) {
	roles, err := userRoles(r)
	if err != nil {
		return deploy.UserRole{}, err
	}
	for _, role := range roles {
		if strings.EqualFold(string(role.ID), string(id)) {
			return role, nil
		}
	}
	return deploy.UserRole{}, errkind.NotFound.Errorf("there is no user role %.80q", id)
}

// permissionsOf are the permissions of a role. Words that this server does not know give nothing.
func permissionsOf(role deploy.UserRole) Set {
	var known []Permission
	for _, p := range Everything() {
		if slices.Contains(role.Permissions, string(p)) || slices.Contains(role.System, string(p)) {
			known = append(known, p)
		}
	}
	return NewSet(known...)
}

// rights collects what somebody may do.
type rights struct {
	everywhere []Permission
	grants     []Grant
}

// claims are what somebody may do in each space.
type claims struct {
	isAll        bool         // everything everywhere
	installation []Permission // hold wherever he is
	spaces       map[deploy.SpaceID]*rights
}

// in are the rights in one space.
func (c *claims) in(space deploy.SpaceID) rights {
	if c.isAll {
		return rights{everywhere: Everything()}
	}
	held := rights{everywhere: slices.Clone(c.installation)}
	if here := c.spaces[space]; here != nil {
		held.everywhere = append(held.everywhere, here.everywhere...)
		held.grants = here.grants
	}
	return held
}

// isOfSpace reports whether a permission is about what is in a space.
func isOfSpace(p Permission) bool { return p != SignedIn && !IsSystemPermission(p) }

// add gives the permissions of a role: those of a space in the space that the scope names, the others wherever
// he is. The built-in administrators' role has no bounds.
func (c *claims) add(role deploy.UserRole, scope deploy.ScopedRole) {
	if role.ID == AdministratorRoleID {
		c.isAll = true
	}
	space := scope.Space.OrDefault()
	var given rights
	given.add(role, scope)
	here := &rights{grants: given.grants}
	for _, p := range given.everywhere {
		if isOfSpace(p) {
			here.everywhere = append(here.everywhere, p)
		} else {
			c.installation = append(c.installation, p)
		}
	}
	if len(here.everywhere)+len(here.grants) == 0 {
		return
	}
	if c.spaces == nil {
		c.spaces = map[deploy.SpaceID]*rights{}
	}
	if held := c.spaces[space]; held != nil {
		here.everywhere, here.grants = append(here.everywhere, held.everywhere...), append(here.grants, held.grants...)
	}
	c.spaces[space] = here
}

// add gives the permissions of a role within the scope.
func (r *rights) add(role deploy.UserRole, scope deploy.ScopedRole) {
	grant := Grant{Projects: scope.Projects, Groups: scope.Groups, Environments: scope.Environments}
	var held []Permission
	for _, p := range permissionsOf(role).List() {
		if grant.restricts(p) {
			held = append(held, p)
		} else {
			r.everywhere = append(r.everywhere, p)
		}
	}
	if len(held) > 0 {
		grant.Permissions = NewSet(held...)
		r.grants = append(r.grants, grant)
	}
}

// principalOf says what a user may do: what his teams give, and what everybody who is let in may.
func principalOf(r store.Reader, user deploy.User) (Principal, error) {
	if user.ID == AdministratorID { // whatever the teams say, somebody can always put things right
		return Principal{User: user, Permissions: NewSet(Everything()...), claims: &claims{isAll: true}}, nil
	}
	held := &claims{installation: []Permission{SignedIn}}
	teams, err := allTeams(r)
	if err != nil {
		return Principal{}, err
	}
	roles, err := userRoles(r)
	if err != nil {
		return Principal{}, err
	}
	for _, team := range teams {
		if team.ID == EveryoneTeamID || slices.Contains(team.Members, user.ID) {
			held.addTeam(team, roles)
		}
	}
	here := held.in(deploy.DefaultSpace)
	return Principal{User: user, Permissions: NewSet(here.everywhere...), Grants: here.grants, claims: held}, nil
}

func (c *claims) addTeam(team deploy.Team, roles []deploy.UserRole) {
	for _, scoped := range team.Roles {
		for _, role := range roles {
			if role.ID == scoped.Role {
				c.add(role, scoped)
			}
		}
	}
}

// outranks returns nil if the principal may do all that a user may. Errors: Denied.
func (p Principal) outranks(r store.Reader, user deploy.User) error {
	other, err := principalOf(r, user)
	if err != nil {
		return err
	}
	return p.mayGive(other.claims)
}

// mayGive refuses to hand on a right that the principal does not have himself, in the space where it would hold.
// Errors: Denied.
func (p Principal) mayGive(given *claims) error {
	if given.isAll && (p.claims == nil || !p.claims.isAll) {
		return p.lack(ServerAdmin)
	}
	if err := p.mayGiveHere(rights{everywhere: given.installation}); err != nil {
		return err
	}
	for _, space := range slices.Sorted(maps.Keys(given.spaces)) {
		if err := p.In(space).mayGiveHere(*given.spaces[space]); err != nil {
			return err
		}
	}
	return nil
}

// mayGiveHere is mayGive for the space he acts in. Errors: Denied.
func (p Principal) mayGiveHere(given rights) error {
	for _, permission := range given.everywhere {
		if err := p.NeedEverywhere(permission); err != nil {
			return err
		}
	}
	for _, g := range given.grants {
		for _, permission := range g.Permissions.List() {
			covered := slices.ContainsFunc(p.Grants, func(own Grant) bool {
				return own.Permissions.Has(permission) && g.within(own, permission)
			})
			if !covered {
				if err := p.NeedEverywhere(permission); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
