// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// Source: linux/if_tun.h.
const (
	tunSetInterface = 0x400454ca // TUNSETIFF
	tapDevice       = 0x0002     // IFF_TAP: whole Ethernet frames
	noPacketInfo    = 0x1000     // IFF_NO_PI
)

// interfaceRequest is struct ifreq as TUNSETIFF reads it.
type interfaceRequest struct {
	name  [16]byte
	flags uint16
	_     [22]byte
}

// openTap makes a TAP device in a namespace. It goes when the file is closed.
func openTap(space, device string) (file *os.File, err error) {
	err = within(space, func() error {
		fd, err := syscall.Open(tunPath, syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("open %s: %w", tunPath, err)
		}
		request := interfaceRequest{flags: tapDevice | noPacketInfo}
		copy(request.name[:len(request.name)-1], device)
		_, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), tunSetInterface, uintptr(unsafe.Pointer(&request)))
		if e != 0 {
			_ = syscall.Close(fd)
			return fmt.Errorf("make TAP device %s in %s: %w", device, space, e)
		}
		file = os.NewFile(uintptr(fd), space+"/"+device)
		return nil
	})
	return file, err
}
