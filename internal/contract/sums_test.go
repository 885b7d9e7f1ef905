// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// TestRunningSums compares with the slow way, for contents that end at, before and behind a chunk.
func TestRunningSums(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcde"), 2*contract.ChunkBytes/15+100)
	const chunk = contract.ChunkBytes
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, len(long)} {
		content := long[:size]
		s := contract.NewSummer()
		for rest := content; len(rest) > 0; rest = rest[min(len(rest), 1_000_003):] {
			if n, err := s.Write(rest[:min(len(rest), 1_000_003)]); err != nil || n == 0 {
				t.Fatal(n, err)
			}
		}
		var want contract.RunningSums
		for end := contract.ChunkBytes; end < size+contract.ChunkBytes && size > 0; end += contract.ChunkBytes {
			sum := sha256.Sum256(content[:min(end, size)])
			want = append(want, sum[:]...)
		}
		whole := sha256.Sum256(content)
		args := contract.BlobArgs{SHA256: hex.EncodeToString(whole[:]), Size: int64(size)}
		if got := s.Sums(); !bytes.Equal(got, want) || got.Check(args) != nil || s.SHA256() != args.SHA256 {
			t.Errorf("%d bytes: %d bytes of sums, want %d; %v", size, len(got), len(want), got.Check(args))
		}
		if size == 0 {
			continue
		}
		args.SHA256 = hex.EncodeToString(make([]byte, 32))
		if err := s.Sums().Check(args); errkind.Of(err) != errkind.Corrupt {
			t.Errorf("%d bytes: sums of another content: %v, want Corrupt", size, err)
		}
	}
}
