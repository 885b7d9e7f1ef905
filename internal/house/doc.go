// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package house is the repository checking its own rules; it holds tests only and nobody imports it.
//
// It does not replace gofumpt, vet or staticcheck: it knows what only this repository knows.
//
//  1. Each finding says which rule was broken, why the rule is there and what to do.
//  2. Exceptions stand in one table with a reason each, and one that no longer excepts anything is a finding itself.
//  3. Each rule is shown to catch a bad example (catch_test.go).
//
// Run it with -count=1: the test cache does not see what the walk over the tree saw.
//
// house_test.go holds the rules and runs them, tree_test.go reads the repository, exceptions_test.go lists the
// exceptions; imports, closure, deps, ambient, goroutines, docs, size, names, layout and marks are one file each.
// static is a program that checks what make release built.
package house
