// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package site carries a plan out: it builds the network, starts the real server and the real agents
// on simulated machines, lets people do and faults happen what the plan says, and tells what came of
// it.
//
// It does not draw plans (package search) or judge them (package check); Run asks the latter.
//
//  1. Run needs the discipline of package bubble to be repeatable, and works without.
//  2. Everything a run starts has ended when Run returns, or the run says what has not.
//  3. Times in a plan count from the moment when the server listens and the agents were started.
//
// run.go is the order of a run, build.go makes the network, box.go and program.go what stands in it.
// server.go and agent.go lead the lives of the programs, desk.go is the people's machine and op.go
// what they do, deploy.go their packages; fault.go is what goes wrong, disturb.go in the network. way.go
// leads programs around what stands in it, log.go turns the programs' logs into history, end.go looks
// at what is left, template.go keeps sites whose agents have joined.
package site
