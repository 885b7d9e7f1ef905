// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package link is the line: streams over one authenticated connection, framed so that control
// never waits behind bulk.
//
// It does not dial, listen, authenticate or know what a stream carries: trust makes the
// connection, contract speaks over the streams. docs/link.md gives every frame as a table.
//
//  1. Only the caller opens streams; ids rise by one and are never used again.
//  2. Bytes of a stream arrive once and in order, or the stream ends with an error.
//  3. Neither side sends more on a stream than the other granted.
//  4. What to send next is decided when the transport can take it: frames of the session first,
//     then control streams in turn, then bulk streams in turn.
//  5. Whatever a peer sends ends in a named Fault at worst; nothing is allocated beyond the limits.
//  6. Of the streams of a hushed session the peer hears nothing more but the goodbye that ends them.
//  7. An idle session is one goroutine blocked in Read: no timer, no buffer, no map.
//
// Machine is pure (no goroutine, clock or I/O) and not safe for concurrent use. Session drives it
// over a net.Conn and is safe for concurrent use, as are its streams; no mutex is held across a
// wait, and at most one goroutine writes to the connection at a time.
//
// frame.go and payload.go are the wire; fault.go names what can be wrong. machine.go, events.go,
// flow.go, receive.go, send.go and liveness.go are the machine. session.go, stream.go, pump.go, writer.go,
// keeper.go and lowat_*.go are the shell. backoff.go says when to dial again, greeting.go what
// a connection's first bytes are.
package link

const (
	// Protocol is the ALPN name of the line.
	Protocol = "fairlead/1"
	// JoinProtocol is the ALPN name of joining.
	JoinProtocol = "fairlead-join/1"
	// Version is the newest version of the line spoken here, OldestVersion the oldest.
	Version, OldestVersion = 1, 1
)
