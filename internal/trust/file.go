// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"fairlead/internal/errkind"
)

const (
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
