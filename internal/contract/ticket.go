// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import "fairlead/internal/errkind"

// TicketID is the key of one start: one for each (deployment, step, machine, attempt). Grammar:
// [a-z0-9][a-z0-9-]{0,62}. Only ParseTicketID and json decoding through it make valid ones.
type TicketID string

// MaxTicketBytes is the longest ticket.
const MaxTicketBytes = 63

// ParseTicketID checks the grammar. Errors: Invalid.
func ParseTicketID(text string) (TicketID, error) {
	if len(text) == 0 || len(text) > MaxTicketBytes {
		return "", errkind.Invalid.Errorf("ticket %.80q has %d bytes: want 1 to %d", text, len(text), MaxTicketBytes)
	}
	for i, c := range []byte(text) {
		alnum := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !alnum && (c != '-' || i == 0) {
			return "", errkind.Invalid.Errorf("ticket %q: byte %d is not a letter a-z, a digit or an inner dash", text, i)
		}
	}
	return TicketID(text), nil
}

// UnmarshalText checks the grammar, so a decoded ticket is a valid one.
func (t *TicketID) UnmarshalText(text []byte) error {
	id, err := ParseTicketID(string(text))
	*t = id
	return err
}

// Outcome is how a ticket ended.
type Outcome string

// The outcomes. Success is only said on an exit record written by the process that waited for
// the script; doubt is Indeterminate and never rounded.
const (
	Succeeded     Outcome = "succeeded"
	Failed        Outcome = "failed"
	Canceled      Outcome = "canceled"
	TimedOut      Outcome = "timed-out"
	NotStarted    Outcome = "not-started"   // proved: nothing of the script ran
	Indeterminate Outcome = "indeterminate" // it may have run, in part or whole
)

// Verdict is the one final word on a ticket.
type Verdict struct {
	Outcome Outcome `json:"outcome"`
	// Code is the exit code for Succeeded (0) and Failed (-1 when a signal ended it).
	Code int `json:"code"`
	// Reason is a clause for people. With Succeeded it says what went wrong all the same, such as
	// output that could not be kept; it is empty otherwise.
	Reason string `json:"reason,omitempty"`
	// LogEnd is the offset after the last record, LogSHA256 the hex hash of all record bytes.
	LogEnd    int64  `json:"log_end"`
	LogSHA256 string `json:"log_sha256,omitempty"`
	// Result names what ScriptResult reads: output variables and artifacts. Nil when there are none.
	Result *ResultInfo `json:"result,omitempty"`
}

// State is where a ticket stands.
type State string

// The states.
const (
	Unknown  State = "unknown" // no such ticket here
	Waiting  State = "waiting" // accepted, waits for the isolation lock
	Running  State = "running"
	Finished State = "finished" // Verdict is set
)

// maxLogOffset is past every log in bytes, and far enough from overflow to add to.
const maxLogOffset = 1 << 52

// TicketStatus is what the agent knows of a ticket.
type TicketStatus struct {
	Ticket TicketID `json:"ticket"`
	State  State    `json:"state"`
	// WaitingFor says in a sentence who holds the lock; only while Waiting.
	WaitingFor string   `json:"waiting_for,omitempty"`
	Verdict    *Verdict `json:"verdict,omitempty"`
	LogEnd     int64    `json:"log_end"` // offset after the last record so far
	// Journal is the position of the agent's journal (Facts), told in answer to ScriptStart and once the
	// script was started.
	Journal int64 `json:"journal,omitempty"`
	// Boot is the boot id of the machine now, StartedBoot the one in which the script was started, ""
	// until it was: where they differ, the machine has restarted since.
	Boot        string `json:"boot,omitempty"`
	StartedBoot string `json:"started_boot,omitempty"`
}

// HasRestarted reports whether the machine has restarted since it started the script.
func (s *TicketStatus) HasRestarted() bool {
	return s.StartedBoot != "" && s.Boot != "" && s.Boot != s.StartedBoot
}

// check refuses what a caller could not act on: a verdict that is missing, early or unknown, a
// place outside of any log. Errors: Corrupt.
func (s *TicketStatus) check() error {
	switch s.State {
	case Unknown, Waiting, Running:
		if s.Verdict != nil {
			return errkind.Corrupt.Errorf("ticket %s is %s and has a verdict", s.Ticket, s.State)
		}
	case Finished:
		if s.Verdict == nil {
			return errkind.Corrupt.Errorf("ticket %s is finished and has no verdict", s.Ticket)
		}
		if err := s.Verdict.check(s.Ticket); err != nil {
			return err
		}
	default:
		return errkind.Corrupt.Errorf("ticket %s is in the state %.80q", s.Ticket, s.State)
	}
	if s.LogEnd < 0 || s.LogEnd > maxLogOffset {
		return errkind.Corrupt.Errorf("ticket %s: its log ends at %d", s.Ticket, s.LogEnd)
	}
	return nil
}

func (v *Verdict) check(ticket TicketID) error {
	switch v.Outcome {
	case Succeeded, Failed, Canceled, TimedOut, NotStarted, Indeterminate:
	default:
		return errkind.Corrupt.Errorf("ticket %s: outcome %.80q", ticket, v.Outcome)
	}
	if v.LogEnd < 0 || v.LogEnd > maxLogOffset {
		return errkind.Corrupt.Errorf("ticket %s: its log ends at %d", ticket, v.LogEnd)
	}
	return v.Result.check(ticket)
}

// TicketArgs names a ticket.
type TicketArgs struct {
	Ticket TicketID `json:"ticket"`
}

// FollowArgs asks for records from an offset, which an earlier record or status named.
type FollowArgs struct {
	Ticket TicketID `json:"ticket"`
	Offset int64    `json:"offset"`
}

// CancelArgs asks for the end of a ticket.
type CancelArgs struct {
	Ticket TicketID `json:"ticket"`
	// GraceMS is the wait between TERM and KILL, 0 to 600,000.
	GraceMS int64  `json:"grace_ms"`
	By      string `json:"by"` // who asked, for the log
}
