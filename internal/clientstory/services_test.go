// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"testing"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/environments"
)

// TestServices calls the library's services against one server with two agents, one part of the domain each.
func TestServices(t *testing.T) {
	o := openOffice(t)
	try(o.client.Environments.Add(environments.NewEnvironment(environment))).must(t)
	o.staff(t)
	for _, part := range []struct {
		name string
		call func(*testing.T)
	}{
		{"Spaces", o.spaces},
		{"Environments", o.environments},
		{"Lifecycles", o.lifecycles},
		{"ProjectGroups", o.projectGroups},
		{"Projects", o.projects},
		{"Channels", o.channels},
		{"Processes", o.processes},
		{"Variables", o.variables},
		{"LibraryVariableSets", o.libraryVariableSets},
		{"Accounts", o.accounts},
		{"Packages", o.packages},
		{"Feeds", o.feeds},
		{"Releases", o.releases},
		{"ReleasesByRule", o.releasesByRule},
		{"Deployments", o.deployments},
		{"Tasks", o.tasks},
		{"Machines", o.machines},
		{"MachinePolicies", o.machinePolicies},
		{"Users", o.users},
		{"APIKeys", o.apiKeys},
		{"Teams", o.teams},
		{"Events", o.events},
		{"RestrictedUser", o.restrictedUser},
		{"System", o.system},
		{"EmptyLists", o.emptyLists},
		{"SecondSpace", o.secondSpace},
	} {
		t.Run(part.name, part.call)
	}
}
