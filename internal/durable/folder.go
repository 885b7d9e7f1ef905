// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fairlead/internal/host"
)

// MakeFolder makes a folder and those above it, mode 0700, where they are missing. Its name is
// durable also when it was there: whoever made it may have died in between. Errors: those of Replace.
func MakeFolder(disk host.Disk, path string) error {
	made := missing(filepath.Clean(path))
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fault(path, err)
	}
	if len(made) == 0 {
		made = []string{path}
	}
	for _, one := range made {
		if err := disk.SyncFolder(filepath.Dir(one)); err != nil {
			return fault(path, err)
		}
	}
	return nil
}

// missing lists path and the folders above it that are not there, the lowest first.
func missing(path string) (names []string) {
	for {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return names
		}
		names = append(names, path)
		path = filepath.Dir(path)
	}
}

// SyncIn makes the names in a folder below root durable; "." is root itself. Errors: the file
// system's.
func SyncIn(disk host.Disk, root *os.Root, folder string) error {
	f, err := root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(disk.Sync(f), f.Close())
}
