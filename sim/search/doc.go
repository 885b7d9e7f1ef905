// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package search looks for plans that violate a statement, and makes them small.
//
// It carries nothing out itself: a Runner does, as the workers of package worker are.
//
//  1. Draw gives the same plan for the same profile, seed and number, and only plans that pass their
//     check.
//  2. A campaign attributes each violation, crash and hang to the plan that was running, and the plan of
//     every run lies in a file while it runs.
//  3. Shrink never returns a plan that does not violate the same statement, and keeps to its limits.
//
// dice.go is the chance of a draw and profile.go what it is weighed by; draw.go puts a plan together
// from topology.go, fleet.go, work.go and trouble.go. campaign.go leads runs and tally.go counts them.
// shrink.go makes plans small with the steps of smaller.go; failure.go writes them down.
package search
