// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	unfinishedMark = ".tmp-"
	// maxUnfinished is how many files that crashes left may lie beside one that is written.
	maxUnfinished = 1000
)

// Replace writes a file in place of the one before it, if there is one. Errors: Exhausted (disk
// full), Denied, NotFound (no such folder), Internal.
func Replace(disk host.Disk, path string, text []byte) error {
	return write(disk, path, text, func(unfinished string) error { return os.Rename(unfinished, path) })
}

// Create writes a new file. Errors: Conflict (it exists), and those of Replace.
func Create(disk host.Disk, path string, text []byte) error {
	return write(disk, path, text, func(unfinished string) error {
		err := os.Link(unfinished, path) // unlike rename, link never replaces
		if errors.Is(err, fs.ErrExist) {
			return errkind.Conflict.Errorf("write %s: it exists already", path)
		}
		return errors.Join(err, os.Remove(unfinished))
	})
}

// Swap writes a file whole, in place of the one before it, for whoever reads it while the machine is
// up: it is not synced, so after a power cut the old content may be there, or none. Errors: those of
// Replace.
func Swap(path string, text []byte) error {
	file, err := Unfinished(path)
	if err != nil {
		return fault(path, err)
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return fault(path, err)
}

// IsUnfinished reports whether a file of this name was being written when somebody died.
func IsUnfinished(name string) bool { return strings.Contains(name, unfinishedMark) }

func write(disk host.Disk, path string, text []byte, place func(unfinished string) error) (err error) {
	file, err := Unfinished(path)
	if err != nil {
		return fault(path, err)
	}
	_, err = file.Write(text)
	if err == nil {
		err = disk.Sync(file)
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = place(file.Name())
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fault(path, err)
	}
	return fault(path, disk.SyncFolder(filepath.Dir(path)))
}

// Unfinished makes a new file beside path, mode 0600, for whoever gives it its name himself.
// Errors: the file system's, Exhausted.
func Unfinished(path string) (*os.File, error) {
	for n := range maxUnfinished {
		name := path + unfinishedMark + strconv.Itoa(n)
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
	return nil, errkind.Hinted(
		errkind.Exhausted.Errorf("write %s: %d unfinished files lie beside it, the most there may be", path, maxUnfinished),
		"remove the files %s%s*: programs that died left them", path, unfinishedMark)
}

// fault gives an error of the file system its kind. What has one keeps it.
func fault(path string, err error) error {
	kind := errkind.Internal
	inner, is := errors.AsType[*fs.PathError](err)
	if is && err.Error() == inner.Error() && strings.HasPrefix(inner.Path, path) {
		err = inner.Err // the path is said below
	}
	switch {
	case err == nil:
		return nil
	case errkind.Of(err) != errkind.Internal:
		return err
	case IsFull(err):
		kind = errkind.Exhausted
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		kind = errkind.Denied
	case errors.Is(err, fs.ErrNotExist):
		kind = errkind.NotFound
	}
	return kind.Errorf("write %s: %w", path, err)
}
