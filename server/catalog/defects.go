// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"strings"
	"unicode/utf8"

	"fairlead/internal/deploy"
	"fairlead/internal/store"
	"fairlead/server/identity"
)

// maxDefects bounds the defects of a release; resolved ones count.
const maxDefects = 100

// ReportDefect holds a release back from the phases it has not reached. Errors: Denied, NotFound,
// Invalid (it is held already, or no reason is given).
func (c *Catalog) ReportDefect(
	ctx context.Context, p identity.Principal, release, description string,
) (d deploy.Defect, err error) {
	err = c.change(ctx, p, identity.DefectReport, func(w store.Writer) (deploy.Event, error) {
		held, err := w.Release(deploy.ReleaseID(properID("Releases", release)))
		if err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		description := strings.TrimSpace(description)
		if n := utf8.RuneCountInString(description); n == 0 || n > maxDescriptionCharacters {
			why.add("the reason has %d characters: want 1 to %d", n, maxDescriptionCharacters)
		}
		if open, is := held.OpenDefect(); is {
			why.add("release %s is held already: %s", held.Version, open.Description)
		}
		if len(held.Defects) >= maxDefects {
			why.add("release %s has %d defects: limit is %d", held.Version, len(held.Defects), maxDefects)
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		d = deploy.Defect{Description: description, ReportedAt: c.Wall(), ReportedBy: p.Name()}
		if d.ID, err = w.NextID("Defects"); err != nil {
			return deploy.Event{}, err
		}
		held.Defects = append(held.Defects, d)
		return event("DefectReported", held.ID, "release %s was held: %s", held.Version, description), w.PutRelease(held)
	})
	return d, err
}

// ResolveDefect lets a release go on. Errors: Denied, NotFound, Invalid (it is not held).
func (c *Catalog) ResolveDefect(
	ctx context.Context, p identity.Principal, release string,
) (d deploy.Defect, err error) {
	err = c.change(ctx, p, identity.DefectResolve, func(w store.Writer) (deploy.Event, error) {
		held, err := w.Release(deploy.ReleaseID(properID("Releases", release)))
		if err != nil {
			return deploy.Event{}, err
		}
		var why reasons
		why.add("release %s is not held", held.Version)
		for i := range held.Defects {
			if !held.Defects[i].IsResolved() {
				held.Defects[i].ResolvedAt, held.Defects[i].ResolvedBy = c.Wall(), p.Name()
				d, why = held.Defects[i], reasons{}
			}
		}
		if err := why.err(); err != nil {
			return deploy.Event{}, err
		}
		return event("DefectResolved", held.ID, "release %s may go on: %s", held.Version, d.Description), w.PutRelease(held)
	})
	return d, err
}
