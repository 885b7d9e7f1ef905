// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"fairlead/internal/errkind"
)

const (
	privateMode      fs.FileMode = 0o600
	maxPrivateBytes              = 64 << 10
	othersPermission fs.FileMode = 0o077
)

// readPrivate reads a regular file that belongs to us or to root and that nobody else can read.
// A symlink is refused, so nobody can lend us another file's name. Errors: NotFound, Denied.
func readPrivate(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errkind.NotFound.Errorf("read %s: %w", path, err)
	case errors.Is(err, syscall.ELOOP):
		return nil, errkind.Hinted(errkind.Denied.Errorf("read %s: it is a symbolic link", path),
			"put the file itself there: secrets are not read through links")
	case err != nil:
		return nil, errkind.Denied.Errorf("read %s: %w", path, err)
	}
	defer file.Close()
	if err := checkPrivate(file); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(file, maxPrivateBytes+1))
	if err != nil {
		return nil, errkind.Internal.Errorf("read %s: %w", path, err)
	}
	if len(data) > maxPrivateBytes {
		return nil, errkind.Corrupt.Errorf("read %s: more than %d bytes", path, maxPrivateBytes)
	}
	return data, nil
}

func checkPrivate(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return errkind.Internal.Errorf("read %s: %w", file.Name(), err)
	}
	if !info.Mode().IsRegular() {
		return errkind.Denied.Errorf("read %s: it is no regular file (%s)", file.Name(), info.Mode().Type())
	}
	if info.Mode()&othersPermission != 0 {
		return errkind.Hinted(errkind.Denied.Errorf("read %s: mode is %04o, so other users can read or change it",
			file.Name(), info.Mode().Perm()), "chmod 600 %s", file.Name())
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return errkind.Hinted(errkind.Denied.Errorf("read %s: it belongs to user %d, this program runs as user %d",
			file.Name(), stat.Uid, os.Geteuid()), "chown %d %s", os.Geteuid(), file.Name())
	}
	return nil
}

// createPrivate writes a new file durably and whole. Errors: Conflict (it exists), Denied.
func createPrivate(path string, data []byte) error {
	return writePrivate(path, data, func(temp string) error {
		err := os.Link(temp, path) // unlike rename, link never replaces
		if errors.Is(err, fs.ErrExist) {
			return errkind.Conflict.Errorf("write %s: it exists already", path)
		}
		return errors.Join(err, os.Remove(temp))
	})
}

// replacePrivate writes a file durably and whole in place of the one before it.
func replacePrivate(path string, data []byte) error {
	return writePrivate(path, data, func(temp string) error { return os.Rename(temp, path) })
}

func writePrivate(path string, data []byte, place func(temp string) error) (err error) {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, ".trust-*") // mode 0600, exclusive
	if err != nil {
		return fileError(path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = place(file.Name())
	}
	if err == nil {
		err = syncFolder(dir)
	}
	return fileError(path, err)
}

func fileError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errkind.Of(err) != errkind.Internal:
		return err
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return errkind.Exhausted.Errorf("write %s: %w", path, err)
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return errkind.Denied.Errorf("write %s: %w", path, err)
	case errors.Is(err, fs.ErrNotExist):
		return errkind.NotFound.Errorf("write %s: %w", path, err)
	}
	return errkind.Internal.Errorf("write %s: %w", path, err)
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
