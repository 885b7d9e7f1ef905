// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"slices"
	"strings"

	"fairlead/internal/errkind"
	"fairlead/internal/nearest"
	"fairlead/sim/plan"
)

// Profile weighs what a draw is made of.
type Profile struct {
	Name, About string

	// groups are the first words of the kinds of faults that it knows, nil for all: "link", "nat".
	groups []string
	// faults and ops are how many there are at the most.
	faults, ops int
	// sizes are those of groups of agents. Few sizes let sites that have joined be used again.
	sizes []int
	// minutes is the longest safety phase.
	minutes int
	// plain keeps to sites without boxes.
	plain bool
}

// Profiles lists the profiles; the first is the usual one.
func Profiles() []Profile {
	return []Profile{
		{
			Name: "swarm", About: "each plan has a few kinds of everything that can go wrong",
			faults: 6, ops: 6, sizes: []int{1, 2, 3, 5}, minutes: 10,
		},
		{
			Name: "network", About: "wires, names and partitions", groups: []string{"link", "partition", "swizzle-clog", "dns"},
			faults: 8, ops: 4, sizes: []int{1, 2, 5}, minutes: 10,
		},
		{
			Name: "boxes", About: "NATs, firewalls and balancers that forget, drain and restart",
			groups: []string{"nat", "firewall", "balancer"}, faults: 6, ops: 4, sizes: []int{2, 5}, minutes: 15,
		},
		{
			Name: "crashes", About: "programs and machines that die at the worst point of a script's life",
			groups: []string{"server", "agent", "shim", "host", "disk"}, faults: 8, ops: 8, sizes: []int{1, 2, 3}, minutes: 8,
			plain: true,
		},
		{
			Name: "people", About: "a lot of work, cancels among it, and few faults", faults: 2, ops: 14, sizes: []int{1, 3},
			minutes: 8, plain: true,
		},
		{
			Name: "fleet", About: "hundreds of agents, for long searches", faults: 6, ops: 5, sizes: []int{100, 250, 1000},
			minutes: 20,
		},
	}
}

// NamedProfile returns the profile of a name. Errors: NotFound, with the nearest.
func NamedProfile(name string) (Profile, error) {
	var names []string
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	err := errkind.NotFound.Errorf("there is no profile %q: want %s", name, strings.Join(names, ", "))
	if near := nearest.Of(name, names); near != "" {
		return Profile{}, errkind.Hinted(err, "did you mean %s?", near)
	}
	return Profile{}, err
}

// kinds are the kinds of faults that the profile knows and that have a place in a plan.
func (p Profile) kinds(in plan.Plan) (kinds []string) {
	for _, kind := range plan.KindNames() {
		group, _, _ := strings.Cut(kind, ".")
		known := (p.groups == nil || slices.Contains(p.groups, group)) && kind != rollback && kind != plan.Clone
		if known && len(in.Places(plan.Fault{Kind: kind, On: everywhere})) > 0 {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// rollback is left to scenarios that know when: a script that was started after the snapshot, and of
// whose start the server was not told before the machine went back, runs again.
const rollback = "host.rollback"

// everywhere is how a fault names all places of its sort.
const everywhere = "all"
