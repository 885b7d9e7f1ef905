// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package secret

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

// maxKeyFileBytes is more than a key file ever has.
const maxKeyFileBytes = 4 << 10

// Save writes the key as a new file, mode 0600, whole or not at all. Errors: Conflict (the file
// exists), Denied, Exhausted, NotFound (no such folder).
func (k Key) Save(disk host.Disk, path string) error {
	return durable.Create(disk, path, []byte(k.Text()+"\n"))
}

// LoadKey reads a file that Save wrote. Errors: NotFound, Denied (others may read it, it is a link or
// belongs to somebody else), Invalid (it holds no key).
func LoadKey(path string) (Key, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Key{}, errkind.NotFound.Errorf("there is no master key at %s", path)
	case errors.Is(err, fs.ErrPermission):
		return Key{}, errkind.Hinted(errkind.Denied.Errorf("open the master key: %w", err),
			"this program runs as user %d: the key must belong to it", os.Geteuid())
	case err != nil:
		return Key{}, errkind.Denied.Errorf("open the master key: %w", err)
	}
	defer file.Close()
	if err := checkPrivate(file); err != nil {
		return Key{}, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFileBytes))
	if err != nil {
		return Key{}, errkind.Denied.Errorf("read the master key: %w", err)
	}
	key, err := ParseKey(string(text))
	if err != nil {
		return Key{}, errkind.Invalid.Errorf("read %s: %w", path, err)
	}
	return key, nil
}

func checkPrivate(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return errkind.Denied.Errorf("look at the master key: %w", err)
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return errkind.Denied.Errorf("the master key %s is no plain file", file.Name())
	case info.Mode().Perm()&0o077 != 0:
		return errkind.Hinted(errkind.Denied.Errorf("the master key %s may be read by others: mode %04o", file.Name(),
			info.Mode().Perm()), "look who has read it, then: chmod 600 %s", file.Name())
	case known && int(owner.Uid) != os.Geteuid() && owner.Uid != 0:
		return errkind.Hinted(errkind.Denied.Errorf("the master key %s belongs to user %d, and this program runs as %d",
			file.Name(), owner.Uid, os.Geteuid()), "run it as the server's user: sudo -u '#%d' …", owner.Uid)
	}
	return nil
}
