// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// checkCopy refuses folders that nobody means: those at the top of the file system, or unclear ones.
func checkCopy(c *contract.Copy) error {
	if c == nil {
		return nil
	}
	isClean := filepath.IsAbs(c.Path) && filepath.Clean(c.Path) == c.Path
	if !isClean || strings.Count(c.Path, "/") < 2 || len(c.Path) > 1024 {
		err := errkind.Invalid.Errorf("custom folder %.200q: want an absolute path of two names or more", c.Path)
		return errkind.Hinted(err, "write it like /srv/web, without dots")
	}
	return checkGlobs(c.Keep)
}

// copy brings the installation to the folder of the machine's own that the order names. Nothing undoes it.
func (s *step) copy(ctx context.Context) error {
	c := s.pack.Copy
	if c == nil {
		return nil
	}
	if err := checkOutside(s.Home, c.Path); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Path, 0o755); err != nil {
		return err
	}
	to, err := os.OpenRoot(c.Path)
	if err != nil {
		return err
	}
	defer to.Close()
	if c.Purge {
		removed, err := s.purge(ctx, to, ".", c.Keep)
		if err != nil {
			return errkind.Of(err).Errorf("purge %s: %w", c.Path, err)
		}
		s.say("purged %s: %s removed", c.Path, counted(removed, "item"))
	}
	s.Point("step.purged")
	from, err := s.place.root.OpenRoot(s.folder)
	if err != nil {
		return err
	}
	defer from.Close()
	files := 0
	err = fs.WalkDir(from.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil || name == "." {
			return err
		}
		if d.Type().IsRegular() {
			files++
		}
		return copyEntry(from, to, name, d)
	})
	if err == nil {
		err = syncAll(s.Disk, to)
	}
	if err != nil {
		return errkind.Of(err).Errorf("copy to %s: %w", c.Path, err)
	}
	s.Point("step.copied")
	s.say("copied %s to %s", counted(files, "file"), c.Path)
	s.dir = c.Path
	return s.prepareHooks() // the variables say the new place
}

// checkOutside refuses a folder that is the agent's own, lies in it or around it, whatever links and mounts
// the two paths lead through.
func checkOutside(home, folder string) error {
	there := folder // as much of it as there is: what is not there holds nothing and is no link
	for {
		_, err := os.Lstat(there)
		if err == nil || !errors.Is(err, fs.ErrNotExist) || there == "/" {
			break
		}
		there = filepath.Dir(there)
	}
	inside, err := leadsInto(home, there)
	if err == nil && !inside && there == folder {
		inside, err = leadsInto(folder, home)
	}
	if err != nil {
		return errkind.Of(err).Errorf("custom folder %s: %w", folder, err)
	}
	if inside {
		err := errkind.Invalid.Errorf("custom folder %s lies in the agent's own, or around it", folder)
		return errkind.Hinted(err, "the agent's own is %s; choose a folder that leads nowhere near it, also by links", home)
	}
	return nil
}

// leadsInto reports whether a path leads to a folder, or to something in it.
func leadsInto(folder, name string) (bool, error) {
	want, err := os.Stat(folder)
	if err != nil {
		return false, err
	}
	name, err = filepath.EvalSymlinks(name)
	for ; err == nil; name = filepath.Dir(name) {
		info, serr := os.Stat(name)
		if serr != nil || os.SameFile(info, want) {
			return serr == nil, serr
		}
		if name == "/" {
			return false, nil
		}
	}
	return false, err
}

// purge empties a folder but for what fits a pattern, and the folders on the way there.
func (s *step) purge(ctx context.Context, root *os.Root, folder string, keep []string) (removed int, err error) {
	f, err := root.Open(folder)
	if err != nil {
		return 0, err
	}
	entries, err := f.ReadDir(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		name := path.Join(folder, entry.Name())
		if fitsAny(keep, name) {
			continue
		}
		if entry.IsDir() && len(keep) > 0 {
			n, err := s.purge(ctx, root, name, keep)
			if removed += n; err != nil {
				return removed, err
			}
			if left, err := fs.ReadDir(root.FS(), name); err != nil || len(left) > 0 {
				if err != nil {
					return removed, err
				}
				continue
			}
		}
		if err := root.RemoveAll(name); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

func fitsAny(globs []string, name string) bool {
	for _, glob := range globs {
		if matchGlob(glob, name) {
			return true
		}
	}
	return false
}

// copyEntry copies a folder, a file or a link. A file appears whole.
func copyEntry(from, to *os.Root, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	switch {
	case d.IsDir():
		err := to.Mkdir(name, info.Mode().Perm())
		if errors.Is(err, fs.ErrExist) { // the mode that somebody gave it is the machine's own affair
			return nil
		}
		if err != nil {
			return err
		}
		return to.Chmod(name, info.Mode().Perm()) // whatever the umask
	case d.Type()&fs.ModeSymlink != 0:
		target, err := from.Readlink(name)
		if err != nil {
			return err
		}
		temp, err := freeTemp(to, name)
		if err == nil {
			err = to.Symlink(target, temp)
		}
		if err != nil {
			return err
		}
		return rename(to, temp, name)
	case d.Type().IsRegular():
		return copyFile(from, to, name, info.Mode().Perm())
	}
	return nil // a package brings nothing else
}

func copyFile(from, to *os.Root, name string, mode fs.FileMode) error {
	in, err := from.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	temp, err := freeTemp(to, name)
	if err != nil {
		return err
	}
	out, err := to.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Chmod(mode)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, to.Remove(temp))
	}
	return rename(to, temp, name)
}

// freeTemp is the name that something has until it is whole, the same each time: a copy that died may have
// left it behind. It is short whatever the name, and none that a package brings.
func freeTemp(root *os.Root, name string) (string, error) {
	sum := sha256.Sum256([]byte(path.Base(name)))
	temp := path.Join(path.Dir(name), partialStart+hex.EncodeToString(sum[:8]))
	return temp, root.RemoveAll(temp)
}

// rename gives a file its name, or removes it.
func rename(root *os.Root, temp, name string) error {
	if err := root.Rename(temp, name); err != nil {
		return errors.Join(err, root.Remove(temp))
	}
	return nil
}
