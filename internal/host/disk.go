// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// Disk makes durable what was written: it survives a power cut from then on. After an error it may
// or may not; a second try could report a success that is none, so whoever gets one stops or
// writes anew.
type Disk interface {
	// Sync makes the content of an open file durable, or the names in an open folder. A file's own
	// name is its folder's content.
	Sync(f *os.File) error
	// SyncFolder makes the names in the folder at path durable.
	SyncFolder(path string) error
	// SyncAll makes everything durable that lies on the file system of an open folder: one call for
	// a whole tree, where Sync would be one for each file.
	SyncAll(folder *os.File) error
}

// Fsync is the Disk of a real machine. Source: fsync(2), syncfs(2).
type Fsync struct{}

// Sync implements Disk.
func (Fsync) Sync(f *os.File) error { return f.Sync() }

// SyncFolder implements Disk.
func (Fsync) SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// SyncAll implements Disk. Kernels and machines without syncfs sync all.
func (Fsync) SyncAll(folder *os.File) error {
	number := syncfsNumber(runtime.GOARCH)
	if number == 0 {
		syscall.Sync()
		return nil
	}
	switch _, _, errno := syscall.Syscall(number, folder.Fd(), 0, 0); errno {
	case 0:
	case syscall.ENOSYS:
		syscall.Sync()
	default:
		return os.NewSyscallError("syncfs", errno)
	}
	return nil
}

// syncfsNumber is the number of the system call, or 0 when it is not known; package syscall is
// older than it. Source: syscalls(2).
func syncfsNumber(arch string) uintptr {
	switch arch {
	case "amd64":
		return 306
	case "arm64":
		return 267
	case "arm":
		return 373
	case "386":
		return 344
	}
	return 0
}
