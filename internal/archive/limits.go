// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import "fairlead/internal/errkind"

// Limits bound what an archive may do. The lengths of paths are fixed, see CheckPath.
type Limits struct {
	ArchiveBytes  int64 // size of the archive itself
	Entries       int   // files, links and folders, those that are only implied included
	UnpackedBytes int64 // contents of all files
	Ratio         int64 // unpacked bytes for each byte of the archive, beyond freeBytes
	Links         int   // symbolic links
}

// freeBytes may come out of any archive, however small: a short file of blanks shrinks a
// thousandfold and harms nobody.
const freeBytes = 1 << 20

// DefaultLimits are those of the manual: 10 GiB, 200,000 entries, 20 GiB, 200:1, 10,000 links.
func DefaultLimits() Limits {
	return Limits{
		ArchiveBytes: 10 << 30, Entries: 200_000, UnpackedBytes: 20 << 30, Ratio: 200, Links: 10_000,
	}
}

// budget is how many bytes an archive of size bytes may unpack to.
func (l Limits) budget(size int64) int64 {
	if size >= l.UnpackedBytes/l.Ratio {
		return l.UnpackedBytes
	}
	return min(l.UnpackedBytes, freeBytes+size*l.Ratio)
}

// check refuses limits that make no sense, so that a forgotten field is not "no limit".
func (l Limits) check() error {
	if l.ArchiveBytes <= 0 || l.Entries <= 0 || l.UnpackedBytes <= 0 || l.Ratio <= 0 || l.Links < 0 {
		return errkind.Invalid.Errorf("archive limits %+v: every one but links must be positive", l)
	}
	return nil
}

// meter counts unpacked bytes against the budget.
type meter struct{ used, budget, size int64 }

func (m *meter) take(n int64) error {
	if n < 0 || n > m.budget-m.used {
		return errkind.Exhausted.Errorf(
			"archive of %d bytes unpacks to more than %d bytes: this is the limit for its size", m.size, m.budget)
	}
	m.used += n
	return nil
}
