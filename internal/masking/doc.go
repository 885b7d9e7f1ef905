// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package masking hides secrets in output before anybody keeps it.
//
// It does not decide what is secret, and it does not look for a secret in an encoding that has
// another alphabet: base64, hex, URL escapes, other case and reversed text pass.
//
//  1. Every byte that belongs to an occurrence of a secret is hidden, also where occurrences overlap
//     or lie inside each other; a run of hidden bytes becomes one Mask, so its length tells nothing.
//  2. The result is the same however the text is cut into writes: what may be the beginning of a
//     secret is held back until the next bytes decide, and never longer than the longest secret.
//  3. The cost is linear in the text, whatever the secrets are.
//  4. A secret is looked for as it is, line by line, and as JSON and a shell would write it.
//  5. A secret shorter than MinBytes is not looked for: it would blank out ordinary text.
//
// A Set is immutable and safe for concurrent use; a Stream belongs to one goroutine. Both are pure.
//
// set.go finds (the automaton of Aho and Corasick, 1975), form.go lists what a secret may look
// like, stream.go hides.
package masking
