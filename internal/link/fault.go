// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"time"

	"fairlead/internal/errkind"
)

// Fault names one way in which a peer can break the protocol. It is the word on the wire, in the
// log and in docs/link.md.
type Fault string

// The faults.
const (
	FaultLength        Fault = "length"           // payload longer or shorter than its type allows
	FaultReserved      Fault = "reserved"         // bits that must be zero are not
	FaultFlags         Fault = "flags"            // a flag that the type does not have
	FaultUnknownType   Fault = "unknown-type"     // and not ignorable
	FaultStreamID      Fault = "stream-id"        // a stream where there is none, or none where there is one
	FaultSequence      Fault = "sequence"         // replayed, reordered or lost frame
	FaultHelloFirst    Fault = "hello-first"      // another frame before hello
	FaultHelloTwice    Fault = "hello-twice"      // a second hello
	FaultHello         Fault = "hello"            // a value out of its range
	FaultVersion       Fault = "version"          // no version in common
	FaultRole          Fault = "role"             // both call or both serve
	FaultBinding       Fault = "binding"          // a frame of another session
	FaultOpenByServant Fault = "open-by-servant"  // only the caller opens
	FaultOpenOrder     Fault = "open-order"       // the id is not the next one
	FaultStreams       Fault = "too-many-streams" // more at once than hello allowed
	FaultUnknownStream Fault = "unknown-stream"   // a stream that was never opened
	FaultDataCredit    Fault = "data-credit"      // more data than was granted
	FaultDataAfterEnd  Fault = "data-after-end"
	FaultEndTwice      Fault = "end-twice"
	FaultLateData      Fault = "late-data" // more data for ended streams than can have been under way
	FaultCredit        Fault = "credit"    // a grant of nothing, or beyond the window
	FaultText          Fault = "text"      // not UTF-8, or control characters
)

func (f Fault) errorf(format string, args ...any) error {
	return &ProtocolError{Fault: f, Detail: fmt.Sprintf(format, args...)}
}

// ProtocolError says how the peer broke the protocol. Its kind is Corrupt.
type ProtocolError struct {
	Fault  Fault
	Detail string
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("line: fault %s: %s", e.Fault, e.Detail)
}

// Unwrap makes the kind visible.
func (e *ProtocolError) Unwrap() error { return errkind.Corrupt }

// Reason says how a session ended.
type Reason string

// The reasons.
const (
	ReasonLost    Reason = "lost"    // the transport failed or was closed without goodbye
	ReasonDead    Reason = "dead"    // nothing was heard for the agreed time
	ReasonStuck   Reason = "stuck"   // the transport took nothing for WriteLimit
	ReasonSilent  Reason = "silent"  // connected, but no hello in time
	ReasonFault   Reason = "fault"   // the peer broke the protocol
	ReasonGoodbye Reason = "goodbye" // one side ended it on purpose
)

// CloseError says how a session ended. Its kind is Corrupt (fault), Timeout (silent) or
// Unavailable (everything else).
type CloseError struct {
	Reason Reason
	// ByPeer is set when the peer's goodbye ended the session. Goodbye is set for ReasonGoodbye.
	ByPeer  bool
	Goodbye Goodbye
	// LastHeard is when the last whole frame arrived; zero when none did.
	LastHeard time.Time
	// Silence is the longest time that the line had been quiet, in both directions, before a frame
	// that was sent after LastHeard and so was never answered; 0 when there was none. Survived is how
	// often a quiet time of about the ping interval was followed by an answer. A path that cuts
	// idle connections shows in the two.
	Silence  time.Duration
	Survived uint32
	// Streams is how many streams the session carried.
	Streams uint32
	// Err is the transport's error or the *ProtocolError; it may be nil.
	Err error
}

// RetryAfter is the peer's wish when to come back, or 0.
func (e *CloseError) RetryAfter() time.Duration {
	if e.ByPeer {
		return e.Goodbye.RetryAfter
	}
	return 0
}

func (e *CloseError) Error() string {
	switch e.Reason {
	case ReasonLost:
		return fmt.Sprintf("line: connection lost: %v", e.Err)
	case ReasonDead:
		return "line: nothing heard from the peer for too long"
	case ReasonStuck:
		return fmt.Sprintf("line: the connection took no bytes for %v", WriteLimit)
	case ReasonSilent:
		return "line: the peer connected and sent no hello in time"
	case ReasonGoodbye:
		who := "this side"
		if e.ByPeer {
			who = "the peer"
		}
		return fmt.Sprintf("line: %s said goodbye: code %d: %q", who, e.Goodbye.Code, e.Goodbye.Text)
	}
	return e.Err.Error()
}

// Unwrap returns the kind and the cause.
func (e *CloseError) Unwrap() []error {
	kind := errkind.Unavailable
	switch e.Reason {
	case ReasonFault:
		kind = errkind.Corrupt
	case ReasonSilent:
		kind = errkind.Timeout
	}
	if e.Err == nil {
		return []error{kind}
	}
	return []error{kind, e.Err}
}
