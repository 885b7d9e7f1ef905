// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable

import (
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// Guard is a disk that remembers the first sync that failed: from then on nothing that was written
// is known to be kept, and a later sync may report a success that is none. Source: security.md 3.1.
//
// A file that found no space is no failure of the disk: nobody took it for written.
//
// Safe for concurrent use.
type Guard struct {
	disk   host.Disk
	failed chan struct{} // closed with the first failure

	mu      sync.Mutex
	failure error
	opening bool
	alarm   func() // may be nil
}

// Watch puts a guard before a disk.
func Watch(disk host.Disk) *Guard { return &Guard{disk: disk, failed: make(chan struct{})} }

// Failed is closed when a sync has failed; Err says which.
func (g *Guard) Failed() <-chan struct{} { return g.failed }

// Err is the first failure, or nil.
func (g *Guard) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failure
}

// Alarm has f run at the first failure, before anybody hears of that: who met it, who meets another, who waits for
// Failed. f must not wait, nor use the guard.
func (g *Guard) Alarm(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alarm = f
}

// Note takes an error of the file system that was met elsewhere, and counts it when it says that the
// disk is broken.
func (g *Guard) Note(err error) {
	if isBroken(err) {
		g.note(err)
	}
}

// Opening runs open, during which a sync that fails is remembered and not returned: a program whose
// disk is broken comes up and says so, instead of being started again and again. Whoever uses it
// starts nothing before it has looked at Err.
func (g *Guard) Opening(open func() error) error {
	g.setOpening(true)
	defer g.setOpening(false)
	return open()
}

func (g *Guard) setOpening(on bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opening = on
}

// Sync implements host.Disk.
func (g *Guard) Sync(f *os.File) error { return g.seen(g.disk.Sync(f), isBroken) }

// SyncFolder implements host.Disk. A folder has no content to be written anew, so one that found no
// space is in doubt too.
func (g *Guard) SyncFolder(path string) error {
	return g.seen(g.disk.SyncFolder(path), func(err error) bool { return isBroken(err) || IsFull(err) })
}

// SyncAll implements host.Disk.
func (g *Guard) SyncAll(folder *os.File) error { return g.seen(g.disk.SyncAll(folder), isBroken) }

func (g *Guard) seen(err error, isFailure func(error) bool) error {
	if err == nil || !isFailure(err) {
		return err
	}
	if g.note(err) {
		return nil
	}
	return err
}

// note keeps the first failure and reports whether it is to be passed over.
func (g *Guard) note(err error) (passed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failure == nil {
		g.failure = err
		if g.alarm != nil {
			g.alarm() // with the mutex held, so that a second failure waits for it as well
		}
		close(g.failed)
	}
	return g.opening
}

// isBroken tells errors of the medium from those of a call: a name that is not there, a limit.
func isBroken(err error) bool {
	return slices.ContainsFunc([]syscall.Errno{
		syscall.EIO, syscall.EROFS, syscall.ENXIO, syscall.ENODEV, syscall.EUCLEAN, syscall.ESTALE,
	}, func(e syscall.Errno) bool { return errors.Is(err, e) })
}

// Prove writes and syncs a small file at path: what a disk must take before anything is trusted to
// it. A full disk proves nothing against it. Errors: those of Replace.
func (g *Guard) Prove(path string) error {
	err := Replace(g, path, []byte("This file shows at each start that the disk takes what is written.\n"))
	if g.Note(err); errkind.Of(err) == errkind.Exhausted {
		return nil
	}
	return err
}
