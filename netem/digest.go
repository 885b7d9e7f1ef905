// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// digestHexDigits is how much of a SHA-256 a digest shows.
const digestHexDigits = 16

// Digest says whether two runs were the same. Shape covers times, kinds, hosts and streams; Meta
// offsets and lengths as well; Content also each byte as it travelled.
type Digest struct {
	Shape, Meta, Content string
	Lines                uint64
}

// Digest returns the digests of what happened so far. Errors: the trace writer's.
func (w *World) Digest() (Digest, error) {
	w.lock()
	defer w.mu.Unlock()
	w.hearLocked()
	return Digest{
		Shape: w.trace.sums.shape.text(), Meta: w.trace.sums.meta.text(), Content: w.trace.sums.content.text(),
		Lines: w.trace.lines,
	}, w.trace.err
}

type sums struct{ shape, meta, content sum }

type sum struct{ hash hash.Hash }

func newSums() sums {
	return sums{sum{sha256.New()}, sum{sha256.New()}, sum{sha256.New()}}
}

func (s sum) add(b []byte) { _, _ = s.hash.Write(b) } // never an error

func (s sum) text() string { return hex.EncodeToString(s.hash.Sum(nil))[:digestHexDigits] }
