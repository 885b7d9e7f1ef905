// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"maps"
	"os"
	"slices"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// maxProofs is how many unfinished blobs are remembered hashed. A further one makes room: what was
// forgotten is read again from the disk.
const maxProofs = 16

// proof is how far the beginning of a blob went through its hash. It outlives the stream that
// brought the bytes, so that a cut costs no reading; it does not outlive the agent.
type proof struct {
	content contract.BlobArgs
	sums    contract.RunningSums // nil when none were sent
	at      mark
	good    mark // the last end of a chunk that its sum has proved, or the beginning
}

// mark is a place in the content, and the hash of everything before it.
type mark struct {
	offset int64
	hash   hash.Hash
}

func newProof(content contract.BlobArgs) *proof {
	p := &proof{content: content}
	p.reset()
	return p
}

func (p *proof) reset() { p.at, p.good = mark{0, sha256.New()}, mark{0, sha256.New()} }

// back returns to the last proved place.
func (p *proof) back() {
	p.at = p.good.clone()
}

func (m mark) clone() mark {
	c, err := m.hash.(hash.Cloner).Clone()
	if err != nil { // SHA-256 can be cloned
		return mark{0, sha256.New()}
	}
	return mark{m.offset, c}
}

// Write takes the next bytes. Errors: errDamaged at the end of a chunk that is not what its sum
// says.
func (p *proof) Write(b []byte) (int, error) {
	if p.sums == nil {
		p.at.offset += int64(len(b))
		return p.at.hash.Write(b)
	}
	for rest := b; len(rest) > 0; {
		end := min(p.at.offset/contract.ChunkBytes*contract.ChunkBytes+contract.ChunkBytes, p.content.Size)
		n := min(int64(len(rest)), end-p.at.offset)
		if n <= 0 {
			return len(b) - len(rest), errkind.Invalid.Errorf("content goes on after its %d bytes", p.content.Size)
		}
		p.at.hash.Write(rest[:n])
		p.at.offset += n
		rest = rest[n:]
		if p.at.offset < end {
			continue
		}
		if !bytes.Equal(p.at.hash.Sum(nil), p.sums.At((end-1)/contract.ChunkBytes)) {
			return len(b) - len(rest), &damagedError{p.content, p.good.offset}
		}
		p.good = p.at.clone()
	}
	return len(b), nil
}

// sum is the hash of everything so far, in hex.
func (p *proof) sum() string { return hex.EncodeToString(p.at.hash.Sum(nil)) }

// damagedError says which chunk is not what it should be.
type damagedError struct {
	content contract.BlobArgs
	from    int64
}

func (e *damagedError) Error() string { return e.Unwrap().Error() }

func (e *damagedError) Unwrap() error {
	return errkind.Corrupt.Errorf("content %.12s…: chunk %d of %d, from byte %d on, is damaged and was dropped",
		e.content.SHA256, e.from/contract.ChunkBytes+1, contract.Chunks(e.content.Size), e.from)
}

// readTo leads the proof to an offset by reading what lies in f. Reading goes on where an earlier
// call was canceled. Errors: errDamaged, Canceled, Conflict (f is shorter), or the file system's.
func (s *Store) readTo(ctx context.Context, p *proof, f *os.File, offset int64) error {
	switch {
	case offset >= p.at.offset:
	case offset >= p.good.offset:
		p.back()
	default:
		p.reset()
	}
	if _, err := f.Seek(p.at.offset, io.SeekStart); err != nil {
		return err
	}
	buffer := s.buffers.Get().(*[bufferBytes]byte)
	defer s.buffers.Put(buffer)
	for p.at.offset < offset {
		if err := ctx.Err(); err != nil {
			return errkind.Of(err).Errorf("check what lies here of content %.12s…: %w", p.content.SHA256, err)
		}
		n, err := f.Read(buffer[:min(offset-p.at.offset, bufferBytes)])
		if n > 0 {
			if _, err := p.Write(buffer[:n]); err != nil {
				return err
			}
			continue
		}
		if errors.Is(err, io.EOF) {
			return errkind.Conflict.Errorf("content %.12s…: its beginning of %d bytes became %d bytes long",
				p.content.SHA256, offset, p.at.offset)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// proofOf finds or makes the proof of a blob that the caller writes. The caller holds mu.
func (s *Store) proofOf(content contract.BlobArgs) *proof {
	if p := s.proofs[content.SHA256]; p != nil && p.content == content {
		return p
	}
	for _, sum := range slices.Sorted(maps.Keys(s.proofs)) {
		if len(s.proofs) >= maxProofs && !s.writing[sum] {
			delete(s.proofs, sum)
		}
	}
	p := newProof(content)
	s.proofs[content.SHA256] = p
	return p
}

func (s *Store) forgetProof(sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.proofs, sum)
}
