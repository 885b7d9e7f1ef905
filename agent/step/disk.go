// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// syncfsNumbers are the system call's numbers (syscalls(2)); package syscall is older than it.
var syncfsNumbers = map[string]uintptr{"amd64": 306, "arm64": 267, "arm": 373, "386": 344}

// syncDisk makes everything durable that was written to the folder's file system: one call for a
// whole tree, where fsync would be one for each file. Kernels and machines without syncfs sync all.
func syncDisk(folder *os.Root) error {
	number, known := syncfsNumbers[runtime.GOARCH]
	if !known {
		syscall.Sync()
		return nil
	}
	f, err := folder.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, _, errno := syscall.Syscall(number, f.Fd(), 0, 0); errno == syscall.ENOSYS {
		syscall.Sync()
	} else if errno != 0 {
		return os.NewSyscallError("syncfs", errno)
	}
	return nil
}

// syncFolder makes the folder's own entries durable.
func syncFolder(folder *os.Root) error {
	f, err := folder.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
