// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package daemon puts the server together: settings, command line, store, engine, fleet, and the
// two ports.
//
//  1. New takes the home, opens the store and wires the parts; it opens no port and starts no
//     goroutine but the store's own. It fails on bad settings before anything is changed.
//  2. Run blocks until its context ends and everything it started has ended. Scripts on machines
//     go on; the next Run takes their tasks up again.
//  3. Nothing leaves on a line after a failed sync, or after the end has begun, but pings and the goodbye.
//  4. What main starts and what the simulator starts is the same New.
//
// daemon.go is the whole, runner.go ends its parts in an order, settings.go the file server.toml, home.go the
// folder, space.go how full its disk is, web.go the HTTP side, line.go the agents' port, admin.go the socket for
// commands on this machine; sources.go adapts the use cases to api and portal; command.go is the command line, with
// token.go and key.go. backup.go copies a home while its server runs: snapshot.go the database, transfer.go
// files, manifest.go says what there is; restore.go makes a home of that, reconcile.go has the logs
// agree with the database, lost_time.go ends what nobody knows any more; safemode.go is what holds a
// restored server, and what its machines did that it does not know.
package daemon
