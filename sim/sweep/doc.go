// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package sweep kills a program, or takes a machine's power, at every crash point of every workload, one
// death in a run.
//
// It carries no plan out and judges none; package worker and the statements of package check do.
//
//  1. Points lists every crash point that a program names: a test compares it with the sources.
//  2. Each point that a workload passes is one job for each way to die there, at its first and at its last pass.
//  3. A point at which nobody died in any workload is missed.
//
// workload.go holds what is done while somebody dies, points.go the points, sweep.go the jobs and the count.
package sweep
