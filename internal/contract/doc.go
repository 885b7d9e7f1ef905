// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package contract is what server and agent say to each other over one stream of a line.
//
// The server calls, the agent serves. A stream carries one request head, then bytes either way:
//
//	request   u32 length | {"method":"script.start","args":{...}} | bytes of the request
//	response  u32 length | {"result":{...}} or {"error":{…}} | bytes of the response
//	error     {"kind":"not-found","message":"…","hint":"…"}
//
// Lengths are big-endian and at most 64 KiB. Heads are strict JSON: an unknown or a repeated
// member, bytes after the document, invalid UTF-8 or nesting deeper than 32 are Corrupt.
//
//  1. Every method may be repeated: it is keyed by a ticket, a hash or an epoch.
//  2. No message says who the agent is. The session does; an id in a message is only compared.
//
// What a script says by service messages ("##octopus[setVariable …]") reaches the server in two ways.
// Levels and progress are in the records, at once: Record.Level is how loud a line is meant to be, and a
// record of LevelProgress is no line but "percent message" (ParseProgress). Output variables and
// artifacts are the ticket's Result: Verdict.Result names its length and hash, or is nil when there is
// none; then ScriptResult reads it and ScriptArtifact each of its files, both as often as is asked. So
// the server's way with a verdict is: read the Result and the artifacts it wants, commit them with the
// verdict, and only then ScriptForget, which removes them from the machine. The reason that a script
// gave for its end (fail_step) is the Reason of the verdict.
//
// codec.go reads and writes heads, shape.go is strict with their JSON, call.go is the caller's
// side, serve.go the agent's side, methods.go lists the methods, order.go, ticket.go, record.go,
// result.go and blob.go hold their types.
package contract
