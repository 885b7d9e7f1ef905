// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package fleet knows which machines are on the line and how to reach them.
//
// It keeps sessions, presence and trust in step with the store: agents that dial in, agents that
// are dialled, machines that are added, disabled, removed or cloned. It does not decide what is
// done on a machine.
//
//  1. A session belongs to the machine whose pin its handshake proved, and to no other. A message
//     names nobody.
//  2. Calls go to the newest session of a machine that has said hello; trust.PinSet keeps at most
//     four, the oldest leave.
//  3. A removed or disabled machine has no session within CloseLimit of the change.
//  4. Two agents that live at once with one key are a clone: the machine is disabled until a
//     person enables it. So is one whose journal is older than what the server was told of it.
//  5. Nothing is kept for unknown names.
//
// fleet.go is the whole, presence.go one machine's sessions, session.go the life of one, dial.go
// calls listening agents, join.go lets machines in, quarantine.go shuts them out, journal.go remembers
// how far each one's journal has come. Goroutines: one for each session, one for each listening machine,
// one that reads changes, one that stores how far journals have come; Run and the port's handlers wait
// for them.
package fleet
