// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/internal/deploy"
)

var retentionNow = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func drawRetention(t *rapid.T, name string) deploy.Retention {
	return deploy.Retention{
		Strategy: rapid.SampledFrom([]deploy.RetentionStrategy{
			"", deploy.KeepForever, deploy.KeepCount,
			deploy.KeepCount,
		}).Draw(t, name),
		Quantity: rapid.IntRange(0, 3).Draw(t, name+" quantity"),
		Unit:     rapid.SampledFrom([]deploy.RetentionUnit{deploy.KeepDays, deploy.KeepItems}).Draw(t, name+" unit"),
	}
}

func drawUses(t *rapid.T, environments []deploy.EnvironmentID) []deploy.ReleaseUse {
	releases := make([]deploy.ReleaseUse, rapid.IntRange(0, 8).Draw(t, "releases"))
	tick := 0 // no two things at the same time
	at := func() time.Time {
		tick++
		return retentionNow.Add(-time.Duration(rapid.IntRange(0, 120).Draw(t,
			"hours"))*time.Hour - time.Duration(tick)*time.Second)
	}
	for i := range releases {
		releases[i] = deploy.ReleaseUse{ID: deploy.ReleaseID(fmt.Sprintf("Releases-%d", i+1)), AssembledAt: at()}
		for range rapid.IntRange(0, 3).Draw(t, "deployments") {
			use := deploy.DeploymentUse{
				Environment: rapid.SampledFrom(environments).Draw(t, "where"), At: at(), HasEnded: rapid.IntRange(0, 9).Draw(t,
					"ended") > 0,
			}
			use.Succeeded = use.HasEnded && rapid.Bool().Draw(t, "succeeded")
			releases[i].Deployments = append(releases[i].Deployments, use)
		}
	}
	return releases
}

// lastIn is when a release was last deployed to an environment, of those deployments that count.
func lastIn(r deploy.ReleaseUse, e deploy.EnvironmentID, counts func(deploy.DeploymentUse) bool) (last time.Time) {
	for _, u := range r.Deployments {
		if u.Environment == e && counts(u) && u.At.After(last) {
			last = u.At
		}
	}
	return last
}

// later counts the releases that came later by some measure.
func later(releases []deploy.ReleaseUse, than time.Time, of func(deploy.ReleaseUse) time.Time) (n int) {
	for _, r := range releases {
		if of(r).After(than) {
			n++
		}
	}
	return n
}

func holds(r deploy.Retention, at time.Time, newer int) bool {
	if r.Strategy != deploy.KeepCount {
		return true
	}
	if r.Unit == deploy.KeepItems {
		return newer < r.Quantity
	}
	return retentionNow.Sub(at) < time.Duration(r.Quantity)*24*time.Hour
}

// isKept says of one release, by counting, what ExpiredReleases works out for all.
func isKept(l deploy.Lifecycle, environments []deploy.EnvironmentID, releases []deploy.ReleaseUse,
	r deploy.ReleaseUse,
) bool {
	retention := func(i int) deploy.Retention {
		if i < len(l.Phases) && l.Phases[i].Releases != (deploy.Retention{}) {
			return l.Phases[i].Releases
		}
		return l.Releases
	}
	if len(r.Deployments) == 0 {
		return holds(retention(0), r.AssembledAt, later(releases, r.AssembledAt, func(o deploy.ReleaseUse) time.Time {
			if len(o.Deployments) > 0 {
				return time.Time{}
			}
			return o.AssembledAt
		}))
	}
	for i, e := range environments {
		if slices.ContainsFunc(r.Deployments, func(u deploy.DeploymentUse) bool {
			return u.Environment == e &&
				!u.HasEnded
		}) {
			return true
		}
		used := func(o deploy.ReleaseUse) time.Time {
			return lastIn(o, e, func(deploy.DeploymentUse) bool { return true })
		}
		good := func(o deploy.ReleaseUse) time.Time {
			return lastIn(o, e, func(u deploy.DeploymentUse) bool { return u.Succeeded })
		}
		at := used(r)
		if at.IsZero() {
			continue
		}
		newer := later(releases, at, used)
		if newer == 0 || holds(retention(i), at, newer) || !good(r).IsZero() && later(releases, good(r), good) < 2 {
			return true
		}
	}
	return false
}

// TestRetentionKeepsWhatItSays has one phase for each of two environments, or none.
func TestRetentionKeepsWhatItSays(t *testing.T) {
	environments := []deploy.EnvironmentID{"Environments-1", "Environments-2"}
	rapid.Check(t, func(t *rapid.T) {
		l := deploy.Lifecycle{Releases: drawRetention(t, "lifecycle")}
		if rapid.Bool().Draw(t, "has phases") {
			for _, e := range environments {
				l.Phases = append(l.Phases, deploy.Phase{Environments: []deploy.EnvironmentID{e}, Releases: drawRetention(t,
					"phase "+string(e))})
			}
		}
		releases := drawUses(t, environments)
		expired := deploy.ExpiredReleases(retentionNow, l, environments, releases)
		for _, r := range releases {
			if got, want := !slices.Contains(expired, r.ID), isKept(l, environments, releases, r); got != want {
				t.Fatalf("%s is kept: %v, want %v\n%+v\n%+v", r.ID, got, want, l, releases)
			}
		}
	})
}

func TestRetentionMindsEnvironmentsThatAreGone(t *testing.T) {
	old := deploy.ReleaseUse{ID: "Releases-1", Deployments: []deploy.DeploymentUse{
		{Environment: "Environments-9", At: retentionNow.AddDate(-9, 0, 0), HasEnded: true},
	}}
	if got := deploy.ExpiredReleases(retentionNow, deploy.Lifecycle{}, nil, []deploy.ReleaseUse{old}); len(got) != 0 {
		t.Errorf("what is kept for ever expired: %v", got)
	}
}
