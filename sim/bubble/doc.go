// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package bubble lets a plain program, one made by "go build", run simulations: it enters the test
// framework that testing/synctest asks for, and takes from the run what differs between two processes.
//
// It knows nothing of plans or networks.
//
//  1. Main runs its function once, with one processor, garbage collected by Idle alone, no preemption by
//     signals, and the seeds of net/http fixed.
//  2. What the test framework prints is kept from standard output, which belongs to the program.
//  3. A program that was not linked for it says how to build it.
//  4. With Overlay, runs do not hang on how busy the machine is; without it, most do not.
//
// For use once in a process, from main.
//
// main.go is the way in, framework.go what the test framework wants to know of its surroundings,
// godebug.go the settings that the runtime reads at its start, idle.go the collection of garbage.
// overlay.go changes the runtime for builds that ask for it.
package bubble
