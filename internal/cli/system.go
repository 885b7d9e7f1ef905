// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"syscall"
	"unsafe"
)

// System connects a command line to the process it runs in. Only main calls it.
func System() IO {
	return IO{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv,
		Typed: columnsOf(os.Stdin) > 0, Columns: columnsOf(os.Stdout), ErrColumns: columnsOf(os.Stderr),
		Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

const fallbackColumns = 80

// columnsOf is the width of a terminal, or 0 when f is none.
func columnsOf(f *os.File) int {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	var size struct{ rows, columns, x, y uint16 }
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	})
	switch {
	case err != nil || errno != 0:
		return 0
	case size.columns == 0:
		return fallbackColumns
	}
	return int(size.columns)
}
