// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package secret seals what must be kept and shown to nobody: sensitive values, at rest.
//
// It does not decide what is secret, and it does not hide secrets in output (internal/masking does).
//
//  1. A sealed text is AES-256 in Galois/counter mode with a random nonce of 96 bits. One key may seal
//     2^32 texts before nonces are likely to repeat (NIST SP 800-38D, 8.3).
//  2. A text is sealed for a place, the row and the member that hold it, and opens for that place
//     alone: a sealed text that is copied to another row is worth nothing there.
//  3. A sealed text names its key, by an id that says nothing about the key.
//  4. The key lies in a file of mode 0600, or comes from the environment; a file that others could
//     read is refused. Neither the key nor an opened text is ever part of an error.
//
// key.go seals and opens, keyfile.go keeps the key in a file. A Key is immutable and safe for
// concurrent use.
package secret
