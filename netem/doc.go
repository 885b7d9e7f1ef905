// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package netem is a deterministic network inside one process: hosts, segments, links, boxes such
// as NATs and firewalls, and TCP as programs see it, in virtual time.
//
// A program that reaches the network through DialContext, Listen and LookupNetIP runs on a Host
// unchanged. Inside a testing/synctest bubble, with Options.Wait set to synctest.Wait, two runs of
// the same program with the same seed see the same packets in the same nanoseconds. Outside of a
// bubble, without Wait, the network works in real time and promises no order.
//
// It does not model congestion control beyond the slow start that follows a timeout, segmentation,
// UDP, kernel socket options beyond those that Conn has, or what happens inside a network card.
//
//  1. One goroutine, the loop, changes the network. It waits until every other goroutine is
//     blocked, takes what they asked for in canonical order, runs one event that wakes somebody,
//     and waits again. It does not get up for events that no program can notice: whoever asks
//     something next finds them done.
//  2. No two events of one host share an instant: one cause at a time.
//  3. Chance is a hash of seed, stream, side and packet number, never a shared sequence, so that a
//     fault that is taken away leaves the rest of a run as it was.
//  4. What a program writes to a connection within one instant travels as one flight.
//  5. A connection delivers its bytes in order, once, or fails with the errno Linux has for it.
//  6. Boxes are tables that are told the time. They have no clock, no goroutine and no chance of
//     their own, and are asked again for every retransmission.
//  7. No mutex is held across a wait, and every wait is one that a bubble knows as durable.
//
// Worlds are independent of each other. All methods of World, Host and Conn are safe for
// concurrent use; box tables are only to be changed through World.Do once traffic flows.
//
// world.go, event.go, alarm.go and quiet.go are the loop; chance.go, trace.go and digest.go its dice and its
// memory; capture.go, frame.go and pcapng.go write what Wireshark reads. segment.go, link.go, queue.go
// and path.go lead a packet from host to host, host.go, listener.go, dial.go and dns.go are what
// programs call. conn.go is the net.Conn, send.go, receive.go and close.go the protocol beneath it.
// box.go is what a box is, nat.go, firewall.go, securitygroup.go, balancer.go and intercept.go are
// the boxes; session.go is what they remember of a connection, expiry.go lets them speak by themselves,
// proxyheader.go introduces clients, preset.go knows the numbers of real ones. fault.go breaks things
// and heals them, linkfault.go, boxfault.go and dnsfault.go are the kinds. Boxes that are programs
// are in package box.
package netem
