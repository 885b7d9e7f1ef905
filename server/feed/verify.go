// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"fairlead/internal/archive"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// Report is what Verify found.
type Report struct {
	Packages int
	Bytes    int64            // hashed
	Missing  []deploy.Package // content gone or unreadable
	Damaged  []deploy.Package // content with another hash
	// Orphans are the hashes of content that no package has: a crash came between. Harmless.
	Orphans []string
}

// Verify reads all content and hashes it. Errors: Canceled, or the store's.
func (f *Feed) Verify(ctx context.Context) (Report, error) {
	var packages []deploy.Package
	err := f.store.View(ctx, func(r store.Reader) (err error) {
		packages, err = r.Packages(store.PackageFilter{})
		return err
	})
	if err != nil {
		return Report{}, err
	}
	report := Report{Packages: len(packages)}
	wanted := map[string]bool{}
	sound := map[string]bool{}
	for _, p := range packages {
		wanted[p.SHA256] = true
		if sound[p.SHA256] {
			continue
		}
		if sound[p.SHA256], err = f.verify(ctx, p, &report); err != nil {
			return Report{}, err
		}
	}
	report.Orphans = f.orphans(wanted)
	return report, nil
}

func (f *Feed) verify(ctx context.Context, p deploy.Package, report *Report) (sound bool, err error) {
	file, err := f.Open(p)
	if err != nil {
		report.Missing = append(report.Missing, p)
		return false, nil
	}
	defer func() { _ = file.Close() }() // read only
	sum, size, err := archive.Sum(ctx, file)
	report.Bytes += size
	switch {
	case ctx.Err() != nil:
		return false, errkind.Of(ctx.Err()).Errorf("verify the feed: %w", ctx.Err())
	case err != nil:
		report.Missing = append(report.Missing, p)
	case sum != p.SHA256:
		report.Damaged = append(report.Damaged, p)
	default:
		return true, nil
	}
	return false, nil
}

func (f *Feed) orphans(wanted map[string]bool) (orphans []string) {
	paths, _ := filepath.Glob(filepath.Join(f.dir, "??", "*")) // the pattern is well formed
	for _, path := range paths {
		name := filepath.Base(path)
		if wanted[name] || archive.CheckSum(name) != nil {
			continue
		}
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			orphans = append(orphans, name)
		}
	}
	slices.Sort(orphans)
	return orphans
}
