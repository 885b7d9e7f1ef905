// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fairlead/internal/archive"
	"fairlead/internal/deploy"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
)

// Feed is the repository. Make one with New.
type Feed struct {
	store  store.Store
	dir    string
	disk   host.Disk
	wall   func() time.Time
	limits Limits
	gate   chan struct{} // one place: held while content is placed or removed
	pushes chan struct{} // one place for each push at work
	makes  chan struct{} // one place: held while a delta is looked for or made
}

// incoming begins the name of a file that is being written.
const incoming = "incoming-"

// New opens the feed in dir, which it makes (0700) if it is missing, and removes what uploads
// left behind that a crash ended. Errors: Invalid (limits), Internal.
func New(s store.Store, dir string, disk host.Disk, wall func() time.Time, limits Limits) (*Feed, error) {
	if err := limits.check(); err != nil {
		return nil, err
	}
	if err := durable.MakeFolder(disk, dir); err != nil {
		return nil, errkind.Of(err).Errorf("make the package folder: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, incoming+"*"))
	if err != nil {
		return nil, errkind.Internal.Errorf("look for broken uploads in %s: %w", dir, err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return nil, errkind.Internal.Errorf("remove a broken upload: %w", err)
		}
	}
	if err := disk.SyncFolder(dir); err != nil { // folders of a push that died before it had done so
		return nil, durable.DiskError("flush the package folder", err)
	}
	return &Feed{
		store: s, dir: dir, disk: disk, wall: wall, limits: limits,
		gate: make(chan struct{}, 1), pushes: make(chan struct{}, limits.Pushes), makes: make(chan struct{}, 1),
	}, nil
}

// enter takes a place and returns what gives it back. Errors: Canceled, Timeout.
func enter(ctx context.Context, places chan struct{}) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, errkind.Of(ctx.Err()).Errorf("wait for a place in the feed: %w", ctx.Err())
	}
}

// path is where content lies.
func (f *Feed) path(sha256 string) string { return filepath.Join(f.dir, sha256[:2], sha256) }

// Subject is the id that audit rows and the API name a package by: "packages-Web.App.1.0.0".
func Subject(p deploy.Package) string { return "packages-" + p.ID + "." + p.Version }

// Get returns one version. Errors: NotFound.
func (f *Feed) Get(ctx context.Context, space deploy.SpaceID, id, version string) (p deploy.Package, err error) {
	err = f.store.View(ctx, func(r store.Reader) (err error) {
		p, err = r.Package(space, id, version)
		return err
	})
	return p, err
}

// Versions lists the versions of a package, highest first; an unknown id has none.
func (f *Feed) Versions(ctx context.Context, space deploy.SpaceID, id string) (packages []deploy.Package, err error) {
	err = f.store.View(ctx, func(r store.Reader) (err error) {
		packages, err = r.Packages(store.PackageFilter{Space: space, ID: id})
		return err
	})
	sortDescending(packages)
	return packages, err
}

// Latest lists the highest version of each package whose id contains the text, without regard to
// case; by id.
func (f *Feed) Latest(ctx context.Context, space deploy.SpaceID, contains string) (latest []deploy.Package, err error) {
	var packages []deploy.Package
	err = f.store.View(ctx, func(r store.Reader) (err error) {
		packages, err = r.Packages(store.PackageFilter{Space: space, Contains: contains})
		return err
	})
	sortDescending(packages)
	return slices.CompactFunc(packages, func(a, b deploy.Package) bool { return strings.EqualFold(a.ID, b.ID) }), err
}

// sortDescending sorts by id, then the highest version first.
func sortDescending(packages []deploy.Package) {
	type row struct {
		id      string
		version deploy.Version
		p       deploy.Package
	}
	rows := make([]row, len(packages))
	for i, p := range packages {
		version, _ := deploy.ParseVersion(p.Version) // Push took it, so it is one
		rows[i] = row{strings.ToLower(p.ID), version, p}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(strings.Compare(a.id, b.id), b.version.Compare(a.version), strings.Compare(a.p.Version, b.p.Version))
	})
	for i, r := range rows {
		packages[i] = r.p
	}
}

// Open opens a package's content. It is an *os.File, so that it can be sent without copying.
// Errors: Corrupt (the content is gone), Internal.
func (f *Feed) Open(p deploy.Package) (io.ReadSeekCloser, error) {
	if err := archive.CheckSum(p.SHA256); err != nil {
		return nil, err
	}
	file, err := os.Open(f.path(p.SHA256))
	if errors.Is(err, fs.ErrNotExist) {
		err := errkind.Corrupt.Errorf("package %s %s: its content is missing from %s", p.ID, p.Version, f.dir)
		return nil, errkind.Hinted(err, "push the package again with overwriteMode=OverwriteExisting")
	}
	if err != nil {
		return nil, errkind.Internal.Errorf("open package %s %s: %w", p.ID, p.Version, err)
	}
	return file, nil
}
