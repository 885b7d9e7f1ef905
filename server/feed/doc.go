// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package feed is the built-in package repository: it takes packages in, keeps their content and
// hands it out by id and version.
//
// It asks nobody for permission (the catalog does) and unpacks nothing but to make deltas.
//
//  1. A package is visible only after its whole content lies on disk, was hashed, looked at and
//     flushed; a broken upload leaves nothing behind.
//  2. Content is stored under its own SHA-256, never under a name that a caller chose.
//  3. The same id and version never changes its content unless the caller asks to overwrite it.
//  4. Each change of the feed and its audit row are one transaction.
//  5. Uploads stream: one takes bufferBytes of memory, whatever its size.
//  6. A delta between two packages is made once, one at a time, and kept for all machines; so is the word
//     that it is not worth it. Deltas and running sums can be removed at any time: they are made again.
//
// Safe for concurrent use. Placing and removing content passes one gate, so that content is never
// removed under a package that is just being added.
//
// name.go reads file names, push.go takes uploads, spool.go writes and hashes them, space.go asks
// the disk, feed.go reads, sums.go proves content chunk by chunk, delta.go leads from one package to
// another, delete.go deletes, verify.go hashes everything again.
package feed
