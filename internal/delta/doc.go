// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package delta writes down how one content is made of another, and makes it.
//
// It knows neither files nor archives, and it does not check hashes: who applies a delta compares
// the hash of what came out.
//
//		delta  "FLD1" | uvarint length of the old | uvarint length of the new | blocks
//		block  uvarint bytes of the new, 1 to 4 MiB
//		       | uvarint length of each stream | four streams, deflated: ops, gaps, diffs, plain
//		ops    uvarint n: the next n bytes come out of plain; then, unless the block is full:
//		       varint where the old is copied from, counted from the end of the last copy | uvarint length
//		       | uvarint number of places that differ
//		gaps   for each such place: uvarint bytes since the last one that are equal | uvarint its length
//		diffs  what is added, modulo 256, to each byte of such a place
//
//	 1. Apply(old, Make(old, new)) is new.
//	 2. Equal input makes equal deltas.
//	 3. Apply reads no byte outside of the old, writes no byte more than the delta announces, and
//	    answers Corrupt to whatever Make does not write. It takes 512 KiB, whatever the sizes.
//	 4. Make takes 64 MiB for its index at most, beside the two contents, which may be mapped files.
//
// The places that differ are what makes programs small: code that moved keeps its instructions and
// changes a few bytes of each address. make.go looks for what is equal, encode.go writes blocks,
// apply.go reads them.
package delta
