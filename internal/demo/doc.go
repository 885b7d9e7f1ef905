// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package demo plays Fairlead's main story with the real programs: a server, two agents, a package in two versions,
// two deployments, and the proof by HTTP that the new version serves.
//
// It is no part of the product. `make demo` shows it (run/main.go) and the tests in e2e use its parts.
//
//  1. Everything lies below one folder, and every process it started, or had started by an agent, is ended and the
//     folder removed by Close; processes are found by that folder, never by their names.
//  2. Secrets go through environment and files of mode 0600, never through arguments, addresses or output.
//  3. Every wait has a limit and ends with its context.
//
// A Site belongs to one goroutine, apart from following logs and killing programs, which may go on beside it.
//
// programs.go finds or builds the programs, process.go runs one of them, port.go picks ports, wait.go waits; site.go is
// a server with its agents, sweep.go ends what is left of it; rest.go speaks to the REST surface, project.go and
// deployment.go use it, follow.go follows a task's log; webapp.go packs the package; screen.go draws, story.go tells.
package demo
