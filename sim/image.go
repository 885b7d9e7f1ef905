// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// image is a copy of a disk in the making.
type image struct {
	placed map[inode]string // where a file or folder lies already: other names of a file are hard links
}

func newImage() *image { return &image{placed: map[inode]string{}} }

// fresh notes where an inode comes to lie. A file that lies there already gets another name, and a
// folder none: it can only have one.
func (m *image) fresh(e entry, to string) (isFresh bool, err error) {
	first, known := m.placed[e.id]
	if !known {
		m.placed[e.id] = to
		return true, nil
	}
	if e.mode.IsDir() {
		return false, nil
	}
	return false, os.Link(first, to)
}

// folder makes a folder and fills it.
func (m *image) folder(to string, e entry, fill func() error) error {
	m.placed[e.id] = to
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	if err := fill(); err != nil {
		return err
	}
	return os.Chmod(to, e.mode.Perm())
}

// file writes a file; a time that is not zero dates it.
func (m *image) file(to string, c content, changed time.Time) error {
	fd, err := makeAt(to)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	if c.sparse {
		err = writeSparse(fd, c.data)
	} else {
		err = writeAt(fd, c.data, 0)
	}
	if err == nil && c.mode != madeMode {
		err = syscall.Fchmod(fd, uint32(c.mode))
	}
	if err == nil && !changed.IsZero() {
		err = os.Chtimes(to, changed, changed)
	}
	return err
}

// writeSparse leaves holes where there are pages of zeros.
func writeSparse(fd int, data []byte) error {
	for at := 0; at < len(data); at += pageBytes {
		page := data[at:min(at+pageBytes, len(data))]
		if slices.Max(page) == 0 {
			continue
		}
		if err := writeAt(fd, page, int64(at)); err != nil {
			return err
		}
	}
	return syscall.Ftruncate(fd, int64(len(data)))
}

// Copy makes a copy of a folder at to, which must not exist, with modes, dates, hard and symbolic
// links. As the page cache outlives a killed process, it is what another process would find there.
// What was durable in it on this disk is durable in the copy; a copy of another disk is not.
func (d *Disk) Copy(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, err := inodeAt(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	m := newImage()
	if err := m.copyFolder(entry{id: id, mode: info.Mode()}, from, to); err != nil {
		return err
	}
	return d.carryOver(m)
}

func (m *image) copyFolder(e entry, from, to string) error {
	list, err := namesIn(from)
	if err != nil {
		return err
	}
	return m.folder(to, e, func() error {
		for _, name := range list.sorted() {
			if err := m.copyEntry(list[name], filepath.Join(from, name), filepath.Join(to, name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *image) copyEntry(e entry, from, to string) error {
	if isFresh, err := m.fresh(e, to); !isFresh {
		return err
	}
	switch {
	case e.mode.IsDir():
		return m.copyFolder(e, from, to)
	case e.mode&fs.ModeSymlink != 0:
		return os.Symlink(e.target, to)
	}
	c, changed, err := readContent(from)
	if err != nil {
		return err
	}
	return m.file(to, c, changed)
}

// carryOver lets the disk remember of a copy what it remembers of the original.
func (d *Disk) carryOver(m *image) error {
	twin := map[inode]inode{}
	for old, path := range m.placed {
		id, err := inodeAt(path)
		if err != nil {
			return err
		}
		twin[old] = id
	}
	for old, id := range twin {
		if c, ok := d.files[old]; ok {
			d.files[id] = c
		}
		if given, ok := d.dropped[old]; ok {
			d.dropped[id] = given
		}
		if list, ok := d.folders[old]; ok {
			d.folders[id] = list.translated(twin)
		}
	}
	return nil
}

// translated are the names with the ids of a copy. What was removed has none, and keeps its own.
func (n names) translated(twin map[inode]inode) names {
	out := names{}
	for name, e := range n {
		if id, ok := twin[e.id]; ok {
			e.id = id
		}
		out[name] = e
	}
	return out
}

func (n names) sorted() []string { return slices.Sorted(maps.Keys(n)) }
