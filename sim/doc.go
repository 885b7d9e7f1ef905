// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package sim runs the real server and the real agents on machines of a netem world.
//
// A Machine gives a daemon its host.Env: the network is a netem.Host, processes are goroutines
// that run shims and steps as the agent does and scripts by a small model, bells ring in memory,
// the wall clock is the bubble's, chance is seeded by machine and purpose. Files are real, below a
// folder that the caller chooses.
//
// It does not judge what the daemons do; whoever runs it does.
//
//  1. Nothing that a daemon learns through its Env depends on the machine that runs the simulation.
//  2. Every goroutine of a Machine ends with Machine.Stop, which waits for it.
//
// A Machine is safe for concurrent use. It must be made, used and stopped inside one bubble.
//
// machine.go makes the Env, process.go models processes, script.go scripts, bell.go bells,
// logline.go what programs log. disk.go is the disk, which knows what was synced; powerloss.go takes
// the rest away, image.go writes copies.
package sim
