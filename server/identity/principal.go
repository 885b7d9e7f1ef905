// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
	"maps"
	"slices"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// AdministratorID is the user that every installation starts with.
const AdministratorID deploy.UserID = "Users-1"

// SystemName is who acts when no user does; the audit trail shows it.
const SystemName = "system"

// Principal is who acts in one request. The zero Principal may do nothing.
type Principal struct {
	User deploy.User
	// Space is the one he acts in; "" is the default one. The zero value of all else is nothing.
	Space deploy.SpaceID
	// Permissions are those that hold everywhere in the space, Grants those that hold in some places only.
	Permissions Set
	Grants      []Grant
	// Key is the API key that let him in, directly or by the session it opened; "" for the
	// local administrator.
	Key deploy.KeyID
	// KeyExpiresAt is when that key ends; zero: never.
	KeyExpiresAt time.Time
	// FromSession is true when a browser's cookie let him in: requests that change something
	// then need proof that they come from our own pages.
	FromSession bool
	// claims are his rights in all spaces; nil for a principal of this space alone.
	claims *claims
}

// SpaceID is the space he acts in.
func (p Principal) SpaceID() deploy.SpaceID { return p.Space.OrDefault() }

// In is the same person in another space, with what his roles give there.
func (p Principal) In(space deploy.SpaceID) Principal {
	if space == p.SpaceID() {
		return p
	}
	p.Space, p.Grants = space, nil
	if p.claims == nil {
		p.Permissions = Set{}
		return p
	}
	here := p.claims.in(space)
	p.Permissions, p.Grants = NewSet(here.everywhere...), here.grants
	return p
}

// Sees reports whether he has a permission in a space: others are as if they were not there.
func (p Principal) Sees(space deploy.SpaceID) bool {
	here := p.In(space)
	return len(here.Grants) > 0 || slices.ContainsFunc(here.Permissions.List(), isOfSpace)
}

// SpacesWith lists the spaces that his roles name and in which he has a permission, sorted.
func (p Principal) SpacesWith(wanted Permission) (spaces []deploy.SpaceID) {
	if p.claims == nil {
		return nil
	}
	for _, space := range slices.Sorted(maps.Keys(p.claims.spaces)) {
		if p.In(space).Need(wanted) == nil {
			spaces = append(spaces, space)
		}
	}
	return spaces
}

// Need returns nil if the principal has p, be it in one place only. Errors: Denied.
func (p Principal) Need(wanted Permission) error {
	if p.Reach(wanted).IsSomewhere() {
		return nil
	}
	return p.lack(wanted)
}

// NeedEverywhere returns nil if the principal has p without any restriction. Errors: Denied.
func (p Principal) NeedEverywhere(wanted Permission) error {
	if p.Permissions.Has(wanted) {
		return nil
	}
	return p.lack(wanted)
}

// NeedAt returns nil if the principal has p in a place. Errors: Denied.
func (p Principal) NeedAt(wanted Permission, place Place) error {
	if p.Reach(wanted).Covers(place) {
		return nil
	}
	return p.lack(wanted)
}

// Reach is where the principal has a permission.
func (p Principal) Reach(wanted Permission) Reach {
	if p.Permissions.Has(wanted) {
		return Reach{IsEverywhere: true, permission: wanted}
	}
	r := Reach{permission: wanted}
	for _, g := range p.Grants {
		if g.Permissions.Has(wanted) {
			r.grants = append(r.grants, g)
		}
	}
	return r
}

func (p Principal) lack(wanted Permission) error {
	if p.User.Name == "" {
		return errkind.Denied.Errorf("nobody is signed in: this needs the permission %s", wanted)
	}
	if p.Reach(wanted).IsSomewhere() {
		return errkind.Hinted(errkind.Denied.Errorf("user %s lacks the permission %s here", p.User.Name, wanted),
			"his roles give it for some projects or environments only: ask an administrator of this server")
	}
	return errkind.Hinted(errkind.Denied.Errorf("user %s lacks the permission %s", p.User.Name, wanted),
		"ask an administrator of this server for a role that has it")
}

// Name is what the audit trail shows.
func (p Principal) Name() string {
	if p.User.Name == "" {
		return SystemName
	}
	return p.User.Name
}

// System acts for the server itself and for whoever holds its home folder.
func System() Principal {
	return Principal{
		User:        deploy.User{Name: SystemName, DisplayName: "Fairlead", IsActive: true, IsService: true},
		Permissions: NewSet(Everything()...),
		claims:      &claims{isAll: true},
	}
}
