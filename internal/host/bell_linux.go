// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"fairlead/internal/errkind"
)

const (
	maxWordBytes = 255
	// maxSocketPathBytes is how long a path fits into sockaddr_un with its closing NUL.
	maxSocketPathBytes = 107
	// oPath is O_PATH, which package syscall does not name on every architecture.
	oPath = 0x200000
)

// realBells are unix datagram sockets: one word, one datagram.
type realBells struct{}

type realBell struct{ conn *net.UnixConn }

// Open makes the socket with mode 0600. Errors: Conflict (a living process holds it), or the
// file system's.
func (realBells) Open(path string) (Bell, error) {
	name, done, err := socketName(path)
	if err != nil {
		return nil, errkind.Internal.Errorf("open bell %q: %w", path, err)
	}
	defer done()
	if heard(name) {
		return nil, errkind.Conflict.Errorf("open bell %q: another process listens there", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errkind.Internal.Errorf("replace a stale bell: %w", err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, errkind.Internal.Errorf("open bell %q: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(errkind.Internal.Errorf("open bell: %w", err), conn.Close())
	}
	return &realBell{conn: conn}, nil
}

// Ring never blocks: a full queue means that the listener will wake anyway.
func (realBells) Ring(path, word string) {
	name, done, err := socketName(path)
	if err != nil {
		return
	}
	defer done()
	fd, err := datagramSocket()
	if err != nil {
		return
	}
	defer syscall.Close(fd)
	_ = syscall.Sendto(fd, []byte(word[:min(len(word), maxWordBytes)]), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL,
		&syscall.SockaddrUnix{Name: name})
}

// heard reports whether a living socket is bound at name.
func heard(name string) bool {
	fd, err := datagramSocket()
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	return syscall.Connect(fd, &syscall.SockaddrUnix{Name: name}) == nil
}

func datagramSocket() (int, error) {
	return syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
}

// socketName gives a name for path that fits into a socket address: a long path is reached
// through a descriptor of its folder, which done gives back.
func socketName(path string) (name string, done func(), err error) {
	if len(path) <= maxSocketPathBytes {
		return path, func() {}, nil
	}
	fd, err := syscall.Open(filepath.Dir(path), oPath|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	return "/proc/self/fd/" + strconv.Itoa(fd) + "/" + filepath.Base(path), func() { syscall.Close(fd) }, nil
}

func (b *realBell) Wait(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := b.conn.SetReadDeadline(time.Time{}); err != nil {
		return "", err
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = b.conn.SetReadDeadline(time.Unix(1, 0))
		close(woken)
	})
	defer func() {
		if !stop() {
			<-woken // or it would end a later Wait
		}
	}()
	var word [maxWordBytes]byte
	n, _, err := b.conn.ReadFromUnix(word[:])
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", err
	}
	return string(word[:n]), nil
}

func (b *realBell) Close() error { return b.conn.Close() }
