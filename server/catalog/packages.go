// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"io"
	"strings"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/server/feed"
	"fairlead/server/identity"
)

// PushPackage stores a package whose id and version come from its file name; By is filled in
// here. The feed records the event itself. Replacing a version that is there also needs the
// right to delete it. Errors: Denied, and those of feed.Receive.
func (c *Catalog) PushPackage(
	ctx context.Context, p identity.Principal, u feed.Upload,
) (deploy.Package, feed.Result, error) {
	if err := p.Need(identity.PackagePush); err != nil {
		return deploy.Package{}, "", err
	}
	if u.Mode == feed.OverwriteExisting {
		if err := p.Need(identity.PackageDelete); err != nil {
			return deploy.Package{}, "", err
		}
	}
	if err := c.room(identity.PackagePush); err != nil {
		return deploy.Package{}, "", err
	}
	if err := c.refuseMaintenance(ctx, p); err != nil {
		return deploy.Package{}, "", err
	}
	u.By, u.Space = p.Name(), p.SpaceID()
	return c.Feed.Receive(ctx, u)
}

// LatestPackages lists the highest version of each package whose id contains a text. Errors:
// Denied.
func (c *Catalog) LatestPackages(ctx context.Context, p identity.Principal, contains string) ([]deploy.Package, error) {
	if err := p.Need(identity.PackageView); err != nil {
		return nil, err
	}
	return c.Feed.Latest(ctx, p.SpaceID(), contains)
}

// CountPackages tells how many packages there are; each version counts. Errors: Denied.
func (c *Catalog) CountPackages(ctx context.Context, p identity.Principal) (n int, err error) {
	err = c.view(ctx, p, identity.PackageView, func(r store.Reader) error {
		all, err := r.Packages(store.PackageFilter{})
		n = len(all)
		return err
	})
	return n, err
}

// PackageVersions lists the versions of one package, highest first. Errors: Denied.
func (c *Catalog) PackageVersions(ctx context.Context, p identity.Principal, id string) ([]deploy.Package, error) {
	if err := p.Need(identity.PackageView); err != nil {
		return nil, err
	}
	return c.Feed.Versions(ctx, p.SpaceID(), id)
}

// Package finds one by "<id>.<version>", the form that its wire id has. Errors: Denied, NotFound.
func (c *Catalog) Package(ctx context.Context, p identity.Principal, full string) (found deploy.Package, err error) {
	err = c.view(ctx, p, identity.PackageView, func(r store.Reader) error {
		for i := range len(full) {
			if full[i] != '.' {
				continue
			}
			candidates, err := r.Packages(store.PackageFilter{ID: full[:i]})
			if err != nil {
				return err
			}
			for _, one := range candidates {
				if strings.EqualFold(one.Version, full[i+1:]) {
					found = one
					return nil
				}
			}
		}
		return errkind.NotFound.Errorf("there is no package %q", full)
	})
	return found, err
}

// OpenPackage opens the content of a package. Errors: Denied, NotFound.
func (c *Catalog) OpenPackage(
	ctx context.Context, p identity.Principal, full string,
) (deploy.Package, io.ReadSeekCloser, error) {
	found, err := c.Package(ctx, p, full)
	if err != nil {
		return found, nil, err
	}
	content, err := c.Feed.Open(found)
	return found, content, err
}

// DeletePackage removes one that no release uses. Errors: Denied, NotFound, Conflict (in use).
func (c *Catalog) DeletePackage(ctx context.Context, p identity.Principal, full string) error {
	if err := p.Need(identity.PackageDelete); err != nil {
		return err
	}
	// Who may delete may look.
	reader := p
	reader.Permissions = identity.NewSet(identity.PackageView)
	found, err := c.Package(ctx, reader, full)
	if err != nil {
		return err
	}
	if err := c.refuseMaintenance(ctx, p); err != nil {
		return err
	}
	return c.Feed.Delete(ctx, found.Space, found.ID, found.Version, false, p.Name())
}
