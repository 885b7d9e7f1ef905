// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// Reserve is space set aside on a disk: a file that is given up when the disk is full, so that what
// is begun can be finished. Safe for concurrent use.
type Reserve struct {
	path string
	size int64 // bytes

	mu sync.Mutex
}

// NewReserve names the file and its size in bytes; 0 means that nothing is set aside.
func NewReserve(path string, size int64) *Reserve { return &Reserve{path: path, size: size} }

// Size is how many bytes are set aside when all is well.
func (r *Reserve) Size() int64 { return r.size }

// IsHeld reports whether the whole of it is set aside.
func (r *Reserve) IsHeld() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held() >= r.size
}

// held is how many bytes the file really takes.
func (r *Reserve) held() int64 {
	info, err := os.Lstat(r.path)
	if err != nil {
		return 0
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return min(info.Size(), stat.Blocks*512) // the unit of st_blocks: stat(2)
	}
	return info.Size()
}

// Keep sets the space aside, all of it or nothing. Errors: Exhausted (disk full), those of Replace.
func (r *Reserve) Keep() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size == 0 || r.held() >= r.size {
		return nil
	}
	file, err := os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return fault(r.path, err)
	}
	err = syscall.Fallocate(int(file.Fd()), 0, 0, r.size)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		err = fill(file, r.size)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(r.path)
	}
	return fault(r.path, err)
}

// fill writes zeros where a file system cannot set space aside by itself.
func fill(file *os.File, size int64) error {
	block := make([]byte, 1<<20)
	for ; size > 0; size -= int64(len(block)) {
		if _, err := file.Write(block[:min(size, int64(len(block)))]); err != nil {
			return err
		}
	}
	return nil
}

// Free gives the space up. It reports whether there was any.
func (r *Reserve) Free() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	had := r.held() > 0
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return had
}
