// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

// bufferBytes is read at once, spaceEveryBytes how often the disk is asked for its room.
const (
	bufferBytes     = 256 << 10
	spaceEveryBytes = 64 << 20
)

// intake reads an upload once: to a file if there is one, and through the hash.
type intake struct {
	feed *Feed
	hash *contract.Summer
	file *os.File // nil: only hash
	size int64
}

// read takes the whole content. Errors: Exhausted, Canceled, Invalid (an upload that breaks off),
// Internal.
func (in *intake) read(ctx context.Context, content io.Reader) error {
	buffer := make([]byte, bufferBytes)
	for checked := int64(0); ; {
		n, err := content.Read(buffer)
		if in.size += int64(n); in.size > in.feed.limits.MaxBytes {
			return errkind.Exhausted.Errorf("package has more than %d bytes: this is the limit", in.feed.limits.MaxBytes)
		}
		if err := in.take(buffer[:n]); err != nil {
			return err
		}
		if in.file != nil && in.size-checked >= spaceEveryBytes {
			checked = in.size
			if err := in.feed.room(0); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case ctx.Err() != nil:
			return errkind.Of(ctx.Err()).Errorf("package upload given up after %d bytes: %w", in.size, ctx.Err())
		case err != nil:
			return errkind.Invalid.Errorf("package upload broke off after %d bytes: %w", in.size, err)
		}
	}
}

func (in *intake) take(piece []byte) error {
	_, _ = in.hash.Write(piece) // never fails
	if in.file == nil || len(piece) == 0 {
		return nil
	}
	if _, err := in.file.Write(piece); err != nil {
		return durable.DiskError("write a package", err)
	}
	return nil
}

func (in *intake) sum() string { return in.hash.SHA256() }

// spool writes an upload to a new file that only its owner can read. The caller removes it.
func (f *Feed) spool(ctx context.Context, content io.Reader) (in *intake, err error) {
	if in, err = f.newIntake(); err != nil {
		return nil, err
	}
	if err = in.read(ctx, content); err == nil {
		if err = f.disk.Sync(in.file); err != nil {
			err = durable.DiskError("flush a package", err)
		}
	}
	if err != nil {
		in.discard()
		return nil, err
	}
	return in, nil
}

// newIntake makes a file that only its owner can read.
func (f *Feed) newIntake() (*intake, error) {
	name := filepath.Join(f.dir, incoming+strings.ToLower(rand.Text()))
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, durable.DiskError("make a file for a package", err)
	}
	return &intake{feed: f, hash: contract.NewSummer(), file: file}, nil
}

// discard removes the file unless place has moved it.
func (in *intake) discard() {
	_ = in.file.Close()           // read-only by now, or about to be removed
	_ = os.Remove(in.file.Name()) // the next start of the server sweeps what stays
}

// place moves the flushed file to where its content belongs, over an equal one if there is any.
func (f *Feed) place(in *intake, sum string) error {
	target := f.path(sum)
	folder := filepath.Dir(target)
	if err := os.Mkdir(folder, 0o700); err == nil {
		if err := f.syncFolder(f.dir); err != nil {
			return err
		}
	} else if !errors.Is(err, os.ErrExist) {
		return durable.DiskError("make a folder for a package", err)
	}
	if err := os.Rename(in.file.Name(), target); err != nil {
		return durable.DiskError("move a package to its place", err)
	}
	keepSums(target, in.hash.Sums())
	return f.syncFolder(folder)
}

func (f *Feed) syncFolder(path string) error {
	if err := f.disk.SyncFolder(path); err != nil {
		return durable.DiskError("flush a package folder", err)
	}
	return nil
}
