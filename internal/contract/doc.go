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
// codec.go reads and writes heads, shape.go is strict with their JSON, call.go is the caller's
// side, serve.go the agent's side, methods.go lists the methods, order.go, ticket.go, record.go
// and blob.go hold their types.
package contract
