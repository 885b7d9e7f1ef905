// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package worker carries plans out in processes of their own, so that a run that crashes or hangs is
// one outcome among others.
//
// It draws no plans and judges none; the process on the other side does that with package site.
//
//  1. Each plan that is handed in has one Outcome, whatever becomes of the process.
//  2. A process has one run at a time. It is replaced after a crash, after a hang, and after Limits.Runs.
//  3. A Worker's process and its homes are gone when Close returns.
//
// A Worker is for one goroutine; several of them work side by side.
//
// order.go is what is said between the processes, serve.go the far side. worker.go leads a process,
// process.go starts and ends it, outcome.go is what came of a plan, homes.go where its files lie.
package worker
