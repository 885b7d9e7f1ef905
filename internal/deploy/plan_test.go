// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
)

// TestPlansFollowConnectivity compares what a plan picks with what the policy says of each machine.
func TestPlansFollowConnectivity(t *testing.T) {
	t.Parallel()
	words := []deploy.HealthStatus{
		deploy.HealthUnknown, deploy.HealthHealthy, deploy.HealthHasWarnings, deploy.HealthUnhealthy, deploy.HealthUnavailable,
	}
	rapid.Check(t, func(t *rapid.T) {
		c := deploy.Connectivity{
			SkipUnavailable: rapid.Bool().Draw(t, "skip"), ExcludeUnhealthy: rapid.Bool().Draw(t, "exclude"),
			AllowNoMachine: rapid.Bool().Draw(t, "allow none"),
			SkipTags:       rapid.SampledFrom([][]string{nil, {"spare"}}).Draw(t, "skip tags"),
		}
		r := deploy.PlanRequest{Environment: "e", Channel: "c", Connectivity: c, Process: deploy.Process{Steps: []deploy.Step{
			{Name: "S", Tags: []string{"web"}, Actions: []deploy.Action{{Name: "A", Channels: []deploy.ChannelID{"c"}}}},
		}}}
		want := []deploy.MachineID{}
		for i := range rapid.IntRange(0, 4).Draw(t, "machines") {
			m := deploy.Machine{ID: deploy.MachineID(string(rune('a' + i))), Environments: []deploy.EnvironmentID{"e"}, Tags: []string{"web"}}
			m.Name, m.Health.Status = string(m.ID), rapid.SampledFrom(words).Draw(t, "health")
			spare := rapid.Bool().Draw(t, "spare")
			if spare {
				m.Tags = append(m.Tags, "spare")
			}
			r.Machines = append(r.Machines, m)
			skipped := m.Health.Status == deploy.HealthUnavailable && c.SkipUnavailable && (spare || c.SkipTags == nil)
			if !skipped && !(m.Health.Status == deploy.HealthUnhealthy && c.ExcludeUnhealthy) {
				want = append(want, m.ID)
			}
		}
		plan, err := deploy.NewPlan(r)
		if len(want) == 0 && !c.AllowNoMachine {
			if errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), "finds no enabled machine") {
				t.Fatalf("no machine: %v", err)
			}
			return
		}
		if err != nil || !slices.Equal(want, plan.Steps[0].Machines) {
			t.Fatalf("%+v: %v, %v, want %v", c, plan.Steps, err, want)
		}
	})
}

func TestDisabledMachinesAreNamed(t *testing.T) {
	t.Parallel()
	off := deploy.Machine{ID: "a", Name: "web-1", Environments: []deploy.EnvironmentID{"e"}, Tags: []string{"web"}, IsDisabled: true}
	elsewhere := off
	elsewhere.ID, elsewhere.Name, elsewhere.Environments = "b", "web-2", []deploy.EnvironmentID{"other"}
	_, err := deploy.NewPlan(deploy.PlanRequest{
		Environment: "e", Machines: []deploy.Machine{off, elsewhere},
		Process: deploy.Process{Steps: []deploy.Step{{Name: "S", Tags: []string{"web"}, Actions: []deploy.Action{{Name: "A"}}}}},
	})
	if err == nil || !strings.Contains(err.Error(), "disabled: web-1") || strings.Contains(err.Error(), "web-2") {
		t.Errorf("got %v, want web-1 named alone", err)
	}
}

func TestActionsAreForChannels(t *testing.T) {
	t.Parallel()
	step := deploy.Step{Name: "S", Tags: []string{"web"}, Actions: []deploy.Action{
		{Name: "all"}, {Name: "hotfix", Channels: []deploy.ChannelID{"h"}}, {Name: "other", Channels: []deploy.ChannelID{"o", "p"}},
	}}
	machines := []deploy.Machine{{ID: "m", Environments: []deploy.EnvironmentID{"e"}, Tags: []string{"web"}}}
	for channel, want := range map[deploy.ChannelID]string{"h": "all hotfix", "o": "all other", "x": "all"} {
		plan, err := deploy.NewPlan(deploy.PlanRequest{
			Process: deploy.Process{Steps: []deploy.Step{step}}, Environment: "e", Channel: channel, Machines: machines,
		})
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, a := range plan.Steps[0].Actions {
			names = append(names, a.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("channel %s: %s, want %s", channel, got, want)
		}
	}
}
