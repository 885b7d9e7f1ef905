// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package identity

import (
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
	User        deploy.User
	Permissions Set
	// Key is the API key that let him in, directly or by the session it opened; "" for the
	// local administrator.
	Key deploy.KeyID
	// KeyExpiresAt is when that key ends; zero: never.
	KeyExpiresAt time.Time
	// FromSession is true when a browser's cookie let him in: requests that change something
	// then need proof that they come from our own pages.
	FromSession bool
}

// Need returns nil if the principal has p. Errors: Denied.
func (p Principal) Need(wanted Permission) error {
	if p.Permissions.Has(wanted) {
		return nil
	}
	if p.User.Name == "" {
		return errkind.Denied.Errorf("nobody is signed in: this needs the permission %s", wanted)
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
		Permissions: Administrator().Permissions,
	}
}

// roleOf says what a user may do. The administrator is built in; teams give roles later.
func roleOf(u deploy.User) Role {
	if u.ID == AdministratorID {
		return Administrator()
	}
	return Everyone()
}
