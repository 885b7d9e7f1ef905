// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"path/filepath"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is a file or folder.
type node struct {
	fs.LoopbackNode
	disk *disk
}

// root is the top of the file system.
func (d *disk) root() *node {
	data := &fs.LoopbackRoot{Path: d.folder}
	data.NewNode = func(of *fs.LoopbackRoot, _ *fs.Inode, _ string, _ *syscall.Stat_t) fs.InodeEmbedder {
		return &node{fs.LoopbackNode{RootData: of}, d}
	}
	top := &node{fs.LoopbackNode{RootData: data}, d}
	data.RootNode = top
	return top
}

func (n *node) path() string { return filepath.Join(n.disk.folder, n.Path(nil)) }

// Create implements fs.NodeCreater.
func (n *node) Create(
	ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut,
) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	inode, handle, more, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	if errno != 0 {
		return inode, handle, more, errno
	}
	n.disk.forget(out.Ino)
	return inode, n.wrap(handle, name), more, 0
}

// Open implements fs.NodeOpener.
func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	handle, more, errno := n.LoopbackNode.Open(ctx, flags)
	if errno != 0 {
		return handle, more, errno
	}
	return n.wrap(handle, filepath.Base(n.path())), more, 0
}

func (n *node) wrap(handle fs.FileHandle, name string) fs.FileHandle {
	if file, is := handle.(*fs.LoopbackFile); is {
		return &openFile{file, n.disk, name}
	}
	return handle
}

// Fsync implements fs.NodeFsyncer, for files and folders.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	if errno := n.disk.faults.sync(); errno != 0 {
		return errno
	}
	if n.Mode()&syscall.S_IFMT == syscall.S_IFREG {
		return n.disk.keepFile(n.path())
	}
	return n.disk.keepFolder(n.path())
}

// OpendirHandle implements fs.NodeOpendirHandler.
func (n *node) OpendirHandle(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	handle, more, errno := n.LoopbackNode.OpendirHandle(ctx, flags)
	if list, is := handle.(listing); is && errno == 0 {
		return &folder{list, n}, more, 0
	}
	return handle, more, errno
}

// listing is what an open folder does beside being synced.
type listing interface {
	fs.FileReaddirenter
	fs.FileSeekdirer
	fs.FileReleasedirer
}

// folder is an open folder.
type folder struct {
	listing
	node *node
}

// Fsyncdir implements fs.FileFsyncdirer.
func (f *folder) Fsyncdir(ctx context.Context, flags uint32) syscall.Errno {
	return f.node.Fsync(ctx, nil, flags)
}

// openFile is an open file.
type openFile struct {
	*fs.LoopbackFile
	disk *disk
	name string
}

// PassthroughFd implements fs.FilePassthroughFder: writes are to come by here.
func (f *openFile) PassthroughFd() (int, bool) { return 0, false }

// Write implements fs.FileWriter.
func (f *openFile) Write(ctx context.Context, data []byte, at int64) (uint32, syscall.Errno) {
	if errno := f.disk.faults.write(f.name); errno != 0 {
		return 0, errno
	}
	return f.LoopbackFile.Write(ctx, data, at)
}

// Writev implements fs.FileWriter for several pieces.
func (f *openFile) Writev(ctx context.Context, data [][]byte, at int64) (uint32, syscall.Errno) {
	if errno := f.disk.faults.write(f.name); errno != 0 {
		return 0, errno
	}
	return f.LoopbackFile.Writev(ctx, data, at)
}

// Allocate implements fs.FileAllocater.
func (f *openFile) Allocate(ctx context.Context, at, size uint64, mode uint32) syscall.Errno {
	if errno := f.disk.faults.write(f.name); errno != 0 {
		return errno
	}
	return f.LoopbackFile.Allocate(ctx, at, size, mode)
}
