// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package finding says in a network engineer's words what a site does to its agents: which box keeps
// them out, which one forgets them, how long they were out of reach, what to ask for.
//
// It does not say whether the programs did right (package check does).
//
//  1. Each sentence names machines, boxes and times of the run at hand, and what to do where there is
//     something to do.
//  2. A run with nothing to complain about gets one sentence with figures.
//  3. The same run gives the same sentences.
//
// finding.go puts them together. outage.go finds the times out of reach, refusal.go who keeps agents
// out, memory.go who forgets them, fault.go what each fault did, figure.go counts.
package finding
