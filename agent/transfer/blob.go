// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"bytes"
	"context"
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

// drop serves blob.drop. The plain form may stay, as a base of others: it stands for the package no more.
func (s *Store) drop(_ context.Context, args contract.BlobArgs) (contract.BlobState, error) {
	if err := checkBlob(args.SHA256, args.Size); err != nil {
		return contract.BlobState{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	needed, err := s.needed()
	if err != nil {
		return contract.BlobState{}, err
	}
	for _, name := range []string{args.SHA256, args.SHA256 + plainEnd} {
		length, err := s.regular(name)
		if err == nil && length >= 0 && !needed[args.SHA256] {
			_, err = s.remove(name)
		}
		if err != nil {
			return contract.BlobState{}, err
		}
	}
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
	if there, err := s.holds(sum); err != nil || there {
		return contract.BlobState{Complete: there, Offset: size}, err
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
func (s *Store) put(ctx context.Context, call *contract.Call[contract.BlobPutArgs, contract.BlobState]) error {
	args := call.Args
	if err := checkBlob(args.SHA256, args.Size); err != nil {
		return err
	}
	state, p, room, err := s.claim(args)
	if err != nil {
		return err
	}
	if !state.Complete {
		err = s.accept(ctx, call.Body, args, p, room)
		s.giveUp(args.SHA256, room)
		if err != nil {
			return err
		}
	}
	_, err = call.Reply(contract.BlobState{Complete: true, Offset: args.Size})
	return err
}

// claim does so and reserves room for what is to come. giveUp is the opposite.
func (s *Store) claim(args contract.BlobPutArgs) (contract.BlobState, *proof, *room, error) {
	content := contract.BlobArgs{SHA256: args.SHA256, Size: args.Size}
	state, p, err := s.takeUp(content)
	if err != nil || state.Complete {
		return state, nil, nil, err
	}
	if args.Offset < 0 || args.Offset > state.Offset {
		err = errkind.Conflict.Errorf("content %.12s…: offset %d, but %d bytes lie here",
			args.SHA256, args.Offset, state.Offset)
	}
	var r *room
	if err == nil {
		r, err = s.reserveBlob(content, args.Size-args.Offset)
	}
	if err != nil {
		s.giveUp(args.SHA256, nil)
	}
	return state, p, r, err
}

// reserveBlob promises need bytes to a blob.
func (s *Store) reserveBlob(content contract.BlobArgs, need int64) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.makeRoom(content.SHA256, content.Size, need); err != nil {
		return nil, err
	}
	return s.reserve(need), nil
}

func (s *Store) giveUp(sum string, r *room) {
	if r != nil {
		r.release()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writing, sum)
}

// accept receives into the part file and makes a blob of it. The part stays when the content
// ended early, so that the next put goes on, and up to the last chunk that was proved when one came
// damaged; it goes when the content is proved wrong.
func (s *Store) accept(ctx context.Context, body io.Reader, args contract.BlobPutArgs, p *proof, r *room) error {
	part := args.SHA256 + partEnd
	f, err := s.blobs.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err = s.readTo(ctx, p, f, args.Offset); err == nil {
		if err = f.Truncate(args.Offset); err == nil {
			err = s.extend(body, args, p, f, r)
		}
	}
	if err == nil {
		err = s.options.Disk.Sync(f)
	}
	if err = errors.Join(s.dropDamaged(err, p, f), f.Close()); err != nil {
		if errors.Is(err, errkind.Invalid) {
			s.forgetProof(args.SHA256)
			err = errors.Join(err, s.blobs.Remove(part))
		}
		return err
	}
	s.forgetProof(args.SHA256)
	if got := p.sum(); got != args.SHA256 {
		err := errkind.Corrupt.Errorf("content has the hash %s and should have %s", got, args.SHA256)
		return errors.Join(err, s.blobs.Remove(part))
	}
	return s.publish(part, args.SHA256)
}

// extend receives the rest of a blob. When more was hashed than written, the proof is forgotten.
func (s *Store) extend(body io.Reader, args contract.BlobPutArgs, p *proof, f *os.File, r *room) error {
	written, err := s.receive(body, args.Size-args.Offset, p, f, r)
	if p.at.offset != args.Offset+written {
		if p.back(); p.at.offset > args.Offset+written {
			p.reset()
		}
	}
	return err
}

// dropDamaged cuts a part at the last chunk that was proved, if err says that the next one is damaged.
func (s *Store) dropDamaged(err error, p *proof, f *os.File) error {
	if _, damaged := errors.AsType[*damagedError](err); !damaged {
		return err
	}
	p.back()
	return errors.Join(err, f.Truncate(p.at.offset))
}

// check serves blob.check.
func (s *Store) check(ctx context.Context, call *contract.Call[contract.BlobArgs, contract.BlobState]) error {
	args := call.Args
	if err := checkBlob(args.SHA256, args.Size); err != nil {
		return err
	}
	sums, err := io.ReadAll(io.LimitReader(call.Body, contract.Chunks(args.Size)*contract.SumBytes+1))
	if err != nil {
		return err
	}
	if err := contract.RunningSums(sums).Check(args); err != nil {
		return err
	}
	state, p, err := s.takeUp(args)
	if err != nil {
		return err
	}
	if !state.Complete {
		state.Offset, err = s.prove(ctx, p, sums, state.Offset)
		s.giveUp(args.SHA256, nil)
		if err != nil {
			return err
		}
	}
	_, err = call.Reply(state)
	return err
}

// takeUp makes the caller the only writer of a hash, unless the blob is whole already.
func (s *Store) takeUp(content contract.BlobArgs) (contract.BlobState, *proof, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing[content.SHA256] {
		return contract.BlobState{}, nil, errkind.Hinted(
			errkind.Conflict.Errorf("content %.12s… is being received already", content.SHA256), "ask again in a moment")
	}
	state, err := s.state(content.SHA256, content.Size)
	if err != nil || state.Complete {
		return state, nil, err
	}
	s.writing[content.SHA256] = true
	return state, s.proofOf(content), nil
}

// prove compares the beginning of a blob with its running sums and returns how much of it may stay.
func (s *Store) prove(ctx context.Context, p *proof, sums contract.RunningSums, length int64) (int64, error) {
	if !bytes.Equal(p.sums, sums) {
		p.sums = sums
		p.reset()
	}
	if length == 0 {
		return 0, nil
	}
	f, err := s.blobs.OpenFile(p.content.SHA256+partEnd, os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	err = s.dropDamaged(s.readTo(ctx, p, f, length), p, f)
	if _, damaged := errors.AsType[*damagedError](err); damaged {
		length, err = p.at.offset, nil
	}
	return length, errors.Join(err, f.Close())
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
