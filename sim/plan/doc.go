// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package plan describes one simulated run as plain data: the site, what people do there, what goes
// wrong, and what is expected. A plan is a TOML file that people write, and that a search draws and
// shrinks.
//
// It builds and runs nothing; package site does.
//
//  1. Parse of Format gives the same plan.
//  2. A key that is not known, and a name that refers to nothing, are errors that name the nearest
//     known one; all problems are told at once.
//  3. Defaults are filled in by Parse, so that a printed plan says all there is to know.
//
// plan.go holds the types, quantity.go the values with units, check.go the rules and
// problem.go what they find, fault.go the kinds of faults, parse.go the text.
package plan
