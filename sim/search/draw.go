// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fairlead/internal/errkind"
	"fairlead/sim/check"
	"fairlead/sim/plan"
)

// maxSeed keeps the seeds of drawn plans small, so that they read well.
const maxSeed = 1 << 16

// Draw makes a plan. Errors: Internal, when it drew one that does not pass its check: a mistake here.
func Draw(profile Profile, seed uint64, number int) (plan.Plan, error) {
	roll := func(part string) dice { return newDice(seed, number, profile.Name+" "+part) }
	d := roll("site")
	p := plan.Plan{
		Name:   fmt.Sprintf("%s %d of seed %d", profile.Name, number, seed),
		Safety: plan.Duration(time.Duration(d.between(2, profile.minutes)) * time.Minute),
	}
	target := addServers(&p, d, profile.plain)
	addFleet(&p, roll("fleet"), profile, target)
	addWork(&p, roll("work"), profile)
	addTrouble(&p, roll("trouble"), profile)
	slices.SortStableFunc(p.Ops, func(a, b plan.Op) int { return cmp.Compare(a.At, b.At) })
	slices.SortStableFunc(p.Faults, func(a, b plan.Fault) int { return cmp.Compare(a.At, b.At) })
	p.Join = roll("join").one(12) && p.Machines() <= mostJoin
	p.Seed = uint64(roll("seed").IntN(maxSeed))
	p.Settle = settleFor(p)
	whole, err := plan.Parse(p.Format())
	if err != nil {
		return p, errkind.Internal.Errorf("draw %s: %w\n%s", p.Name, err, p.Format())
	}
	return whole, nil
}

// mostJoin is how many agents join in a drawn plan at the most.
const mostJoin = 10

// settleFor is long enough for every statement of liveness to be judged.
func settleFor(p plan.Plan) plan.Duration {
	const after = 10 * time.Second
	longest := time.Duration(0)
	for _, bound := range check.Bounds(p) {
		longest = max(longest, bound)
	}
	return plan.Duration((longest + after).Round(time.Second))
}
