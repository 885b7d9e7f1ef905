// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package artifact keeps the content of files that scripts hand over.
//
// It does not know how a machine is asked for them (server/target), nor when (server/engine), nor who may
// read them (server/catalog). What is known of an artifact is a row of the store; here lies its content.
//
//  1. Content is at its place only after the whole of it was written, hashed and flushed.
//  2. It is stored under its own SHA-256: no name that a script chose touches the disk.
//  3. What an earlier try has brought is not asked for again, over sessions and restarts.
//  4. Content without a row is an orphan, which Tidy removes. Between its arrival and the commit of its
//     row it is held, and no orphan.
//  5. A fetch takes bufferBytes of memory, whatever the size.
//
// Below the folder (0700), files 0600:
//
//	ab/abcd…        content by its SHA-256
//	incoming-<key>  content that is being fetched, from its first byte on; not synced until it is whole
//
// Safe for concurrent use. Placing, holding and removing content passes one gate, so that none is removed
// under an artifact that is just being added.
//
// folder.go opens and reads, fetch.go takes in, room.go asks the disk and the quota, tidy.go removes.
package artifact
