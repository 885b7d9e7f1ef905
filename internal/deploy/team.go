// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

// Ids of what gives people rights.
type (
	TeamID       string // "Teams-1", or one of the built-in ones
	RoleID       string // "UserRoles-1", or one of the built-in ones
	ScopedRoleID string // "ScopedUserRoles-1"
)

// Team is people, and the roles that they have by it.
type Team struct {
	ID          TeamID
	Space       SpaceID // "" for one of the installation; else what it gives is of this space
	Name        string  // unique without regard to case
	Description string
	Members     []UserID // sorted, without repeats
	Roles       []ScopedRole
}

// ScopedRole is a role that a team gives, and where. In each dimension an empty list means
// everywhere; projects and groups are one dimension: a project fits that is named or whose group is.
type ScopedRole struct {
	ID           ScopedRoleID
	Role         RoleID
	Space        SpaceID // "" for the default one: rows from before there were others have none
	Projects     []ProjectID
	Groups       []ProjectGroupID
	Environments []EnvironmentID
}

// UserRole is a named set of permissions.
type UserRole struct {
	ID          RoleID
	Name        string // unique without regard to case
	Description string
	// Permissions are words of server/identity; those of a space first, then those of the system.
	Permissions []string
	System      []string
}
