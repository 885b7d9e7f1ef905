// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"fairlead/internal/errkind"
)

const (
	copyBufferBytes = 256 << 10
	// progressBytes lie between two reports inside one long file.
	progressBytes = 8 << 20
)

// Summary counts what was unpacked.
type Summary struct {
	Files, Folders, Links int
	// Dropped counts devices, FIFOs and the like, which no package can bring.
	Dropped int
	Bytes   int64 // contents of all files
}

// Unpack writes an archive's tree into root, which must be an empty folder that nothing else
// uses. Files are made exclusively with 0644 or 0755, folders with 0755, whatever the umask; links
// come last. Nothing is synced to disk: the caller does that once for the whole tree. progress,
// which may be nil, hears of every entry and of every 8 MiB. When Unpack returns an error, root is
// empty again. Errors: Walk's; Conflict (root is not empty), Exhausted (disk full), or the file
// system's.
func Unpack(ctx context.Context, a *Archive, root *os.Root, l Limits, progress func(Summary)) (Summary, error) {
	if names, err := namesIn(root); err != nil {
		return Summary{}, err
	} else if len(names) > 0 {
		return Summary{}, errkind.Conflict.Errorf("folder %s to unpack into holds %.80q already", root.Name(), names[0])
	}
	if progress == nil {
		progress = func(Summary) {}
	}
	u := &unpacking{ctx: ctx, root: root, progress: progress, buffer: make([]byte, copyBufferBytes)}
	dropped, err := a.Walk(ctx, l, u.take)
	if err == nil {
		err = u.link()
	}
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			err = errkind.Exhausted.Errorf("unpack: the disk is full: %w", err)
		}
		return Summary{}, errors.Join(err, empty(root))
	}
	u.sum.Dropped = dropped
	return u.sum, nil
}

func namesIn(root *os.Root) ([]string, error) {
	folder, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Readdirnames(-1)
}

func empty(root *os.Root) error {
	names, err := namesIn(root)
	for _, name := range names {
		err = errors.Join(err, root.RemoveAll(name))
	}
	return err
}

type unpacking struct {
	ctx      context.Context
	root     *os.Root
	progress func(Summary)
	buffer   []byte
	sum      Summary
	links    []Entry // made last: no file is ever written through one
	parent   string  // the folder that was made or found last
}

func (u *unpacking) take(e Entry, content io.Reader) error {
	var err error
	switch e.Kind {
	case Folder:
		err = u.folder(e.Path)
	case Symlink:
		u.links = append(u.links, e)
	case Hardlink:
		if err = u.folder(parentOf(e.Path)); err == nil {
			err = u.root.Link(e.Target, e.Path)
			u.sum.Links++
		}
	default:
		err = u.file(e, content)
	}
	u.progress(u.sum)
	return err
}

func (u *unpacking) link() error {
	for _, e := range u.links {
		if err := u.folder(parentOf(e.Path)); err != nil {
			return err
		}
		if err := u.root.Symlink(e.Target, e.Path); err != nil {
			return err
		}
		u.sum.Links++
	}
	u.progress(u.sum)
	return u.ctx.Err()
}

func parentOf(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '/'))]
}

// folder makes path and its parents, without following links.
func (u *unpacking) folder(path string) error {
	if path == "" || path == u.parent {
		return nil
	}
	for end := 0; end < len(path); end++ {
		next := strings.IndexByte(path[end:], '/')
		if next < 0 {
			next = len(path) - end
		}
		end += next
		if err := u.makeFolder(path[:end]); err != nil {
			return err
		}
	}
	u.parent = path
	return nil
}

func (u *unpacking) makeFolder(path string) error {
	err := u.root.Mkdir(path, 0o755)
	if err == nil {
		u.sum.Folders++
		return u.root.Chmod(path, 0o755)
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := u.root.Lstat(path)
	if err == nil && !info.IsDir() {
		err = errkind.Conflict.Errorf("unpack: %.200q became a %s while the package was unpacked", path, info.Mode().Type())
	}
	return err
}

func (u *unpacking) file(e Entry, content io.Reader) error {
	if err := u.folder(parentOf(e.Path)); err != nil {
		return err
	}
	f, err := u.root.OpenFile(e.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.Mode)
	if err != nil {
		return err
	}
	err = u.fill(f, content)
	if err == nil {
		err = f.Chmod(e.Mode)
	}
	u.sum.Files++
	return errors.Join(err, f.Close())
}

func (u *unpacking) fill(f *os.File, content io.Reader) error {
	reported := u.sum.Bytes
	for {
		n, readErr := content.Read(u.buffer)
		if _, err := f.Write(u.buffer[:n]); err != nil {
			return err
		}
		u.sum.Bytes += int64(n)
		if readErr == io.EOF {
			return nil
		}
		if err := errors.Join(readErr, u.ctx.Err()); err != nil {
			return err
		}
		if u.sum.Bytes-reported >= progressBytes {
			reported = u.sum.Bytes
			u.progress(u.sum)
		}
	}
}
