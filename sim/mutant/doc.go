// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package mutant holds small, deliberate mistakes for the product, each of which the simulator's
// statements must find: a checker that finds none of them proves nothing.
//
// The product's sources stay clean. A mutant is a few replacements in a table; Overlay writes copies
// of the files concerned, in which every changed place asks package active whether it is the turn of
// its mutant, and a list that "go build -tags mutant -overlay LIST" takes. One such build is all
// mutants; the environment chooses one:
//
//	FAIRLEAD_MUTANT=claim-rename fairlead-sim run FILE
//
// It builds and runs nothing itself.
//
//  1. The text that a mutant replaces stands in its file exactly once.
//  2. Without a choice, a build with mutants does what the product does.
//  3. Each mutant names the statements that should find it, and a plan (Hunt) in which it shows; the
//     product passes that plan.
//
// There is no mutant that ignores lease epochs: two owners of one task need two servers on one store,
// and a site has one. What can be had is task-not-adopted.
package mutant
