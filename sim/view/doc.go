// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package view draws the trace of a run as one HTML page that needs nothing else: a lane for each
// machine, a bar for each connection, shading for faults, pins for violations.
//
// It does not judge a run or change what the trace says; what it leaves out, it says.
//
//  1. The page loads nothing and sends nothing: style, script and data are inside.
//  2. The same trace makes the same page.
//  3. The page stays usable with 200 machines and days of virtual time; what it holds is bounded.
//
// timeline.go reads a trace into what is drawn, connection.go makes bars of packets, quiet.go finds
// stretches that may be folded. page.go writes the page, page.html, page.css and page.js are it.
package view
