// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"errors"
	"fmt"
	"syscall"

	"fairlead/internal/errkind"
)

const (
	// spareBytes stay free beside the content: 64 MiB for journals and logs.
	spareBytes = 64 << 20
	// sparePercent of the disk stays free, whatever arrives.
	sparePercent = 5
)

// Space is the room on a file system, in bytes.
type Space struct{ Free, Total int64 }

func statfs(dir string) (Space, error) {
	for {
		var st syscall.Statfs_t
		err := syscall.Statfs(dir, &st)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return Space{}, errkind.Internal.Errorf("look at the disk of %s: %w", dir, err)
		}
		block := int64(st.Bsize)
		return Space{Free: int64(st.Bavail) * block, Total: int64(st.Blocks) * block}, nil
	}
}

// lacks says in a clause why need more bytes cannot be taken, or "".
func (p Space) lacks(need int64) string {
	switch {
	case p.Free < p.Total/100*sparePercent:
		return fmt.Sprintf("its disk has %d of %d MiB free, which is less than %d %%", p.Free>>20, p.Total>>20, sparePercent)
	case p.Free-spareBytes < need:
		return fmt.Sprintf("its disk has %d MiB free and %d MiB are needed", p.Free>>20, (need+spareBytes)>>20)
	}
	return ""
}

// makeRoom makes sure that need bytes can be written, and that all blobs together with one of
// size bytes keep to the quota, by cleaning if that helps. sum is the blob to spare. The caller
// holds mu. Errors: Exhausted.
func (s *Store) makeRoom(sum string, size, need int64) error {
	quota := s.options.MaxCacheBytes
	if quota > 0 && size > quota {
		return errkind.Hinted(errkind.Exhausted.Errorf("content of %d MiB is larger than the whole package cache of %d MiB",
			size>>20, quota>>20), "raise cache_mb in agent.toml")
	}
	space, err := s.space()
	if err != nil {
		return err
	}
	enough := func() bool { return space.lacks(need) == "" }
	if err := s.clean(sum, size, enough, func(freed int64) { space.Free += freed }); err != nil {
		return err
	}
	return s.checkRoom(need)
}

// checkRoom refuses before the first byte. The caller holds mu.
func (s *Store) checkRoom(need int64) error {
	space, err := s.space()
	if err != nil {
		return err
	}
	if why := space.lacks(need); why != "" {
		return errkind.Hinted(errkind.Exhausted.Errorf("this machine cannot take %d MiB: %s", need>>20, why),
			"free some space on the file system of %s", s.home)
	}
	return nil
}

// room is what one transfer was promised and has not written yet.
type room struct {
	store *Store
	left  int64
}

// reserve promises size bytes. The caller holds mu.
func (s *Store) reserve(size int64) *room {
	s.reserved += size
	return &room{s, size}
}

// used takes n bytes, now on the disk, off the promise.
func (r *room) used(n int64) {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.store.reserved -= n
	r.left -= n
}

func (r *room) release() { r.used(r.left) }

// space is the room that is not promised to another transfer.
func (s *Store) space() (Space, error) {
	space, err := s.options.Space(s.home)
	space.Free -= s.reserved
	return space, err
}
