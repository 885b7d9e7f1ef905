// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"os"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// Storage knows whether the disk under the journal has failed. durable.Guard is one.
type Storage interface {
	// Err is the first failure, or nil.
	Err() error
	// Note takes an error that was met, and counts it when it says that the disk is broken.
	Note(err error)
}

// sound stands for a disk of which nothing is known.
type sound struct{}

func (sound) Err() error { return nil }
func (sound) Note(error) {}

// storageFailed is what people read and look for.
const storageFailed = "storage failed"

// refuseOnBrokenLocked refuses an order once the disk has failed: no intent could be relied on. Of an
// order that was being kept when it failed nobody knows whether it is there after a power cut, so that
// one is not said to be not started: it is asked for again after the agent's restart.
func (s *Service) refuseOnBrokenLocked(id contract.TicketID) error {
	failure := s.options.Storage.Err()
	if failure == nil {
		return nil
	}
	kind, what := errkind.Denied, "not started"
	if s.doubtful[id] {
		kind, what = errkind.Unavailable, "it may be kept or not"
	}
	return errkind.Hinted(kind.Errorf("ticket %s: %s: %s on this machine: %w", id, what, storageFailed, failure),
		"make the disk of the agent's home sound (dmesg says what it met), then restart the agent")
}

// missedLocked notes why an intent could not be kept.
func (s *Service) missedLocked(id contract.TicketID, err error) {
	s.options.Storage.Note(err)
	if errkind.Of(err) != errkind.Exhausted {
		s.doubtful[id] = true // until the server has the order kept: a broken disk admits no more of them
	}
}

// believed is a verdict as far as a disk that failed lets it be one: whatever was written since may not
// be kept.
func (s *Service) believed(v contract.Verdict) contract.Verdict {
	failure := s.options.Storage.Err()
	if failure == nil || v.Outcome == contract.Indeterminate {
		return v
	}
	v.Reason = shorten(storageFailed+" on the machine before this was known to be kept ("+failure.Error()+
		"); what lies there: "+said(v), maxReasonBytes)
	v.Outcome, v.Code = contract.Indeterminate, 0
	return v
}

func said(v contract.Verdict) string {
	if v.Reason == "" {
		return string(v.Outcome)
	}
	return string(v.Outcome) + ", " + v.Reason
}

// takeWithout claims a ticket for the agent without a byte of content, for a disk that is full or
// broken: the claim is the order itself under a second name.
func (f folder) takeWithout() error { return os.Link(f.path("order.json"), f.path("claim")) }

// isTakenWithout reports whether the claim is such a one.
func (f folder) isTakenWithout() bool {
	order, err := os.Lstat(f.path("order.json"))
	if err != nil {
		return false
	}
	claim, err := os.Lstat(f.path("claim"))
	return err == nil && os.SameFile(order, claim)
}

// withoutClaim is the verdict that such a claim stands for.
func (f folder) withoutClaim() *contract.Verdict {
	reason := "nothing could be written for it on the machine's disk"
	if trouble := f.trouble(); trouble != "" {
		reason += ": " + trouble
	}
	return &contract.Verdict{Outcome: contract.NotStarted, Reason: shorten(reason, maxReasonBytes), LogSHA256: emptySHA256}
}
