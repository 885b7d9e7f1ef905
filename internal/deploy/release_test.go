// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
)

// TestADeploymentKeepsItsTaking however often the release takes its variables afresh, and nothing stays that no
// deployment needs. The model holds for each deployment the version that it was queued with.
func TestADeploymentKeepsItsTaking(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		release := deploy.Release{Variables: deploy.VariableSet{Version: 1}, Library: []deploy.VariableSet{{Version: 1}}}
		type queued struct{ taking, version int }
		open := map[int]queued{}
		next, version := 0, 1
		t.Repeat(map[string]func(*rapid.T){
			"queue": func(*rapid.T) {
				next++
				open[next] = queued{release.Taking, version}
			},
			"end": func(t *rapid.T) {
				if len(open) == 0 {
					return
				}
				delete(open, rapid.SampledFrom(slices.Sorted(maps.Keys(open))).Draw(t, "deployment"))
			},
			"take afresh": func(*rapid.T) {
				version++
				used := map[int]bool{}
				for _, d := range open {
					used[d.taking] = true
				}
				set := deploy.VariableSet{Version: version}
				release.Retake(set, []deploy.VariableSet{set}, func(taking int) bool { return used[taking] })
				if len(release.Earlier) != len(used) {
					t.Fatalf("%d takings are kept for %d in use", len(release.Earlier), len(used))
				}
			},
			"": func(t *rapid.T) {
				for id, d := range open {
					got := release.At(d.taking)
					if got.Variables.Version != d.version || got.Library[0].Version != d.version {
						t.Fatalf("deployment %d was queued with version %d and sees %d", id, d.version, got.Variables.Version)
					}
				}
				if got := release.At(release.Taking); got.Variables.Version != version {
					t.Fatalf("the release has version %d, want %d", got.Variables.Version, version)
				}
			},
		})
	})
}
