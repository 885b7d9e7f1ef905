// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package durable writes files that are there whole or not at all, also after a power cut.
//
// It does not read, and does not know what the files mean.
//
//  1. When Create or Replace returns nil, content and name are durable; on an error the path holds
//     what it held before, or the new content whole. Swap keeps the promise but for power cuts.
//  2. Files have mode 0600. Nothing is written through a link that lies in a file's place.
//  3. A crash leaves at most one unfinished file, which IsUnfinished tells by its name.
//
// Unfinished files are numbered, so that what a crash leaves is the same in each run of a
// simulation. Several goroutines and processes may write into one folder.
//
// file.go and folder.go write; full.go tells a full disk; guard.go remembers that the disk failed; reserve.go keeps
// space for when it is full.
package durable
