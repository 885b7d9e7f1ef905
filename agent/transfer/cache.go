// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// keepBlobFor is how long a blob stays after it was received or asked for: the order that
	// needs it may still be on its way.
	keepBlobFor = time.Hour
	// keepPartFor is how long the beginning of a blob waits for the rest.
	keepPartFor = 7 * 24 * time.Hour
)

// stored is one file in the blobs folder.
type stored struct {
	name   string
	size   int64
	wanted time.Time
}

// clean removes blobs, the least recently wanted first, until all of them and the one of size
// bytes that is to come keep to the quota and enough says that the disk has room. It removes
// nothing when neither is short. The caller holds mu.
func (s *Store) clean(spare string, size int64, enough func() bool, freed func(int64)) error {
	kept, err := s.stored()
	if err != nil {
		return err
	}
	total := size
	for _, b := range kept {
		if b.name != spare+partEnd {
			total += b.size
		}
	}
	needed, err := s.needed()
	if err != nil {
		return err
	}
	now := s.options.Wall()
	quota := s.options.MaxCacheBytes
	for _, b := range kept {
		if (quota <= 0 || total <= quota) && enough() {
			return nil
		}
		sum, isPart := strings.CutSuffix(strings.TrimSuffix(b.name, plainEnd), partEnd)
		keep := keepBlobFor
		if isPart {
			keep = keepPartFor
		}
		if sum == spare || s.writing[sum] || needed[sum] || now.Sub(b.wanted) < keep {
			continue
		}
		gone, err := s.remove(b.name)
		if err != nil {
			return err
		}
		if gone {
			total -= b.size
			freed(b.size)
		}
	}
	return nil
}

// needed are the blobs that orders wait for, as they are or in their plain form.
func (s *Store) needed() (map[string]bool, error) {
	needed := map[string]bool{}
	for _, sum := range s.options.Needed() {
		plain, err := readPlain(s.blobs, sum)
		if err != nil {
			return nil, err
		}
		needed[sum], needed[plain.SHA256] = true, true
	}
	return needed, nil
}

// stored lists the folder, the least recently wanted first.
func (s *Store) stored() ([]stored, error) {
	folder, err := s.blobs.Open(".")
	if err != nil {
		return nil, err
	}
	entries, err := folder.ReadDir(-1)
	if err := errors.Join(err, folder.Close()); err != nil {
		return nil, err
	}
	list := make([]stored, 0, len(entries))
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, stored{e.Name(), info.Size(), info.ModTime()})
	}
	slices.SortFunc(list, func(a, b stored) int {
		return cmp.Or(a.wanted.Compare(b.wanted), cmp.Compare(a.name, b.name))
	})
	return list, nil
}

// remove deletes a blob unless a reader in any process holds it.
func (s *Store) remove(name string) (gone bool, err error) {
	f, err := s.blobs.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if err := lock(f, syscall.LOCK_EX); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		return false, err
	}
	return true, s.blobs.Remove(name)
}
