// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/sim/check"
	"fairlead/sim/plan"
)

// drawn is any plan of any profile.
func drawn(t *rapid.T) plan.Plan {
	profile := rapid.SampledFrom(Profiles()).Draw(t, "profile")
	p, err := Draw(profile, rapid.Uint64Range(0, 1<<10).Draw(t, "seed"), rapid.IntRange(0, 10_000).Draw(t, "number"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDrawnPlansAreFit: they pass their check, are read back as they were, and settle long enough for
// every statement.
func TestDrawnPlansAreFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		again, err := plan.Parse(p.Format())
		if err != nil {
			t.Fatalf("%v\n%s", err, p.Format())
		}
		if d := cmp.Diff(p, again); d != "" {
			t.Fatalf("read again (-first +again):\n%s", d)
		}
		for id, bound := range check.Bounds(p) {
			if p.Settle.D() < bound {
				t.Errorf("it settles for %s, and %s is judged after %s", p.Settle, id, bound)
			}
		}
	})
}

func TestADrawIsTheSameEachTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		profile := rapid.SampledFrom(Profiles()).Draw(t, "profile")
		seed, number := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 1000).Draw(t, "number")
		one, errOne := Draw(profile, seed, number)
		two, errTwo := Draw(profile, seed, number)
		if errOne != nil || errTwo != nil || one.Hash() != two.Hash() {
			t.Errorf("%v, %v: hashes %s and %s", errOne, errTwo, one.Hash(), two.Hash())
		}
	})
}

// TestDrawsReachEverything: a search that cannot draw a kind of fault, a box or an act never finds what
// is wrong with it.
func TestDrawsReachEverything(t *testing.T) {
	missing := map[string]bool{}
	for _, name := range slices.Concat(plan.KindNames(), points["server.crash"], points["agent.crash"], points["shim.crash"], []string{
		plan.DoScript, plan.DoCancel, plan.DoDeploy, plan.DoHealth, plan.DoRestart, plan.DoFailover, plan.DoRemove,
		plan.DoRedeploy, plan.DoRetention, plan.DoAnswer,
		plan.NAT, plan.Firewall, plan.SecurityGroup, plan.Balancer, plan.TCPProxy, plan.ConnectProxy, plan.SOCKS5,
		"joining", "listening", "aws-natgw", "squid-connect", "cisco-asa",
	}) {
		missing[name] = true
	}
	delete(missing, rollback)
	delete(missing, plan.Clone)
	const most = 1500
	for number := 0; number < most && len(missing) > 0; number++ {
		for _, profile := range Profiles() {
			p, err := Draw(profile, 1, number)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range contents(p) {
				delete(missing, name)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("no plan of %d has %v", most*len(Profiles()), slices.Sorted(maps.Keys(missing)))
	}
}

// contents names what is in a plan.
func contents(p plan.Plan) (names []string) {
	for _, f := range p.Faults {
		names = append(names, f.Kind, f.Point)
	}
	for _, o := range p.Ops {
		names = append(names, o.Do)
	}
	for _, b := range p.Boxes {
		names = append(names, b.Kind, b.Preset)
	}
	for _, g := range p.Programs {
		names = append(names, g.Kind, g.Preset)
	}
	if p.Join {
		names = append(names, "joining")
	}
	for _, a := range p.Agents {
		if a.Listening {
			names = append(names, "listening")
		}
	}
	return names
}
