// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package check judges a run by its history: what must never happen, what must happen in time once
// everything is healed, and what should happen now and then in a campaign.
//
// It runs nothing. Each statement is a pure function over history.Run in a file of its own.
//
//  1. A violation names the statement, when it happened, where, and in a sentence what is wrong.
//  2. Judging has no effect and gives the same answer each time.
//  3. A bound of liveness follows from the plan's configuration (Bounds); a run that ends before a
//     bound has passed is not judged by it.
//
// What must never happen:
//
//	S1   session.go      no work through a box that ends TLS
//	S2   revocation.go   no work and no session for a removed machine
//	S4   start.go        one start for each ticket and place in a plan
//	S5   verdict.go      one verdict, as the script ended
//	S6   durability.go   acknowledged is durable
//	S7   output.go       the log is a prefix of what was said
//	S8   isolation.go    exclusion, order of steps, cancels before the start
//	S9   answer.go       requests and answers reach whom they are for
//	S10  content.go      files whole, with their content
//	S11  secret.go       no secret anywhere
//	S12  limit.go        bounds of connections, tries, waits and events
//	S13  queue.go        what people read of tasks is linearizable
//	S14  leak.go         nothing is left at the end
//	S15  artifact.go     files that scripts handed over arrive whole
//	S16  window.go       a step's window
//	S17  approval.go     nothing behind a question before its answer
//	S18  repetition.go   again only where nothing ran, or as settings or people say
//	S19  outcome.go      output variables, and conditions that ask them
//	S20  retention.go    what is deployed stays
//	S21  audit.go        the audit trail is whole
//	S22  patience.go     absent machines are given up when their scripts say so
//	S23  taking.go       a deployment keeps to the variables of its queueing
//
// What must happen in time:
//
//	L1  reconnection.go  agents come back
//	L2  completion.go    tickets and tasks end
//	L3  detection.go     silent deaths are noticed on both sides
//	L5  cancellation.go  cancels arrive
//	L6  agreement.go     both ends agree on the line
//	L7  fairness.go      no idle machine waits
//	L8  progress.go      time moves
//
// "expect" (expectation.go) is what a plan says of itself; goal.go holds what a campaign should meet.
//
// Left out, because there is nothing to judge: S3 and L4 (keys and certificates do not rotate here),
// and of S13 the claims of several owners (one server holds the queue at a time).
package check
