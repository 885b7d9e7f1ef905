// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package tasklog keeps what tasks say, one append-only file for each, and lets any number of
// readers follow a file while it grows.
//
// It does not mask secrets (that happens before text leaves the machine) and does not make text
// harmless when it is stored: whoever shows it calls Visible.
//
//  1. An offset is a place in the file that lies between lines. It stays valid for as long as the
//     log exists, over restarts of the server.
//  2. A reader gets each line once, whole and in order.
//  3. Each line taken from a ticket carries the ticket's offset after it. So the log itself says
//     how much of a ticket it holds, and going on from there neither loses nor repeats a line.
//     A mark says how far the ticket's stream was checked, with the state that the check goes on from.
//  4. An append is one write. A line that a crash tore is cut when the log is next written to, and
//     no reader ever saw it.
//  5. Followers hold no file, buffer or goroutine while they wait, and nobody polls.
//
// A Folder and a Writer are safe for concurrent use. No wait happens under a lock.
//
// The file <task>.log has one JSON object a line, in this form (n number, t microseconds since
// 1970, c category, w node, s text, m line goes on, k ticket, e the ticket's end, h a mark in base64):
//
//	{"n":7,"t":1795341600000000,"c":"Info","w":"2/Machines-1","s":"hello","k":"t-1","e":421}
//	{"k":"t-1","e":421,"h":"c2hhA…"}
//	{"finished":true}
//
// folder.go holds the folder and what followers wait on; line.go the form of a line, plain.go its
// quick way to the file and parse.go back; writer.go appends; recover.go mends and counts a file that a writer takes
// over; reader.go reads and follows; visible.go makes text harmless.
package tasklog
