// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package trust decides who is at the other end of a connection: keys, pins, trust bundles, join
// tokens, and every tls.Config of both programs.
//
// A pin is the SHA-256 of a whole certificate. There is no certificate authority and no host name
// check: a peer is who its pinned key says it is. The package does not store machines, tokens or
// revocations durably (the server's store does), does not dial or listen, and does not rotate keys;
// bundles are numbered and identities come in slots so that rotation needs no other shape.
//
//  1. No other package makes a tls.Config, and none leaves this one: Door and Dialler give out
//     connections whose handshake is over.
//  2. A Peer comes out of a handshake and out of nothing else. No message can name one.
//  3. TLS 1.3 only, no session tickets, pins checked in VerifyConnection and again for the Peer.
//  4. The role belongs to the pin on our side, never to the certificate.
//  5. Dates never cut an agent off from its server; they restrict and then refuse agents only.
//  6. The epoch of a stored bundle never falls, and an update returns after it is durable.
//  7. Secrets (private keys, token secrets) print as a mask; only Reveal gives the text.
//
// Door, Dialler, PinSet and TrustStore are safe for concurrent use; all other values are
// immutable or belong to one goroutine.
//
// pin.go, identity.go (own keys and their file), policy.go (which certificates and dates pass),
// tlsconfig.go (Door, Dialler), peer.go, explain.go (what a failed handshake means), pinset.go
// (who is accepted, who was revoked, which sessions must close), token.go and admit.go (join
// tokens), join.go and joinwire.go (the join exchange), bundle.go and store.go (trust bundles),
// sign.go, file.go, name.go (grammars of names and addresses).
package trust
