// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	fuse "github.com/hanwen/go-fuse/v2/fs"
)

// disk is what lies in a folder, and what of it was synced. What lay there at the start was.
type disk struct {
	folder string
	faults faults

	mu      sync.Mutex // guards what follows
	files   map[uint64]content
	folders map[uint64]map[string]entry
}

// content is what a file held when it was synced.
type content struct {
	data []byte
	mode fs.FileMode
}

// entry is what a name in a folder stood for when the folder was synced.
type entry struct {
	inode uint64
	mode  fs.FileMode
}

func newDisk(folder string) (*disk, error) {
	d := &disk{folder: folder, files: map[uint64]content{}, folders: map[uint64]map[string]entry{}}
	err := filepath.WalkDir(folder, func(path string, one fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case one.IsDir():
			return failure(d.keepFolder(path))
		case one.Type().IsRegular():
			info, err := one.Info()
			if err != nil {
				return err
			}
			data, err := os.ReadFile(path)
			d.files[inodeOf(info)] = content{data, info.Mode().Perm()}
			return err
		}
		return nil
	})
	return d, err
}

// failure makes an error of a number that may be none.
func failure(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

func inodeOf(info fs.FileInfo) uint64 {
	if stat, is := info.Sys().(*syscall.Stat_t); is {
		return stat.Ino
	}
	return 0
}

// forget is for a file that has just come to be: its number may have been another's.
func (d *disk) forget(inode uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, inode)
}

// keepFile remembers what a file holds. One that has lost its name is kept by nobody.
func (d *disk) keepFile(path string) syscall.Errno {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fuse.ToErrno(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[inodeOf(info)] = content{data, info.Mode().Perm()}
	return 0
}

// keepFolder remembers the names in a folder.
func (d *disk) keepFolder(path string) syscall.Errno {
	info, err := os.Lstat(path)
	if err != nil {
		return syscall.ENOENT
	}
	list, err := os.ReadDir(path)
	if err != nil {
		return syscall.ENOENT
	}
	names := map[string]entry{}
	for _, one := range list {
		if info, err := one.Info(); err == nil && (one.IsDir() || one.Type().IsRegular()) {
			names[one.Name()] = entry{inodeOf(info), info.Mode()}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.folders[inodeOf(info)] = names
	return 0
}

// cut builds what a power cut would leave: names of folders as they were synced, content of files
// likewise, and nothing for what was never synced.
func (d *disk) cut(to string) error {
	info, err := os.Lstat(d.folder)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.place(inodeOf(info), to, map[uint64]string{})
}

func (d *disk) place(inode uint64, to string, placed map[uint64]string) error {
	for name, e := range d.folders[inode] {
		path := filepath.Join(to, name)
		var err error
		switch first, known := placed[e.inode]; {
		case e.mode.IsDir():
			if err = os.MkdirAll(path, e.mode.Perm()); err == nil {
				err = d.place(e.inode, path, placed)
			}
		case known:
			err = os.Link(first, path)
		default:
			placed[e.inode] = path
			err = os.WriteFile(path, d.files[e.inode].data, e.mode.Perm())
		}
		if err != nil {
			return errors.Join(err)
		}
	}
	return nil
}
