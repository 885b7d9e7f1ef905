// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

// checkFilePath accepts what file.put and file.get may name.
func checkFilePath(name string) error {
	if err := archive.CheckPath(name); err != nil {
		return err
	}
	if first, _, _ := strings.Cut(name, "/"); first == incoming {
		return errkind.Invalid.Errorf("path %.200q: the folder %s is the agent's own", name, incoming)
	}
	return nil
}

// putFile serves file.put.
func (s *Store) putFile(_ context.Context, call *contract.Call[contract.FilePutArgs, contract.Nothing]) error {
	args := call.Args
	if err := errors.Join(checkFilePath(args.Path), checkBlob(args.SHA256, args.Size)); err != nil {
		return err
	}
	room, err := s.reserveFile(args.Size)
	if err != nil {
		return err
	}
	defer room.release()
	temp := incoming + "/" + rand.Text()
	if err := s.writeFile(temp, call.Body, args, room); err != nil {
		return errors.Join(err, removeIfThere(s.files, temp))
	}
	if err := s.place(temp, args.Path); err != nil {
		return errors.Join(err, removeIfThere(s.files, temp))
	}
	_, err = call.Reply(contract.Nothing{})
	return err
}

func (s *Store) reserveFile(size int64) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkRoom(size); err != nil {
		return nil, err
	}
	return s.reserve(size), nil
}

func (s *Store) writeFile(temp string, body io.Reader, args contract.FilePutArgs, r *room) error {
	f, err := s.files.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	if _, err = s.receive(body, args.Size, h, f, r); err == nil {
		if got := hex.EncodeToString(h.Sum(nil)); got != args.SHA256 {
			err = errkind.Corrupt.Errorf("file %.200q has the hash %s and should have %s", args.Path, got, args.SHA256)
		}
	}
	if err == nil {
		err = f.Chmod(cmp.Or(fs.FileMode(args.Mode)&0o700, 0o600))
	}
	if err == nil {
		err = s.options.Disk.Sync(f)
	}
	return errors.Join(err, f.Close())
}

// place renames temp to its path. A link that lies there is replaced; a folder is a Conflict.
func (s *Store) place(temp, name string) error {
	folder := path.Dir(name)
	if err := s.files.MkdirAll(folder, 0o700); err != nil {
		return pathFault(name, err)
	}
	if err := s.files.Rename(temp, name); err != nil {
		return pathFault(name, err)
	}
	for ; folder != "."; folder = path.Dir(folder) {
		if err := durable.SyncIn(s.options.Disk, s.files, folder); err != nil {
			return err
		}
	}
	return durable.SyncIn(s.options.Disk, s.files, ".")
}

// pathFault gives a kind to what a path can do wrong. os.Root has no named error for a link that
// leads outside, so that every other fault of a path is Denied.
func pathFault(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errkind.NotFound.Errorf("file %.200q is not there", name)
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR):
		return errkind.Conflict.Errorf("path %.200q: a file and a folder are in each other's way", name)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errkind.Exhausted.Errorf("path %.200q: the disk is full: %w", name, err)
	}
	return errkind.Denied.Errorf("path %.200q cannot be used: %w", name, err)
}

func removeIfThere(root *os.Root, name string) error {
	err := root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// getFile serves file.get. The file is read twice: its hash goes ahead of its bytes, so that the
// other side notices when it changed in between.
func (s *Store) getFile(ctx context.Context, call *contract.Call[contract.FileGetArgs, contract.FileInfo]) error {
	name := call.Args.Path
	if err := checkFilePath(name); err != nil {
		return err
	}
	f, err := s.files.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO must not block
	if err != nil {
		return pathFault(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errkind.Invalid.Errorf("path %.200q is a %s and not a file", name, info.Mode().Type())
	}
	sum, size, err := archive.Sum(ctx, f)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w, err := call.Reply(contract.FileInfo{Size: size, SHA256: sum})
	if err != nil {
		return err
	}
	buffer := s.buffers.Get().(*[bufferBytes]byte)
	defer s.buffers.Put(buffer)
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{io.LimitReader(f, size)}, buffer[:])
	if err == nil && n != size {
		return errkind.Conflict.Errorf("file %.200q became shorter while it was sent", name)
	}
	return err
}
