// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// maxPermissions bounds one role, and maxPermissionBytes one word of it.
const (
	maxPermissions     = 500
	maxPermissionBytes = 100
)

// RoleDraft is what may be chosen of a user role. Words that are no permission here are kept and give nothing.
type RoleDraft struct {
	Name, Description string
	Permissions       []string // within a space
	System            []string
}

// UserRoles lists all roles by name. Errors: Denied.
func (d *Directory) UserRoles(ctx context.Context, p Principal) (roles []deploy.UserRole, err error) {
	if err := p.Need(RoleView); err != nil {
		return nil, err
	}
	err = d.store.View(ctx, func(r store.Reader) (err error) {
		roles, err = userRoles(r)
		return err
	})
	return roles, err
}

// UserRole reads one. Errors: Denied, NotFound.
func (d *Directory) UserRole(ctx context.Context, p Principal, id deploy.RoleID) (role deploy.UserRole, err error) {
	if err := p.Need(RoleView); err != nil {
		return role, err
	}
	err = d.store.View(ctx, func(r store.Reader) (err error) {
		role, err = findRole(r, id)
		return err
	})
	return role, err
}

// CreateUserRole adds one. Errors: Denied, Invalid, Conflict, Exhausted.
func (d *Directory) CreateUserRole(ctx context.Context, p Principal, draft RoleDraft) (deploy.UserRole, error) {
	return d.writeRole(ctx, p, draft, "UserRoleAdded", func(w store.Writer) (role deploy.UserRole, err error) {
		roles, err := w.UserRoles()
		if err != nil {
			return role, err
		}
		if len(roles) >= maxRoles {
			return role, errkind.Exhausted.Errorf("there are %d user roles: limit is %d", len(roles), maxRoles)
		}
		id, err := w.NextID("UserRoles")
		return deploy.UserRole{ID: deploy.RoleID(id)}, err
	})
}

// EditUserRole changes one, for all who have it. Errors: Denied, NotFound, Invalid (it is built in), Conflict.
func (d *Directory) EditUserRole(ctx context.Context, p Principal, id deploy.RoleID, draft RoleDraft) (
	deploy.UserRole, error,
) {
	return d.writeRole(ctx, p, draft, "UserRoleEdited", func(w store.Writer) (deploy.UserRole, error) {
		return changeableRole(w, id)
	})
}

// writeRole stores a role, if the principal has every right that is and was in it. Errors: Denied.
func (d *Directory) writeRole(ctx context.Context, p Principal, draft RoleDraft, category string,
	begin func(store.Writer) (deploy.UserRole, error),
) (role deploy.UserRole, err error) {
	if err := p.Need(RoleEdit); err != nil {
		return role, err
	}
	err = d.change(ctx, p, func(w store.Writer) (deploy.Event, error) {
		if role, err = begin(w); err != nil {
			return deploy.Event{}, err
		}
		old := role
		if err := fillRole(w, &role, draft); err != nil {
			return deploy.Event{}, err
		}
		if err := p.mayGiveRole(w, old, role); err != nil {
			return deploy.Event{}, err
		}
		return said(category, role.ID, "user role %s has %d permissions", role.Name,
			len(role.Permissions)+len(role.System)), w.PutUserRole(role)
	})
	return role, err
}

// mayGiveRole asks for what a role gave and is to give: where the principal acts, as it may be given in any space,
// and wherever a team gives it already. Errors: Denied.
func (p Principal) mayGiveRole(r store.Reader, old, now deploy.UserRole) error {
	var given claims
	add := func(scope deploy.ScopedRole) {
		given.add(old, scope)
		given.add(now, scope)
	}
	add(deploy.ScopedRole{Space: p.SpaceID()})
	teams, err := allTeams(r)
	for _, t := range teams {
		for _, scope := range t.Roles {
			if scope.Role == now.ID {
				add(scope)
			}
		}
	}
	if err != nil {
		return err
	}
	return p.mayGive(&given)
}

func fillRole(r store.Reader, role *deploy.UserRole, draft RoleDraft) error {
	name, err := checkName("a user role", draft.Name)
	if err != nil {
		return err
	}
	roles, err := userRoles(r)
	if err != nil {
		return err
	}
	for _, other := range roles {
		if other.ID != role.ID && strings.EqualFold(other.Name, name) {
			return errkind.Conflict.Errorf("a user role with the name %s exists already", name)
		}
	}
	if utf8.RuneCountInString(draft.Description) > maxDescriptionCharacters {
		return errkind.Invalid.Errorf("the description has more than %d characters", maxDescriptionCharacters)
	}
	both := slices.Concat(draft.Permissions, draft.System)
	bad := func(word string) bool { return word == "" || len(word) > maxPermissionBytes || !isPrintable(word) }
	if len(both) > maxPermissions || slices.ContainsFunc(both, bad) {
		return errkind.Invalid.Errorf("a role has at most %d permissions, each a word of at most %d bytes", maxPermissions,
			maxPermissionBytes)
	}
	role.Name, role.Description = name, draft.Description
	role.Permissions, role.System = sortedWords(draft.Permissions), sortedWords(draft.System)
	return nil
}

func sortedWords(words []string) []string { return slices.Compact(slices.Sorted(slices.Values(words))) }

func changeableRole(r store.Reader, id deploy.RoleID) (deploy.UserRole, error) {
	role, err := findRole(r, id)
	if err == nil && IsBuiltInRole(role.ID) {
		err = errkind.Hinted(errkind.Invalid.Errorf("the user role %s is built in and does not change", role.Name),
			"add a role of your own")
	}
	return role, err
}

// DeleteUserRole removes one that no team gives. Errors: Denied, NotFound, Invalid.
func (d *Directory) DeleteUserRole(ctx context.Context, p Principal, id deploy.RoleID) error {
	if err := p.Need(RoleEdit); err != nil {
		return err
	}
	return d.change(ctx, p, func(w store.Writer) (deploy.Event, error) {
		role, err := changeableRole(w, id)
		if err != nil {
			return deploy.Event{}, err
		}
		teams, err := w.Teams()
		if err != nil {
			return deploy.Event{}, err
		}
		for _, t := range teams {
			if slices.ContainsFunc(t.Roles, func(s deploy.ScopedRole) bool { return s.Role == role.ID }) {
				return deploy.Event{}, errkind.Invalid.Errorf("the user role %s is in use: the team %s has it", role.Name, t.Name)
			}
		}
		return said("UserRoleDeleted", role.ID, "user role %s was deleted", role.Name), w.DeleteUserRole(role.ID)
	})
}
