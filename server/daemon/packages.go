// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"io"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/feed"
	"fairlead/server/target"
)

// packages hands the feed's packages to targets.
type packages struct{ feed *feed.Feed }

// Content is how a package is sent.
func (s packages) Content(p deploy.Package) target.Content {
	return target.Content{
		SHA256: p.SHA256, Size: p.Size,
		Open:  func() (io.ReadSeekCloser, error) { return s.feed.Open(p) },
		Sums:  func(ctx context.Context) (contract.RunningSums, error) { return s.feed.Sums(ctx, p) },
		Bases: func(ctx context.Context) ([]string, error) { return s.bases(ctx, p) },
		Patch: func(ctx context.Context, base string) (*target.Patch, error) { return s.patch(ctx, p, base) },
	}
}

func (s packages) bases(ctx context.Context, p deploy.Package) (sums []string, err error) {
	bases, err := s.feed.Bases(ctx, p)
	for _, base := range bases {
		sums = append(sums, base.SHA256)
	}
	return sums, err
}

func (s packages) patch(ctx context.Context, p deploy.Package, sum string) (*target.Patch, error) {
	bases, err := s.feed.Bases(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, base := range bases {
		if base.SHA256 != sum {
			continue
		}
		d, worth, err := s.feed.Delta(ctx, p, base)
		if err != nil || !worth {
			return nil, err
		}
		return &target.Patch{Args: d.Patch, Delta: target.Content{
			SHA256: d.Patch.Delta.SHA256, Size: d.Patch.Delta.Size,
			Open: func() (io.ReadSeekCloser, error) { return s.feed.OpenDelta(d) },
			Sums: func(ctx context.Context) (contract.RunningSums, error) { return s.feed.DeltaSums(ctx, d) },
		}}, nil
	}
	return nil, errkind.NotFound.Errorf("package %s: no version has the hash %.12s…", p.ID, sum)
}

// Content is how a package of the default space is sent to a machine. Errors: NotFound.
func (d *Daemon) Content(ctx context.Context, id, version string) (target.Content, error) {
	p, err := d.feed.Get(ctx, deploy.DefaultSpace, id, version)
	return packages{d.feed}.Content(p), err
}
