// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"strconv"

	"fairlead/sim/plan"
)

// maxSites is how many groups of agents a plan has at the most, each at a site of its own.
const maxSites = 2

// addFleet draws sites and the agents on them.
func addFleet(p *plan.Plan, d dice, profile Profile, target string) {
	for i := range d.between(1, maxSites) {
		segment, proxy := addSite(p, d, i+1, profile.plain)
		p.Agents = append(p.Agents, plan.Agents{
			Name: "web-" + string(rune('a'+i)), Count: pick(d, profile.sizes...), On: segment, Target: target, Proxy: proxy,
			// The server can call those that stand on the internet with it alone.
			Listening: segment == internet && p.Servers[0].On == internet && d.one(4),
		})
	}
}

// machine is one of the agents' machines, by name.
func machine(p *plan.Plan, d dice) string {
	a := pick(d, p.Agents...)
	return a.Name + "-" + strconv.Itoa(d.between(1, a.Count))
}
