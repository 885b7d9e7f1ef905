// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"

	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// Admit says whether the limits allow so many more bytes: for good, as waiting does not help. Errors: Exhausted.
func (f *Folder) Admit(ctx context.Context, size int64) error {
	if size > f.Limits.MaxBytes {
		return errkind.Exhausted.Errorf("it has %d bytes: this server keeps artifacts of at most %d", size, f.Limits.MaxBytes)
	}
	var kept int64
	err := f.Store.View(ctx, func(r store.Reader) (err error) {
		kept, err = r.ArtifactBytes()
		return err
	})
	if err == nil && kept+size > f.Limits.QuotaBytes {
		return errkind.Hinted(errkind.Exhausted.Errorf("it has %d bytes: all artifacts have %d, and may have %d together",
			size, kept, f.Limits.QuotaBytes), "delete artifacts or releases, or raise artifact_quota_mb")
	}
	return err
}

// room refuses when the disk is too full to take size more bytes. Errors: Exhausted.
func (f *Folder) room(size int64) error {
	v := f.Vitals(f.Dir)
	if v.DiskTotalBytes == 0 {
		return nil // not known: the write itself will tell
	}
	used := v.DiskTotalBytes - v.DiskFreeBytes + size
	if v.DiskFreeBytes-size >= f.Limits.MinFreeBytes &&
		float64(used) < float64(v.DiskTotalBytes)*float64(f.Limits.FullPercent)/100 {
		return nil
	}
	return errkind.Hinted(errkind.Exhausted.Errorf(
		"the disk of %s has %d of %d bytes free, an artifact needs %d, and %d bytes and %d %% stay free",
		f.Dir, v.DiskFreeBytes, v.DiskTotalBytes, size, f.Limits.MinFreeBytes, 100-f.Limits.FullPercent),
		"delete releases and packages or give the server's home a larger disk")
}
