// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

// Package real carries a plan out with the built programs across a network of the kernel's own parts,
// in real time, and compares what came of it with what came of the same plan in the simulator.
//
// A plan becomes a netns.Topology, and its servers and agents become processes on its hosts. Both
// worlds tell a history; an Outcome is what of it does not hang on chance: who is on line, verdicts,
// starts, lost lines, and two times within bounds. Digests are not compared: there is no determinism
// here.
//
// It knows a part of what plans can say: Unsupported tells what not.
//
//  1. Run ends every process and removes every namespace that it made.
//  2. Secrets go through environment and files of mode 0600.
//  3. Every wait has a limit.
//
// plans.go holds the plans that `make sim-real` compares, topology.go makes networks of them. run.go
// is the order of a run, machine.go leads the programs, op.go is what people do, fault.go what goes
// wrong; folder.go keeps homes and logs, record.go makes history of what the programs logged.
// outcome.go sums a history up, compare.go puts two side by side.
package real
