// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package transfer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"fairlead/internal/contract"
)

func (r *rig) drop(content []byte) contract.BlobState {
	r.t.Helper()
	args := contract.BlobArgs{SHA256: sumOf(content), Size: int64(len(content))}
	state, err := contract.BlobDrop.Call(r.t.Context(), r, args)
	if err != nil {
		r.t.Fatal(err)
	}
	return state
}

// TestDropHasContentComeAnew, also content of another length than it should have; beginnings and what an order waits
// for stay.
func TestDropHasContentComeAnew(t *testing.T) {
	r := newRig(t, 0)
	content := random(300 << 10)
	if state := r.drop(content); state.Complete || state.Offset != 0 {
		t.Errorf("with nothing there: %+v", state)
	}
	if _, err := r.put(content, 0, bytes.NewReader(content[:100<<10])); err == nil {
		t.Fatal("half of it was taken for all")
	}
	if state := r.drop(content); state.Complete || state.Offset != 100<<10 {
		t.Errorf("with a beginning: %+v", state)
	}
	for _, length := range []int{len(content), 10} {
		if _, err := r.put(content, 0, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.home, "blobs", sumOf(content)), make([]byte, length), 0o600); err != nil {
			t.Fatal(err)
		}
		if state := r.drop(content); state.Complete || state.Offset != 0 {
			t.Errorf("with %d bytes: %+v", length, state)
		}
	}
	if _, err := r.put(content, 0, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	r.needed = []string{sumOf(content)}
	if state := r.drop(content); !state.Complete {
		t.Errorf("what an order waits for: %+v", state)
	}
}
