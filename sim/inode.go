// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// inode names a file or a folder for ever, whatever it is called: the kernel's handle of it. An
// inode number alone is given to another file once its own is gone.
type inode string

const (
	atCurrentFolder = -100   // AT_FDCWD
	atEmptyPath     = 0x1000 // AT_EMPTY_PATH
	handleHeadBytes = 8      // length and kind
	maxHandleBytes  = 128    // MAX_HANDLE_SZ
)

// handleNumber is the number of name_to_handle_at. Source: syscalls(2).
func handleNumber(arch string) uintptr {
	switch arch {
	case "amd64":
		return 303
	case "arm64":
		return 264
	case "arm":
		return 370
	case "386":
		return 341
	}
	return 0
}

// inodeAt finds what path names; a symbolic link is a thing of its own.
func inodeAt(path string) (inode, error) { return inodeFrom(atCurrentFolder, path, 0) }

// inodeOf finds what an open file is.
func inodeOf(fd int) (inode, error) { return inodeFrom(fd, "", atEmptyPath) }

// inodeFrom asks the kernel. Source: name_to_handle_at(2), struct file_handle.
func inodeFrom(folder int, path string, flags uintptr) (inode, error) {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return "", err
	}
	var handle [handleHeadBytes + maxHandleBytes]byte
	var mount int32
	binary.NativeEndian.PutUint32(handle[:], maxHandleBytes)
	_, _, errno := syscall.RawSyscall6(handleNumber(runtime.GOARCH), uintptr(folder), uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(&handle)), uintptr(unsafe.Pointer(&mount)), flags, 0)
	if errno != 0 {
		return "", fmt.Errorf("ask for the handle of %q: %w; put the simulation's homes into /dev/shm", path, errno)
	}
	size := handleHeadBytes + binary.NativeEndian.Uint32(handle[:])
	return inode(strconv.Itoa(int(mount)) + "/" + string(handle[4:size])), nil
}
