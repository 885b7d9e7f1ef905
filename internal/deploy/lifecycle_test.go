// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/deploy"
)

// drawPromotion makes lifecycles whose phases share no environment.
func drawPromotion(t *rapid.T) deploy.Promotion {
	all := []deploy.EnvironmentID{"a", "b", "c", "d", "e"}
	p := deploy.Promotion{Environments: all, HasDefect: rapid.Bool().Draw(t, "defect")}
	p.Reached = rapid.SliceOfDistinct(rapid.SampledFrom(all), rapid.ID[deploy.EnvironmentID]).Draw(t, "reached")
	home := rapid.SliceOfN(rapid.IntRange(-1, 3), len(all), len(all)).Draw(t, "phase of each")
	for i := range rapid.IntRange(0, 4).Draw(t, "phases") {
		phase := deploy.Phase{
			Minimum:    rapid.IntRange(0, 3).Draw(t, "minimum"),
			IsOptional: rapid.Bool().Draw(t, "optional"),
		}
		for k, e := range all {
			if home[k] == i {
				phase.Environments = append(phase.Environments, e)
				if rapid.Bool().Draw(t, "automatic") {
					phase.Automatic = append(phase.Automatic, e)
				}
			}
		}
		p.Lifecycle.Phases = append(p.Lifecycle.Phases, phase)
	}
	return p
}

// mayGo says one environment at a time what Open says of all: it walks back through the phases
// and asks of each whether it lets the release through.
func mayGo(p deploy.Promotion, e deploy.EnvironmentID) bool {
	members := func(i int) (list []deploy.EnvironmentID) {
		if own := p.Lifecycle.Phases[i].Environments; len(own) > 0 {
			return own
		}
		for _, one := range p.Environments {
			named := false
			for _, phase := range p.Lifecycle.Phases {
				named = named || slices.Contains(phase.Environments, one)
			}
			if !named {
				list = append(list, one)
			}
		}
		return list
	}
	succeeded := func(i int) (n int) {
		for _, one := range members(i) {
			if slices.Contains(p.Reached, one) {
				n++
			}
		}
		return n
	}
	if len(p.Lifecycle.Phases) == 0 {
		return !p.HasDefect || slices.Contains(p.Reached, e)
	}
	for i := range p.Lifecycle.Phases {
		if !slices.Contains(members(i), e) || p.HasDefect && i > 0 && succeeded(i) == 0 {
			continue
		}
		through := true
		for k := range i {
			phase := p.Lifecycle.Phases[k]
			enough := succeeded(k) == len(members(k)) || phase.Minimum > 0 && succeeded(k) >= phase.Minimum
			through = through && (enough || phase.IsOptional)
		}
		if through {
			return true
		}
	}
	return false
}

func TestPromotionFitsASlowModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPromotion(t)
		open, tried := p.Open(), p.Reached
		for _, e := range p.Environments {
			if got, want := slices.Contains(open, e), mayGo(p, e); got != want {
				t.Fatalf("%+v: %s is open: %v, want %v", p, e, got, want)
			}
		}
		for _, e := range p.Automatic(tried) {
			home := slices.IndexFunc(p.Lifecycle.Phases, func(phase deploy.Phase) bool {
				return slices.Contains(phase.Automatic, e)
			})
			if home < 0 || p.Lifecycle.Phases[home].IsOptional || !mayGo(p, e) || slices.Contains(tried, e) {
				t.Fatalf("%+v: %s is deployed to by itself", p, e)
			}
		}
	})
}

func TestPromotionByHand(t *testing.T) {
	t.Parallel()
	lifecycle := deploy.Lifecycle{Phases: []deploy.Phase{
		{Name: "Test", Environments: []deploy.EnvironmentID{"t1", "t2"}, Minimum: 1, Automatic: []deploy.EnvironmentID{"t1"}},
		{Name: "Stage", Environments: []deploy.EnvironmentID{"s"}, IsOptional: true, Automatic: []deploy.EnvironmentID{"s"}},
		{Name: "Rest", Automatic: []deploy.EnvironmentID{"p"}},
	}}
	all := []deploy.EnvironmentID{"t1", "t2", "s", "p", "q"}
	for name, c := range map[string]struct {
		reached, tried, open, automatic []deploy.EnvironmentID
		defect                          bool
	}{
		"new":                     {open: all[:2], automatic: all[:1]},
		"tried, not reached":      {tried: all[:1], open: all[:2]},
		"one of two is enough":    {reached: all[:1], tried: all[:1], open: all, automatic: all[3:4]},
		"a defect holds the rest": {reached: all[:1], tried: all[:1], open: all[:2], defect: true},
		"a defect at the start":   {open: all[:2], automatic: all[:1], defect: true},
		"a defect where it passed": {
			reached: []deploy.EnvironmentID{"t1", "p"}, tried: all, defect: true,
			open: []deploy.EnvironmentID{"t1", "t2", "p", "q"},
		},
	} {
		p := deploy.Promotion{Lifecycle: lifecycle, Environments: all, Reached: c.reached, HasDefect: c.defect}
		if diff := cmp.Diff(c.open, p.Open()); diff != "" {
			t.Errorf("%s: open (-want +got):\n%s", name, diff)
		}
		if got := p.Automatic(c.tried); !slices.Equal(c.automatic, got) {
			t.Errorf("%s: automatic %v, want %v", name, got, c.automatic)
		}
	}
}

func TestRetentionOnMachine(t *testing.T) {
	t.Parallel()
	for want, list := range map[int][]deploy.Retention{
		0: {{}, {Strategy: deploy.KeepForever, Quantity: 5}, {Strategy: deploy.KeepCount, Quantity: 5, Unit: deploy.KeepDays}},
		3: {{Strategy: deploy.KeepDefault}, {Strategy: deploy.KeepCount, Quantity: 3, Unit: deploy.KeepItems}},
	} {
		for _, r := range list {
			if got := r.OnMachineItems(); got != want {
				t.Errorf("%+v: %d, want %d", r, got, want)
			}
		}
	}
}
