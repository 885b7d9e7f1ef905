// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package store

import "fairlead/internal/deploy"

// PeopleReader reads who may do what.
type PeopleReader interface {
	User(id deploy.UserID) (deploy.User, error)
	Users() ([]deploy.User, error) // by name
	Team(id deploy.TeamID) (deploy.Team, error)
	Teams() ([]deploy.Team, error) // by name
	UserRole(id deploy.RoleID) (deploy.UserRole, error)
	UserRoles() ([]deploy.UserRole, error) // by name
}

// PeopleWriter writes who may do what.
type PeopleWriter interface {
	PutUser(deploy.User) error
	DeleteUser(deploy.UserID) error // and his API keys and sessions
	PutTeam(deploy.Team) error
	DeleteTeam(deploy.TeamID) error
	PutUserRole(deploy.UserRole) error
	DeleteUserRole(deploy.RoleID) error
}

// MachinePolicyReader reads how machines are looked after.
type MachinePolicyReader interface {
	MachinePolicies(space deploy.SpaceID) ([]deploy.MachinePolicy, error) // by name
}

// MachinePolicyWriter writes how machines are looked after.
type MachinePolicyWriter interface {
	PutMachinePolicy(deploy.MachinePolicy) error
	DeleteMachinePolicy(deploy.MachinePolicyID) error
}
