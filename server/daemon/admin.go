// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"fairlead/internal/errkind"
	"fairlead/internal/home"
)

// The admin socket lets commands on this machine act as the administrator: whoever may open it
// (mode 0600 in a folder of mode 0700) could read the database as well. It is HTTP over a unix
// socket, with the same routes as the network has.

// listenAdmin opens the socket at path; a stale one is replaced, as the home's lock is ours.
func listenAdmin(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errkind.Denied.Errorf("replace the admin socket: %w", err)
	}
	return atShortPath(path, func(short string) (net.Listener, error) {
		listener, err := net.Listen("unix", short)
		if err != nil {
			return nil, errkind.Denied.Errorf("open the admin socket %s: %w", path, err)
		}
		if unix, ok := listener.(*net.UnixListener); ok {
			unix.SetUnlinkOnClose(false) // its name is the short path, gone by then
		}
		return listener, os.Chmod(short, 0o600)
	})
}

// A server that is just starting holds its home before its socket is open.
const (
	adminLimit = 10 * time.Second
	adminPause = 50 * time.Millisecond
)

// dialAdmin opens a connection to the socket at path, and waits for a server that is just
// starting. Errors: Unavailable, Canceled.
func dialAdmin(ctx context.Context, path string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, adminLimit)
	defer cancel()
	for {
		conn, err := dialAdminOnce(path)
		if err == nil || !home.IsTaken(filepath.Dir(path)) {
			return conn, err
		}
		timer := time.NewTimer(adminPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

func dialAdminOnce(path string) (net.Conn, error) {
	return atShortPath(path, func(short string) (net.Conn, error) {
		conn, err := net.Dial("unix", short)
		if err != nil {
			return nil, errkind.Unavailable.Errorf("dial the admin socket %s: %w", path, err)
		}
		return conn, nil
	})
}

// atShortPath calls f with a path that fits a socket's 108 bytes, whatever the home is called.
func atShortPath[T any](path string, f func(short string) (T, error)) (result T, err error) {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return result, errkind.NotFound.Errorf("open home: %w", err)
	}
	defer folder.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path)))
}
