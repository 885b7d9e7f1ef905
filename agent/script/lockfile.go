// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"fairlead/internal/contract"
)

const (
	lockPrefix = ".lock-"
	// machineLock is shared by all orders and held alone by a full one.
	machineLock = lockPrefix + "machine"
)

// fileLocks are the isolation lock as the kernel keeps it: gone with the shim, whatever ends it.
type fileLocks []*os.File

// tryLock takes the locks of an isolation level in the folder dir, all or none, without waiting.
func tryLock(dir string, i contract.Isolation) (fileLocks, bool, error) {
	mode := syscall.LOCK_SH
	if i.Level == contract.IsolationFull {
		mode = syscall.LOCK_EX
	}
	var locks fileLocks
	ok, err := locks.add(filepath.Join(dir, machineLock), mode)
	if ok && err == nil && i.Level == contract.IsolationNamed {
		ok, err = locks.add(filepath.Join(dir, lockFileOf(i.Name)), syscall.LOCK_EX)
	}
	if !ok || err != nil {
		locks.release()
		return nil, false, err
	}
	return locks, true, nil
}

func lockFileOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return lockPrefix + "name-" + hex.EncodeToString(sum[:16])
}

func (l *fileLocks) add(path string, mode int) (bool, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return false, storage("take the isolation lock", err)
	}
	*l = append(*l, file)
	err = syscall.Flock(int(file.Fd()), mode|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, storage("take the isolation lock", err)
	}
	return stillThere(file, path), nil
}

// stillThere is false when the file was removed between its opening and its locking: then others
// lock another file under the same name.
func stillThere(file *os.File, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(mine, there)
}

func (l fileLocks) release() {
	for _, file := range l {
		_ = file.Close()
	}
}

// sweepLocks removes the locks of names when nothing runs, since names come and go.
func sweepLocks(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), lockPrefix+"name-") {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}
