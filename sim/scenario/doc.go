// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package scenario holds the plans that every version has to pass: curated ones, which describe sites
// and troubles that are known, and regressions, each of which once violated a statement.
//
// It runs nothing.
//
// A curated plan is curated/NAME.toml. A regression is regression/NNNN-NAME.toml; its story says what
// went wrong. scenario.go reads and finds them.
package scenario
