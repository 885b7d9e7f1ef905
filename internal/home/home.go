// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package home keeps the one folder a program lives in: made safely, held by one process at a time.
//
// It does not know what lies in the folder.
//
//  1. The folder is 0700 and belongs to the user the program runs as; a folder that others could
//     have changed is refused.
//  2. The lock goes with the process, however it ends.
//  3. The name of a folder that Make made is durable.
package home

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// unusable is the hint for a home that cannot be made or seen.
const unusable = "name a folder that this user can make, with --home DIR"

// Make creates the folder, or checks that nobody else may change it. Errors: Denied, with a hint.
func Make(disk host.Disk, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		if err := durable.MakeFolder(disk, path); err != nil {
			return errkind.Hinted(errkind.Denied.Errorf("make home folder: %w", err), unusable)
		}
		info, err = os.Lstat(path)
	}
	if err != nil {
		return errkind.Hinted(errkind.Denied.Errorf("look at home folder: %w", err), unusable)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		err = errkind.Denied.Errorf("home %s is not a folder but %s", path, info.Mode().Type())
	case info.Mode().Perm()&0o022 != 0:
		err = errkind.Denied.Errorf("home %s may be changed by others (mode %s)", path, info.Mode().Perm())
	case ok && int(owner.Uid) != os.Geteuid():
		err = errkind.Denied.Errorf(
			"home %s belongs to user %d, and this program runs as %d",
			path,
			owner.Uid,
			os.Geteuid(),
		)
	default:
		return os.Chmod(path, 0o700)
	}
	return errkind.Hinted(err, "use a folder of your own: --home DIR, or chmod 700 and chown this one")
}

// LockFile is the name of the file that is locked; it holds the process id.
const LockFile = "lock"

// Open file description locks belong to the open file, not to the process, so that two daemons
// in one process (the simulator) exclude each other too. Source: fcntl(2); package syscall lacks
// the names.
const (
	ofdGetLock = 36
	ofdSetLock = 37
)

const (
	// inheritedLimit is how long Take waits for a lock whose holder has died: a child that the
	// holder was just starting keeps the descriptor until its exec, some milliseconds later.
	inheritedLimit = 2 * time.Second
	inheritedPause = 20 * time.Millisecond
)

// Take locks the folder for this process until release. Errors: Conflict, which names the holder.
func Take(path string) (release func(), err error) {
	file, err := os.OpenFile(
		filepath.Join(path, LockFile),
		os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC|syscall.O_NOFOLLOW,
		0o600,
	)
	if err != nil {
		return nil, errkind.Denied.Errorf("open lock: %w", err)
	}
	if err := lock(file); err != nil {
		pid := readPid(file)
		_ = file.Close()
		return nil, errkind.Hinted(
			errkind.Conflict.Errorf("home %s is in use by process %s", path, pid),
			"one program runs for each home: stop that one first, or give this one another --home")
	}
	_ = file.Truncate(0)
	_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return func() { _ = file.Close() }, nil
}

func lock(file *os.File) (err error) {
	for waited := time.Duration(0); ; waited += inheritedPause {
		region := syscall.Flock_t{Type: syscall.F_WRLCK}
		err = syscall.FcntlFlock(file.Fd(), ofdSetLock, &region)
		if err == nil || waited >= inheritedLimit || alive(readPid(file)) {
			return err
		}
		<-time.NewTimer(inheritedPause).C
	}
}

func alive(pid string) bool {
	number, err := strconv.Atoi(pid)
	return err == nil && !errors.Is(syscall.Kill(number, 0), syscall.ESRCH)
}

func readPid(file *os.File) string {
	text := make([]byte, 20)
	n, _ := file.ReadAt(text, 0)
	return strings.TrimSpace(string(text[:n]))
}

// IsTaken reports whether some process holds the folder, without touching the lock.
func IsTaken(path string) bool {
	file, err := os.Open(filepath.Join(path, LockFile))
	if err != nil {
		return false
	}
	defer file.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	err = syscall.FcntlFlock(file.Fd(), ofdGetLock, &lock)
	return err == nil && lock.Type != syscall.F_UNLCK
}
