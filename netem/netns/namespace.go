// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

const (
	// spacesDir is where iproute2 keeps the names of namespaces, namesDir what programs in them see
	// in the place of files below /etc.
	spacesDir = "/run/netns"
	namesDir  = "/etc/netns"
	tunPath   = "/dev/net/tun"
)

// setnsNumber is the system call setns, which package syscall does not know everywhere.
func setnsNumber() (uintptr, error) {
	switch runtime.GOARCH {
	case "amd64":
		return 308, nil
	case "arm64", "riscv64", "loong64":
		return 268, nil
	case "arm":
		return 375, nil
	}
	return 0, fmt.Errorf("enter a namespace: the number of setns on %s is not known here", runtime.GOARCH)
}

func setns(space *os.File) error {
	number, err := setnsNumber()
	if err != nil {
		return err
	}
	if _, _, e := syscall.RawSyscall(number, space.Fd(), syscall.CLONE_NEWNET, 0); e != 0 {
		return fmt.Errorf("enter %s: %w", space.Name(), e)
	}
	return nil
}

// within calls do on a thread that is in a network namespace. do must not start goroutines that rely
// on it: they run elsewhere.
func within(space string, do func() error) error {
	target, err := os.Open(filepath.Join(spacesDir, space))
	if err != nil {
		return fmt.Errorf("enter a namespace: %w", err)
	}
	defer target.Close()
	runtime.LockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("find our own namespace: %w", err)
	}
	defer own.Close()
	if err := setns(target); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = do()
	if back := setns(own); back != nil {
		return errors.Join(err, back) // the thread stays locked and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// dial connects from within a namespace. A connection stays in the namespace of the thread that
// made its socket, and a dialler makes it where it is called when nothing has to be resolved.
func dial(ctx context.Context, space, address string) (conn net.Conn, err error) {
	err = within(space, func() error {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "tcp4", address)
		return err
	})
	return conn, err
}

// listen accepts connections from within a namespace, as dial makes them.
func listen(ctx context.Context, space, address string) (listener net.Listener, err error) {
	err = within(space, func() error {
		var c net.ListenConfig
		listener, err = c.Listen(ctx, "tcp4", address)
		return err
	})
	return listener, err
}

// writeSettings writes files below /proc/sys of a namespace.
func writeSettings(space string, settings [][2]string) error {
	return within(space, func() error {
		for _, s := range settings {
			if err := os.WriteFile(filepath.Join("/proc/sys", s[0]), []byte(s[1]), 0); err != nil {
				return fmt.Errorf("set %s of %s to %s: %w", s[0], space, s[1], err)
			}
		}
		return nil
	})
}
