// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"slices"
	"time"
)

// ReleaseUse is what retention looks at of a release.
type ReleaseUse struct {
	ID          ReleaseID
	AssembledAt time.Time
	Deployments []DeploymentUse
}

// DeploymentUse is one deployment of a release.
type DeploymentUse struct {
	Environment EnvironmentID
	At          time.Time // queued, or completed once it is
	HasEnded    bool
	Succeeded   bool
}

// heldAlways is how many releases that succeeded in an environment stay whatever a lifecycle says: the one
// that is there, and the one before it to go back to.
const heldAlways = 2

// ExpiredReleases are the releases of a project that its lifecycle does not keep any more, in the order they
// came. A release stays as long as one environment keeps it: it was deployed there last, or it is one of the
// last two that succeeded there, or its deployment has not ended, or the phase of the environment keeps it. One
// that was never deployed is kept as the first phase says, from when it was assembled.
func ExpiredReleases(now time.Time, l Lifecycle, environments []EnvironmentID, releases []ReleaseUse) []ReleaseID {
	kept := map[ReleaseID]bool{}
	for _, e := range placesOf(environments, releases) {
		keepIn(kept, now, e, l.retentionIn(e, environments), releases)
	}
	keepUnused(kept, now, l.firstRetention(environments), releases)
	var expired []ReleaseID
	for _, r := range releases {
		if !kept[r.ID] {
			expired = append(expired, r.ID)
		}
	}
	return expired
}

// placesOf are the environments, and those that are gone but were deployed to.
func placesOf(environments []EnvironmentID, releases []ReleaseUse) []EnvironmentID {
	places := slices.Clone(environments)
	for _, r := range releases {
		for _, use := range r.Deployments {
			if !slices.Contains(places, use.Environment) {
				places = append(places, use.Environment)
			}
		}
	}
	return places
}

// retentionIn is what holds for an environment: its phase's, else the lifecycle's.
func (l Lifecycle) retentionIn(e EnvironmentID, all []EnvironmentID) Retention {
	for _, phase := range (Promotion{Lifecycle: l, Environments: all}).Filled() {
		if slices.Contains(phase.Environments, e) && phase.Releases != (Retention{}) {
			return phase.Releases
		}
	}
	return l.Releases
}

func (l Lifecycle) firstRetention(all []EnvironmentID) Retention {
	phases := Promotion{Lifecycle: l, Environments: all}.Filled()
	if len(phases) > 0 && phases[0].Releases != (Retention{}) {
		return phases[0].Releases
	}
	return l.Releases
}

// dated is a release and when it was last used in some way.
type dated struct {
	id        ReleaseID
	at        time.Time
	succeeded time.Time // zero: never
}

func newestFirst(list []dated) {
	slices.SortStableFunc(list, func(a, b dated) int { return b.at.Compare(a.at) })
}

func keepIn(kept map[ReleaseID]bool, now time.Time, e EnvironmentID, r Retention, releases []ReleaseUse) {
	var used, succeeded []dated
	for _, release := range releases {
		d := dated{id: release.ID}
		for _, use := range release.Deployments {
			if use.Environment != e {
				continue
			}
			if !use.HasEnded {
				kept[release.ID] = true
			}
			if use.At.After(d.at) {
				d.at = use.At
			}
			if use.Succeeded && use.At.After(d.succeeded) {
				d.succeeded = use.At
			}
		}
		if !d.at.IsZero() {
			used = append(used, d)
		}
		if !d.succeeded.IsZero() {
			succeeded = append(succeeded, dated{id: d.id, at: d.succeeded})
		}
	}
	newestFirst(used)
	newestFirst(succeeded)
	for _, d := range succeeded[:min(heldAlways, len(succeeded))] {
		kept[d.id] = true
	}
	if len(used) > 0 {
		kept[used[0].id] = true
	}
	r.keep(kept, now, used)
}

// keepUnused looks at the releases that were never deployed.
func keepUnused(kept map[ReleaseID]bool, now time.Time, r Retention, releases []ReleaseUse) {
	var unused []dated
	for _, release := range releases {
		if len(release.Deployments) == 0 {
			unused = append(unused, dated{id: release.ID, at: release.AssembledAt})
		}
	}
	newestFirst(unused)
	r.keep(kept, now, unused)
}

// keep marks what a retention keeps of a list, newest first.
func (r Retention) keep(kept map[ReleaseID]bool, now time.Time, list []dated) {
	for i, d := range list {
		switch {
		case r.Strategy != KeepCount,
			r.Unit == KeepItems && i < r.Quantity,
			r.Unit != KeepItems && now.Sub(d.at) < time.Duration(r.Quantity)*24*time.Hour:
			kept[d.id] = true
		}
	}
}
