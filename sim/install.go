// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Tree is a folder with what lies in it, in memory, to be installed on many disks. It does not change.
type Tree struct {
	mode    fs.FileMode
	folders map[string]*Tree
	files   map[string]content
	links   map[string]string // symbolic ones
}

// ReadTree reads a folder. Hard links become files of their own.
func ReadTree(folder string) (*Tree, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	list, err := namesIn(folder)
	if err != nil {
		return nil, err
	}
	t := &Tree{
		mode: info.Mode().Perm(), folders: map[string]*Tree{}, files: map[string]content{}, links: map[string]string{},
	}
	for name, e := range list {
		at := filepath.Join(folder, name)
		switch {
		case e.mode.IsDir():
			t.folders[name], err = ReadTree(at)
		case e.mode&fs.ModeSymlink != 0:
			t.links[name] = e.target
		default:
			t.files[name], _, err = readContent(at)
		}
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Install puts a tree at path, which must not exist, in a folder of the disk. All of it is durable then,
// and so are the folder's names.
func (d *Disk) Install(t *Tree, path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.install(t, path); err != nil {
		return err
	}
	above := filepath.Dir(path)
	id, err := inodeAt(above)
	if err != nil {
		return err
	}
	return d.noteFolder(id, above)
}

func (d *Disk) install(t *Tree, path string) error {
	m := newImage()
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	for name, c := range t.files {
		if err := m.file(filepath.Join(path, name), c, time.Time{}); err != nil {
			return err
		}
	}
	for name, target := range t.links {
		if err := os.Symlink(target, filepath.Join(path, name)); err != nil {
			return err
		}
	}
	for name, below := range t.folders {
		if err := d.install(below, filepath.Join(path, name)); err != nil {
			return err
		}
	}
	if t.mode != 0o700 {
		if err := os.Chmod(path, t.mode); err != nil {
			return err
		}
	}
	return d.noteInstalled(t, path)
}

// noteInstalled remembers a folder as durable without reading its files again.
func (d *Disk) noteInstalled(t *Tree, path string) error {
	id, err := inodeAt(path)
	if err != nil {
		return err
	}
	list, err := namesIn(path)
	if err != nil {
		return err
	}
	d.folders[id] = list
	for name, c := range t.files {
		if !alwaysDurable(name) {
			d.files[list[name].id] = c
		}
	}
	return nil
}
