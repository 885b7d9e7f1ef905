// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"syscall"

	"fairlead/internal/errkind"
)

// Limits bound what the feed takes in. Take DefaultLimits and change what differs.
type Limits struct {
	MaxBytes     int64 // of one package
	FullPercent  int   // of the disk: at this share of used space nothing more is taken
	MinFreeBytes int64 // likewise, below this much free space
	Pushes       int   // at the same time; further ones wait
	// Space asks the file system that holds dir.
	Space func(dir string) (freeBytes, totalBytes int64, err error)
}

// DefaultLimits are 10 GiB a package, a disk 95 % full or 64 MiB free, 8 pushes.
// Source: security goals F9 and 3.10.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 10 << 30, FullPercent: 95, MinFreeBytes: 64 << 20, Pushes: 8, Space: diskSpace}
}

func (l Limits) check() error {
	if l.MaxBytes <= 0 || l.FullPercent <= 0 || l.FullPercent > 100 || l.MinFreeBytes < 0 ||
		l.Pushes <= 0 || l.Space == nil {
		return errkind.Invalid.Errorf("feed limits: every one must be set")
	}
	return nil
}

func diskSpace(dir string) (freeBytes, totalBytes int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	block := int64(s.Bsize)
	return int64(s.Bavail) * block, int64(s.Blocks) * block, nil
}

// room refuses when the disk is too full to take size more bytes. Errors: Exhausted, Internal.
func (f *Feed) room(size int64) error {
	free, total, err := f.limits.Space(f.dir)
	if err != nil {
		return errkind.Internal.Errorf("ask for the free space of %s: %w", f.dir, err)
	}
	switch {
	case free-size < f.limits.MinFreeBytes:
		err = errkind.Exhausted.Errorf("package needs %d bytes: the disk of %s has %d free, and %d of them stay free",
			size, f.dir, free, f.limits.MinFreeBytes)
	case float64(total-free+size) >= float64(total)*float64(f.limits.FullPercent)/100:
		err = errkind.Exhausted.Errorf("the disk of %s would be %d %% full: %d of %d bytes are free, the package needs %d",
			f.dir, f.limits.FullPercent, free, total, size)
	default:
		return nil
	}
	return errkind.Hinted(err, "delete old packages or give the server's home a larger disk")
}
