// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"fairlead/internal/cli"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const transferBytes = 256 << 10

// transfer copies until from ends, and says how many bytes it were and what their SHA-256 is. tell
// hears how far it is after each piece. Errors: Canceled, Exhausted, and those of the file system.
func transfer(ctx context.Context, to io.Writer, from io.Reader, tell func(done int64)) (f manifestFile, err error) {
	hash := sha256.New()
	piece := make([]byte, transferBytes)
	for err == nil {
		if ctx.Err() != nil {
			return f, errkind.Of(ctx.Err()).Errorf("given up after %d bytes: %w", f.Size, ctx.Err())
		}
		n := 0
		n, err = from.Read(piece)
		hash.Write(piece[:n])
		if _, err := to.Write(piece[:n]); err != nil {
			return f, fileFault("write a copy", err)
		}
		f.Size += int64(n)
		tell(f.Size)
	}
	if err != io.EOF {
		return f, fileFault("read what is copied", err)
	}
	f.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return f, nil
}

// copies writes files below a folder, durably, and keeps the list of them.
type copies struct {
	folder   string
	disk     host.Disk
	progress *cli.Progress
	done     int64
	total    int64 // what will be copied, as far as is known
	files    []manifestFile
}

// put writes one new file, mode 0600, and its folders, mode 0700; file is the path below the folder.
func (c *copies) put(ctx context.Context, file string, content io.Reader) (manifestFile, error) {
	target := filepath.Join(c.folder, file)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return manifestFile{}, fileFault("make a folder", err)
	}
	to, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return manifestFile{}, fileFault("make a file", err)
	}
	f, err := transfer(ctx, to, content, func(n int64) { c.progress.Set(c.done+n, max(c.total, c.done+n)) })
	if err == nil {
		err = fileFault("flush "+target, c.disk.Sync(to))
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return manifestFile{}, err
	}
	c.done += f.Size
	f.Path = file
	c.files = append(c.files, f)
	return f, nil
}

// settle makes the names durable: each folder below the folder, and itself.
func (c *copies) settle() error {
	return filepath.WalkDir(c.folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = c.disk.SyncFolder(path)
		}
		return fileFault("flush "+path, err)
	})
}

// openRegular opens a plain file for reading. Errors: Corrupt (a folder, a pipe), NotFound, Denied.
func openRegular(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not make it wait
	if err != nil {
		return nil, fileFault("open a file", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errkind.Corrupt.Errorf("%s is no plain file", path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// fileFault gives an error of the file system its kind; one that has a kind keeps it.
func fileFault(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, kinded := errors.AsType[errkind.Kind](err); kinded {
		return err
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errkind.Hinted(errkind.Exhausted.Errorf("%s: %w", doing, err), "free some space on that disk, or use another")
	case errors.Is(err, fs.ErrPermission):
		return errkind.Hinted(errkind.Denied.Errorf("%s: %w", doing, err), "run the command as the user the server runs as")
	case errors.Is(err, fs.ErrNotExist):
		return errkind.NotFound.Errorf("%s: %w", doing, err)
	}
	return errkind.Of(err).Errorf("%s: %w", doing, err)
}
