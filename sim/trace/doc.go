// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package trace reads the traces that netem writes, and finds where two of them part.
//
// It does not draw them (package view does) or judge what is in them (package check).
//
//  1. A trace is read line by line: memory does not grow with it.
//  2. A trace whose end was cut off, as by a crash, is read as far as it goes.
//  3. What it says of a difference is the same each time.
//
// line.go is one line and how people read it, reader.go reads them, diff.go compares.
// docs/trace-format.md describes the format.
package trace
