// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lockName is the file that a step locks while it works in a folder. The kernel lets go of the
// lock when the process ends, however it ends.
const lockName = ".lock"

// lockRetry is how often a taken lock is tried again: a blocking wait could not be canceled.
const lockRetry = 200 * time.Millisecond

type lock struct{ f *os.File }

// takeLock waits for the folder's lock; waiting is called once when it is taken by another.
func takeLock(ctx context.Context, folder *os.Root, waiting func()) (*lock, error) {
	f, err := folder.OpenFile(lockName, os.O_RDWR|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return &lock{f}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(err, f.Close())
		}
		if first {
			waiting()
		}
		timer := time.NewTimer(lockRetry)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-timer.C:
		}
	}
}

func (l *lock) release() { l.f.Close() }
