// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

const (
	// maxSyncedBytes is the longest file that is remembered: the longest log of a ticket or a task.
	maxSyncedBytes = 256 << 20
	// pageBytes is what a kernel writes back, or gives up, at once.
	pageBytes = 4 << 10
)

// Disk is the disk of a simulated machine: the files below a folder, and what of them was synced.
// It implements host.Disk without a real sync. It costs memory for each synced file as long as that
// may come back.
//
// SQLite syncs by itself, so its files are durable at all times. A full disk is not simulated:
// writes do not pass here.
type Disk struct {
	root string

	mu      sync.Mutex // held while files are read, never while somebody waits
	files   map[inode]content
	folders map[inode]names
	dropped map[inode][]byte // what a failed sync could not write
	fail    int              // the sync that fails, counted from the next; 0 means none
}

// content is what a file held when it was synced.
type content struct {
	data   []byte
	mode   fs.FileMode
	sparse bool // has holes, so it is written with holes
}

// names are a folder's entries.
type names map[string]entry

// entry is what a name stands for.
type entry struct {
	id     inode
	mode   fs.FileMode // the type; permissions of a folder alone
	target string      // of a symbolic link
}

// NewDisk is the disk below root, which must exist. Nothing on it is durable before Settle.
func NewDisk(root string) *Disk {
	return &Disk{
		root: root, files: map[inode]content{}, folders: map[inode]names{}, dropped: map[inode][]byte{},
	}
}

// stands says that the disk is the folder root from now on, a copy of the one before.
func (d *Disk) stands(root string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.root = root
}

// FailSync lets the n-th sync from now fail with EIO, and all after it; 0 mends the disk. As on
// Linux, a page that could not be written counts as written from then on: only when it is changed
// again does a later sync write it.
func (d *Disk) FailSync(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = n
}

// failing counts one sync and reports whether it fails.
func (d *Disk) failing() bool {
	if d.fail > 1 {
		d.fail--
		return false
	}
	return d.fail == 1
}

// Sync implements host.Disk.
func (d *Disk) Sync(f *os.File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	raw, err := f.SyscallConn() // not Fd: that costs the kernel two calls more
	if err != nil {
		return err
	}
	if lost := raw.Control(func(fd uintptr) { err = d.sync(int(fd), f.Name()) }); lost != nil {
		return lost
	}
	return err
}

// sync makes durable what is open as fd; name is for the error.
func (d *Disk) sync(fd int, name string) error {
	id, err := inodeOf(fd)
	if err != nil {
		return err
	}
	stat, err := statOf(fd)
	if err != nil {
		return err
	}
	path := "/proc/self/fd/" + strconv.Itoa(fd) // it may be open for writing alone, or have lost its name
	fails := d.failing()
	if isFolder(stat) {
		if !fails {
			return d.noteFolder(id, path)
		}
	} else if err := d.noteFile(id, path, fails); err != nil {
		return err
	}
	return failed(name, fails)
}

// failed is the error of a disk that failed.
func failed(path string, fails bool) error {
	if fails {
		return &fs.PathError{Op: "sync", Path: path, Err: syscall.EIO}
	}
	return nil
}

// SyncFolder implements host.Disk.
func (d *Disk) SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(folder), folder.Close())
}

// SyncAll implements host.Disk: the whole disk is one file system.
func (d *Disk) SyncAll(folder *os.File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if fails := d.failing(); fails {
		return failed(folder.Name(), fails)
	}
	return d.settle(d.root)
}

// Settle makes everything durable that lies in a folder of the disk, but not the folder's own name.
func (d *Disk) Settle(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settle(path)
}

func (d *Disk) settle(path string) error {
	id, err := inodeAt(path)
	if err != nil {
		return err
	}
	return d.settleFolder(id, path)
}

func (d *Disk) settleFolder(id inode, path string) error {
	list, err := namesIn(path)
	if err != nil {
		return err
	}
	d.folders[id] = list
	for name, e := range list {
		at := filepath.Join(path, name)
		switch {
		case e.mode.IsDir():
			err = d.settleFolder(e.id, at)
		case e.mode.IsRegular() && !alwaysDurable(at):
			err = d.noteFile(e.id, at, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// noteFile remembers a file's content as durable, or as given up.
func (d *Disk) noteFile(id inode, path string, fails bool) error {
	c, _, err := readContent(path)
	if err != nil {
		return err
	}
	if fails {
		d.dropped[id] = c.data
		return nil
	}
	if given, ok := d.dropped[id]; ok {
		c.data = withoutPages(c.data, given, d.files[id].data)
	}
	d.files[id] = c
	return nil
}

// withoutPages is now, but pages that are as a failed sync left them are as they were before it.
func withoutPages(now, given, before []byte) []byte {
	out := slices.Clone(now)
	for at := 0; at < len(now); at += pageBytes {
		end := min(at+pageBytes, len(now))
		if end <= len(given) && string(now[at:end]) == string(given[at:end]) {
			clear(out[at:end])
			copy(out[at:end], before[min(at, len(before)):])
		}
	}
	return out
}

// noteFolder remembers a folder's names as durable.
func (d *Disk) noteFolder(id inode, path string) error {
	now, err := namesIn(path)
	if err != nil {
		return err
	}
	d.folders[id] = now
	return nil
}

// namesIn lists files, folders and symbolic links. Sockets and pipes mean nothing after a power
// cut and are left out.
func namesIn(folder string) (names, error) {
	fd, err := openAt(folder, syscall.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	list, err := entriesOf(fd)
	if err != nil {
		return nil, &fs.PathError{Op: "list", Path: folder, Err: err}
	}
	out := make(names, len(list))
	for _, one := range list {
		e := entry{mode: one.kind}
		if e.id, err = inodeFrom(fd, one.name, 0); errors.Is(err, syscall.ENOENT) {
			continue // somebody removed it meanwhile
		} else if err != nil {
			return nil, err
		}
		switch one.kind {
		case fs.ModeSymlink:
			if e.target, err = os.Readlink(filepath.Join(folder, one.name)); err != nil {
				return nil, err
			}
		case fs.ModeDir:
			info, err := os.Lstat(filepath.Join(folder, one.name))
			if err != nil {
				return nil, err
			}
			e.mode = info.Mode()
		}
		out[one.name] = e
	}
	return out, nil
}

// alwaysDurable reports whether a file is one of those that SQLite writes and syncs.
func alwaysDurable(path string) bool {
	name := filepath.Base(path)
	base, found := strings.CutPrefix(name, "fairlead.db")
	return found && (base == "" || base == "-wal" || base == "-shm" || base == "-journal")
}
