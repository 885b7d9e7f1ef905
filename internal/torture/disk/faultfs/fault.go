// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"sync"
	"syscall"
)

// faults decides which calls fail. Safe for concurrent use.
type faults struct {
	mu            sync.Mutex
	writes, syncs int // so far
	full, eio     int // the write and the sync that fail, counted from the next; 0 means none
}

func (f *faults) arm(full, eio int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full, f.eio = full, eio
}

func (f *faults) count() (writes, syncs int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes, f.syncs
}

// write counts one write of a file and returns its error. Maps of shared memory are written by the
// kernel, when it likes: they are left out.
func (f *faults) write(name string) syscall.Errno {
	if strings.HasSuffix(name, "-shm") {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	return due(&f.full, syscall.ENOSPC)
}

// sync counts one sync.
func (f *faults) sync() syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.syncs++
	return due(&f.eio, syscall.EIO)
}

func due(left *int, errno syscall.Errno) syscall.Errno {
	if *left > 1 {
		*left--
		return 0
	}
	if *left == 1 {
		return errno
	}
	return 0
}
