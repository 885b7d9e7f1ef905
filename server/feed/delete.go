// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"os"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// Delete removes one version, and its content when no other package shares it. A version that a
// release carries stays, unless force is set. Errors: NotFound, Conflict (in use).
func (f *Feed) Delete(ctx context.Context, space deploy.SpaceID, id, version string, force bool, by string) error {
	leave, err := enter(ctx, f.gate)
	if err != nil {
		return err
	}
	defer leave()
	var held deploy.Package
	err = f.store.Update(ctx, func(w store.Writer) (err error) {
		if held, err = w.Package(space, id, version); err != nil {
			return err
		}
		if !force {
			if err := refuseUsed(w, held); err != nil {
				return err
			}
		}
		if err := w.DeletePackage(space, held.ID, held.Version); err != nil {
			return err
		}
		_, err = w.AddEvent(deploy.Event{
			At: f.wall(), Space: space, User: by, Category: "PackageDeleted", Subject: Subject(held),
			Message: "Package " + held.ID + " " + held.Version + " was deleted, SHA-256 " + held.SHA256,
		})
		return err
	})
	if err != nil {
		return err
	}
	f.removeUnshared(context.WithoutCancel(ctx), held.SHA256)
	return nil
}

// refuseUsed looks through the releases for one that carries the package. Errors: Conflict.
func refuseUsed(r store.Reader, p deploy.Package) error {
	projects, err := r.Projects(p.Space)
	if err != nil {
		return err
	}
	for _, project := range projects {
		rows, err := r.Releases(project.ID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			release, err := r.Release(row.ID)
			if err != nil {
				return err
			}
			for _, selected := range release.Packages {
				if strings.EqualFold(selected.PackageID, p.ID) && strings.EqualFold(selected.Version, p.Version) {
					return errkind.Hinted(errkind.Conflict.Errorf("package %s %s is part of release %s of project %s",
						p.ID, p.Version, release.Version, project.Name), "delete the release first")
				}
			}
		}
	}
	return nil
}

// Tidy removes each of the contents that no package has any more.
func (f *Feed) Tidy(ctx context.Context, sums ...string) error {
	leave, err := enter(ctx, f.gate)
	if err != nil {
		return err
	}
	defer leave()
	f.removeUnshared(ctx, sums...)
	return nil
}

// removeUnshared removes each content that no package has. What cannot be removed now stays as
// an orphan that Verify names: it does no harm. The caller holds the gate.
func (f *Feed) removeUnshared(ctx context.Context, sums ...string) {
	for _, sum := range sums {
		if sum == "" {
			continue
		}
		shared := 0
		err := f.store.View(ctx, func(r store.Reader) (err error) {
			shared, err = r.PackagesWithContent(sum)
			return err
		})
		if err == nil && shared == 0 {
			_ = os.Remove(f.path(sum))
			_ = os.Remove(f.path(sum) + sumsEnd)
			for _, d := range f.deltas(sum) {
				removeDelta(d.path)
			}
		}
	}
}
