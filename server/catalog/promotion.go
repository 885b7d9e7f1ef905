// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// PhaseProgress is where a release stands in one phase of its lifecycle.
type PhaseProgress = deploy.PhaseProgress

// promotionOf gathers what decides where a release may go.
func promotionOf(r store.Reader, l deploy.Lifecycle, release deploy.Release) (p deploy.Promotion, err error) {
	all, err := r.Environments(space)
	if err != nil {
		return p, err
	}
	p = deploy.Promotion{Lifecycle: l, Environments: environmentsOf(all)}
	_, p.HasDefect = release.OpenDefect()
	p.Reached, err = reached(r, release.ID)
	return p, err
}

// allowed adds a reason when lifecycle or defect keep the release from the environment.
func (why *reasons) allowed(p deploy.Promotion, release deploy.Release, e deploy.Environment) {
	if slices.Contains(p.Open(), e.ID) {
		return
	}
	phases := p.Phases()
	missing, isBlocked := "", len(phases) == 0
	for _, at := range phases {
		if !slices.Contains(at.Phase.Environments, e.ID) {
			if missing == "" && !at.IsComplete && !at.Phase.IsOptional {
				missing = at.Phase.Name
			}
			continue
		}
		if !at.IsBlocked {
			why.add("lifecycle %s: phase %s has to be completed before %s", p.Lifecycle.Name, missing, e.Name)
			return
		}
		isBlocked = true
		break
	}
	if defect, held := release.OpenDefect(); held && isBlocked {
		why.add("release %s goes no further, and so not to %s: %s", release.Version, e.Name, defect.Description)
		return
	}
	why.add("lifecycle %s has no phase with environment %s", p.Lifecycle.Name, e.Name)
}

// Progression says where a release stands in its lifecycle, and where it may go now. Errors:
// Denied, NotFound.
func (c *Catalog) Progression(
	ctx context.Context, p identity.Principal, release string,
) (phases []PhaseProgress, open []deploy.EnvironmentID, err error) {
	err = c.view(ctx, p, identity.ReleaseView, func(r store.Reader) error {
		held, err := r.Release(deploy.ReleaseID(properID("Releases", release)))
		if err != nil {
			return err
		}
		project, err := r.Project(held.Project)
		if err != nil {
			return err
		}
		lifecycle, err := lifecycleOf(r, project, held.Channel)
		if err != nil {
			return err
		}
		promotion, err := promotionOf(r, lifecycle, held)
		phases, open = promotion.Phases(), promotion.Open()
		return err
	})
	return phases, open, err
}
