// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"fairlead/internal/errkind"
)

const (
	// ChunkBytes is how much content one running sum proves: 4 MiB, less for the last chunk.
	ChunkBytes = 4 << 20
	// SumBytes is a running sum on the wire.
	SumBytes = sha256.Size
)

// RunningSums prove content chunk by chunk: one behind the other, for each chunk, the SHA-256 of
// everything from the first byte of the content to the end of that chunk. The last one is the hash
// of the content, so that whoever checks it chunk by chunk has hashed it once and not twice.
type RunningSums []byte

// Chunks is how many chunks content of size bytes has.
func Chunks(size int64) int64 { return (size + ChunkBytes - 1) / ChunkBytes }

// Check compares the sums with the content that they are to prove. Errors: Corrupt.
func (s RunningSums) Check(content BlobArgs) error {
	n := Chunks(content.Size)
	if int64(len(s)) != n*SumBytes {
		return errkind.Corrupt.Errorf("content %.12s… of %d bytes: got %d bytes of running sums, want %d",
			content.SHA256, content.Size, len(s), n*SumBytes)
	}
	if n > 0 && hex.EncodeToString(s.At(n-1)) != content.SHA256 {
		return errkind.Corrupt.Errorf("content %.12s…: the last running sum is %x", content.SHA256, s.At(n-1))
	}
	return nil
}

// At is the sum at the end of chunk i, from 0.
func (s RunningSums) At(i int64) []byte { return s[i*SumBytes : (i+1)*SumBytes] }

// Summer is a writer that makes running sums of what is written to it. Make one with NewSummer.
type Summer struct {
	hash hash.Hash
	size int64
	sums RunningSums
}

// NewSummer has seen nothing yet.
func NewSummer() *Summer { return &Summer{hash: sha256.New()} }

// Write never fails.
func (s *Summer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(int64(len(rest)), ChunkBytes-s.size%ChunkBytes)
		s.hash.Write(rest[:n])
		if s.size += n; s.size%ChunkBytes == 0 {
			s.sums = s.hash.Sum(s.sums)
		}
		rest = rest[n:]
	}
	return len(p), nil
}

// SHA256 is the hash of everything so far, in hex.
func (s *Summer) SHA256() string { return hex.EncodeToString(s.hash.Sum(nil)) }

// Sums are the running sums of everything so far.
func (s *Summer) Sums() RunningSums {
	if s.size%ChunkBytes == 0 {
		return s.sums
	}
	return s.hash.Sum(s.sums[:len(s.sums):len(s.sums)])
}
