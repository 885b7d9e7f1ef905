// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"fairlead/internal/demo"
)

const (
	folderPattern = "fairlead-tickets-*"
	// lockName is the file whose lock the run of a folder holds while it lives.
	lockName = "lock"
	// keptName marks a folder that is left for people to look at.
	keptName = "kept"
)

// folder is the one place of a run.
type folder struct {
	path string
	lock *os.File
}

// makeFolder makes it below the folder that is named, or in memory, where runs that were killed left their
// homes, and what still runs in them: these are ended and removed first.
func makeFolder(ctx context.Context, below string) (*folder, error) {
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); below == "" && err == nil {
		below = memory
	}
	if below == "" {
		below = os.TempDir()
	}
	if err := sweepFolders(ctx, below); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(below, folderPattern)
	if err != nil {
		return nil, err
	}
	// Locked before it has the name that others look for.
	lock, err := os.OpenFile(filepath.Join(path, lockName+".new"), os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err == nil {
		err = os.Rename(lock.Name(), filepath.Join(path, lockName))
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return &folder{path: path, lock: lock}, nil
}

// keep leaves the folder for people.
func (f *folder) keep() error { return os.WriteFile(filepath.Join(f.path, keptName), nil, 0o600) }

// sweepFolders removes the folders below a folder whose runs live no more and that nobody wants kept.
func sweepFolders(ctx context.Context, below string) error {
	locks, err := filepath.Glob(filepath.Join(below, folderPattern, lockName))
	if err != nil {
		return err
	}
	for _, path := range locks {
		if err := sweepFolder(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

func sweepFolder(ctx context.Context, lockPath string) error {
	dir := filepath.Dir(lockPath)
	if _, err := os.Stat(filepath.Join(dir, keptName)); err == nil {
		return nil
	}
	lock, err := os.Open(lockPath)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil // its run lives
	}
	return errors.Join(demo.Sweep(ctx, dir), os.RemoveAll(dir))
}
