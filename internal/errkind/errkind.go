// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package errkind names the causes an error can have, so that each edge maps a cause to a
// status, an exit code or a wire word once and nothing is ever told apart by its text.
//
// It does not log, translate or format errors for people; edges do.
//
//  1. errors.Is(err, errkind.NotFound) holds through any wrapping.
//  2. An error without a kind is Internal.
//  3. A hint travels beside the message and never inside it.
//
// Safe for concurrent use: every value is immutable.
package errkind

import (
	"context"
	"errors"
	"fmt"
)

// A Kind is one cause. It is an error in its own right.
type Kind uint8

// The closed list of causes.
const (
	Internal    Kind = iota // a bug or a broken machine; also every error without a kind
	Invalid                 // can never succeed as asked
	NotFound                // no such thing, or not visible to the caller
	Conflict                // lost a race or broke a uniqueness rule: read again, then retry
	Denied                  // caller known, action not allowed
	Untrusted               // the peer's certificate or secret is not one that was pinned or issued
	Unavailable             // the other side cannot be reached now: retry with back-off
	Timeout                 // a stated limit passed; whether it took effect is unknown
	Exhausted               // a stated size, count or space limit was reached
	Corrupt                 // bytes that break a protocol or a stored format
	Canceled                // the caller gave up
	kindCount
)

var names = [kindCount]string{
	"internal", "invalid", "not-found", "conflict", "denied", "untrusted",
	"unavailable", "timeout", "exhausted", "corrupt", "canceled",
}

// Error makes a Kind usable with errors.Is.
func (k Kind) Error() string { return k.String() }

// String is the wire word of the kind, for example "not-found".
func (k Kind) String() string {
	if k < kindCount {
		return names[k]
	}
	return names[Internal]
}

// Parse returns the kind that String names; anything else is Internal.
func Parse(word string) Kind {
	for k, name := range names {
		if name == word {
			return Kind(k)
		}
	}
	return Internal
}

// All lists every kind, for tables that must be complete.
func All() []Kind {
	kinds := make([]Kind, 0, kindCount)
	for k := range kindCount {
		kinds = append(kinds, k)
	}
	return kinds
}

type fault struct {
	kind  Kind
	cause error
	hint  string
}

func (f *fault) Error() string { return f.cause.Error() }

func (f *fault) Unwrap() []error { return []error{f.kind, f.cause} }

// Errorf makes an error of this kind; %w keeps the cause.
func (k Kind) Errorf(format string, args ...any) error {
	return &fault{kind: k, cause: fmt.Errorf(format, args...)}
}

// Hinted returns err with a hint: what the reader should do next, as a command where possible.
// The kind and the message stay.
func Hinted(err error, format string, args ...any) error {
	return &fault{kind: Of(err), cause: err, hint: fmt.Sprintf(format, args...)}
}

// Of returns the outermost kind of err. Context errors map to Canceled and Timeout; any other
// error without a kind is Internal.
func Of(err error) Kind {
	if f, ok := errors.AsType[*fault](err); ok {
		return f.kind
	}
	if k, ok := errors.AsType[Kind](err); ok {
		return k
	}
	switch {
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Internal
}

// Hint returns the outermost hint of err, or "".
func Hint(err error) string {
	for err != nil {
		f, ok := errors.AsType[*fault](err)
		if !ok {
			return ""
		}
		if f.hint != "" {
			return f.hint
		}
		err = f.cause
	}
	return ""
}
