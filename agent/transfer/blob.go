// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"

	"fairlead/internal/archive"
	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
)

// missing serves blob.missing. Asking for a blob keeps it for an hour, so that the order that
// needs it finds it.
func (s *Store) missing(_ context.Context, args contract.BlobArgs) (contract.BlobState, error) {
	if err := checkBlob(args.SHA256, args.Size); err != nil {
		return contract.BlobState{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state(args.SHA256, args.Size)
}

func checkBlob(sum string, size int64) error {
	if err := archive.CheckSum(sum); err != nil {
		return err
	}
	return checkSize(size)
}

// state looks at the disk and stamps a whole blob. The caller holds mu.
func (s *Store) state(sum string, size int64) (contract.BlobState, error) {
	length, err := s.regular(sum)
	if err != nil {
		return contract.BlobState{}, err
	}
	if length >= 0 {
		if length != size {
			return contract.BlobState{}, errkind.Invalid.Errorf("content %.12s… has %d bytes, not %d", sum, length, size)
		}
		now := s.options.Wall()
		return contract.BlobState{Complete: true, Offset: size}, s.blobs.Chtimes(sum, now, now)
	}
	length, err = s.regular(sum + partEnd)
	if length > size { // not a beginning of this content
		return contract.BlobState{}, errors.Join(err, s.blobs.Remove(sum+partEnd))
	}
	return contract.BlobState{Offset: max(0, length)}, err
}

// regular returns the length of a plain file in the blobs folder, or -1 when there is none.
// Anything else under that name is not ours and is removed.
func (s *Store) regular(name string) (int64, error) {
	info, err := s.blobs.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return -1, nil
	case err != nil:
		return -1, err
	case !info.Mode().IsRegular():
		return -1, s.blobs.RemoveAll(name)
	}
	return info.Size(), nil
}

// put serves blob.put.
func (s *Store) put(_ context.Context, call *contract.Call[contract.BlobPutArgs, contract.BlobState]) error {
	args := call.Args
	if err := checkBlob(args.SHA256, args.Size); err != nil {
		return err
	}
	state, room, err := s.claim(args)
	if err != nil {
		return err
	}
	if !state.Complete {
		err = s.accept(call.Body, args, room)
		s.giveUp(args.SHA256, room)
		if err != nil {
			return err
		}
	}
	_, err = call.Reply(contract.BlobState{Complete: true, Offset: args.Size})
	return err
}

// claim makes the caller the only writer of a hash and reserves its room, unless the blob is
// whole already. giveUp is the opposite.
func (s *Store) claim(args contract.BlobPutArgs) (contract.BlobState, *room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing[args.SHA256] {
		return contract.BlobState{}, nil, errkind.Hinted(
			errkind.Conflict.Errorf("content %.12s… is being received already", args.SHA256), "ask again in a moment")
	}
	state, err := s.state(args.SHA256, args.Size)
	if err != nil || state.Complete {
		return state, nil, err
	}
	if args.Offset < 0 || args.Offset > state.Offset {
		return state, nil, errkind.Conflict.Errorf("content %.12s…: offset %d, but %d bytes lie here",
			args.SHA256, args.Offset, state.Offset)
	}
	if err := s.makeRoom(args.SHA256, args.Size, args.Size-args.Offset); err != nil {
		return state, nil, err
	}
	s.writing[args.SHA256] = true
	return state, s.reserve(args.Size - args.Offset), nil
}

func (s *Store) giveUp(sum string, r *room) {
	r.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writing, sum)
}

// accept receives into the part file and makes a blob of it. The part stays when the content
// ended early, so that the next put goes on; it goes when the content is proved wrong.
func (s *Store) accept(body io.Reader, args contract.BlobPutArgs, r *room) error {
	part := args.SHA256 + partEnd
	f, err := s.blobs.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	if err = s.rehash(f, args.Offset, h); err == nil {
		if err = f.Truncate(args.Offset); err == nil {
			_, err = s.receive(body, args.Size-args.Offset, h, f, r)
		}
	}
	if err == nil {
		err = s.options.Disk.Sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		if errors.Is(err, errkind.Invalid) {
			err = errors.Join(err, s.blobs.Remove(part))
		}
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != args.SHA256 {
		err := errkind.Corrupt.Errorf("content has the hash %s and should have %s", got, args.SHA256)
		return errors.Join(err, s.blobs.Remove(part))
	}
	return s.publish(part, args.SHA256)
}

func (s *Store) publish(part, sum string) error {
	now := s.options.Wall()
	if err := s.blobs.Chtimes(part, now, now); err != nil {
		return err
	}
	if err := s.blobs.Rename(part, sum); err != nil {
		return err
	}
	return durable.SyncIn(s.options.Disk, s.blobs, ".")
}
