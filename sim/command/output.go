// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"os"

	"fairlead/internal/errkind"
)

// writable sees, before anything runs, that a file can be written. flag is what the path was given
// with; an empty path is none. What was there stays. Errors: Invalid.
func writable(flag, path string) error {
	if path == "" {
		return nil
	}
	_, stat := os.Lstat(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err == nil {
		err = f.Close()
		if errors.Is(stat, os.ErrNotExist) {
			err = errors.Join(err, os.Remove(path))
		}
	}
	if err != nil {
		return errkind.Invalid.Errorf(
			"--%s: nothing can be written there: %w; make the folder, or name another file", flag, err)
	}
	return nil
}

// keepable sees, before anything runs, that a folder is there and takes files. Errors: Invalid.
func keepable(flag, dir string) error {
	err := os.MkdirAll(dir, 0o755)
	var f *os.File
	if err == nil {
		f, err = os.CreateTemp(dir, "running-")
	}
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return errkind.Invalid.Errorf("--%s %s: nothing can be kept there: %w; name another folder", flag, dir, err)
	}
	return nil
}
