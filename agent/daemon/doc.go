// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package daemon puts the agent together: settings, command line, the line to the server and the
// services on it.
//
//  1. New starts nothing: it locks and opens the home folder, and fails on bad settings.
//  2. Run blocks until its context ends and everything it started has ended. Scripts go on: each
//     has a shim of its own.
//  3. What main starts and what the simulator starts is the same New.
//
// daemon.go is the whole, settings.go the file agent.toml, home.go the folder, poll.go keeps the
// line to the server, way.go leads through an outbound proxy, listen.go answers a server that
// dials, serve.go runs one session, report.go says how the machine is, state.go tells `status` what
// the daemon does; command.go is the command line, with join.go, status.go and doctor.go, which
// reports what walk.go finds on the way to the server.
package daemon
