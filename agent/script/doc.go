// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package script carries one order out for each ticket, whatever dies in the meantime.
//
// Two processes share a ticket. The agent (Service) receives the order, makes it durable, waits
// for the isolation lock and launches a detached shim; the shim (RunShim) claims the ticket, runs
// the script, keeps its output and writes the verdict. The package does not speak over a network,
// install packages or evaluate variables.
//
//  1. A script starts at most once for one ticket: the claim is made by link(2), which one of
//     all shims and agents wins, and only a shim that won starts anything.
//  2. A ticket gets one verdict. Succeeded and Failed are only said on an exit record, which the
//     process that waited for the script wrote; NotStarted only when the claim proves it.
//  3. No order is started whose intent is not durable, none of a lower epoch than was seen for
//     its task, and none of a ticket that was forgotten. What a restarted agent finds that was never
//     launched waits for a word of the server.
//  4. The log is a sequence of whole records up to LogEnd; what was not kept is counted in it.
//     No output is kept that was not searched for the order's sensitive values.
//  5. Two orders that exclude each other never overlap, also while agents come and go: the
//     agent's queue makes the order fair, the shims' file locks make it certain.
//
// A ticket's folder, <home>/tickets/<ticket>, mode 0700, files 0600:
//
//	name        written by      content, durability
//	order.json  agent           the order as received; temp, fsync, rename, fsync of both folders
//	seq-<n>     agent           empty; position of the order, or of a start, in the journal; named before the order
//	launched    agent           boot id and number of launches in it; not synced
//	claim       shim or agent   claim in JSON, by link; folder synced (and the file by the agent)
//	process     shim            id of the script's process; not synced
//	cgroup      shim            boot id and folder of the script's control group, where there is one; not synced
//	log         shim            contract.Record bytes; named before the claim, synced before the exit record
//	exit        shim            4 KiB, preallocated before the claim: magic, length, SHA-256, verdict
//	result      shim            contract.Result in JSON, whose hash the exit record holds; temp, fsync, rename, fsync
//	artifacts/  shim            files handed over, by index; synced before the result
//	verdict     agent           its own last word on a ticket whose shim died; temp, fsync, rename, fsync
//	cancel      agent           request in JSON; temp, fsync, rename, fsync
//	trouble     shim            why it ended without a claim; not synced
//	shim.bell   shim            wakes it when a cancel was written
//	work/       shim            the script's working folder: body.sh, variables.sh
//
// Beside the tickets lie .bell (wakes the agent), .ledger (forgotten tickets, epochs) and .lock-*
// (isolation). No ticket begins with a dot.
//
// Where the machine can, a shim is started before it is known what for: while an order is being made
// durable, and after each order for 30 s. Such a spare shim reads the ticket's folder from a pipe, and ends
// when the pipe ends without one, as it does with the agent. It has touched nothing until then, so none of
// the above depends on it.
//
// Service messages are taken out of the output before secrets are looked for in it. What they hand over
// is durable before the verdict that names it.
//
// A ticket that runs undisturbed costs six fsyncs until its verdict: three for the intent, one
// for the claim, one for the log, one for the exit record; forgetting it costs a seventh, the first one of
// an agent's life an eighth, a cancel two, a result two and one more for each artifact.
//
// A Service is safe for concurrent use. One goroutine owns each unfinished ticket; Run owns these
// goroutines and waits for them.
//
// life.go and isolate.go are pure: one ticket's states, the queue for the isolation lock.
// service.go, ticket.go, spare.go, position.go, recover.go, follow.go, list.go, result.go and serve.go are the agent's
// side; shim.go, supervise.go, offspring.go, recorder.go, spoken.go, mask.go, lockfile.go and environment.go the
// shim's; order.go, journal.go, claim.go and ledger.go are what both find on disk, storage.go what becomes of it when
// the disk is full or broken.
package script
