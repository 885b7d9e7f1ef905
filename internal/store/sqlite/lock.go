// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"fairlead/internal/errkind"
)

// lock keeps a second process out. The kernel frees it when the process dies; the file stays.
type lock struct{ file *os.File }

// maxLockBytes is how much of a lock file is read to name its holder.
const maxLockBytes = 32

// acquire takes the lock without waiting. Errors: Conflict naming the process that holds it.
func acquire(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fault("open lock "+path, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		err = sign(f)
	}
	if err == nil {
		return &lock{f}, nil
	}
	if err == syscall.EWOULDBLOCK {
		err = errkind.Hinted(errkind.Conflict.Errorf("home is in use by process %s", holder(f)),
			"stop that server first, or give this one another home")
	} else {
		err = fault("lock "+path, err)
	}
	_ = f.Close()
	return nil, err
}

func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func holder(f *os.File) string {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxLockBytes))
	pid, perr := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || perr != nil {
		return "(unknown)"
	}
	return strconv.Itoa(pid)
}

// release unlocks by name: closing alone would leave the lock with a process that is being started
// at this moment and holds a copy of every descriptor until it executes its program.
func (l *lock) release() error {
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
}
