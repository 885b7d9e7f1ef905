// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

const (
	// claimWait is how long a shim that this agent launched has to claim its ticket.
	claimWait = 10 * time.Second
	// inheritedClaimWait is the same for a shim that an earlier agent meant to launch. After it
	// another shim is launched: whatever comes late, the claim lets one of them start the script.
	inheritedClaimWait = 2 * time.Second
	// maxLaunches is how often agents launch a shim for one ticket in one boot, so that an order
	// that kills its agent does so only a few times.
	maxLaunches = 3
	// maxDoubts is how often a shim must be seen dead without an exit record.
	maxDoubts = 2
)

// phase is where a ticket stands for its agent.
type phase uint8

// The phases, with the inputs that leave them:
//
//	fresh     received -> queued; recovered -> queued or launched
//	queued    granted -> launched; canceled -> fencing
//	launched  observed (claim of the shim) -> running; observed (too late, shim gone), launchFailed -> fencing
//	fencing   claimed (won) -> settled; claimed (lost) -> running
//	running   observed (exit record) -> settled; observed (shim dead, other boot) -> settling
//	settling  observed (verdict or exit record) -> settled
//	settled   nothing: the verdict stands
const (
	fresh phase = iota
	queued
	launched
	fencing
	running
	settling
	settled
)

func (p phase) String() string {
	return [...]string{"fresh", "queued", "launched", "fencing", "running", "settling", "settled"}[p]
}

// input is what a life is told.
type input interface{ isInput() }

type (
	// received: the intent became durable.
	received struct{}
	// recovered: an agent found the intent at its start. launches counts how often earlier agents
	// of this boot may have started a shim; it is at least 1 when the ticket is claimed.
	recovered struct{ launches int }
	// granted: the isolation lock is ours.
	granted struct{}
	// launchFailed: no shim process came to be.
	launchFailed struct{ reason string }
	// canceled: a durable cancel request exists.
	canceled struct{ by string }
	// claimed answers tryClaim.
	claimed struct{ won bool }
	// observed is what the folder and the kernel say, read in this order: claim, life, exit.
	observed struct {
		claim    *claim
		verdict  *contract.Verdict // of the agent
		exit     *contract.Verdict // of the shim
		alive    bool              // the claim's process
		sameBoot bool              // the claim was made in this boot
		shimGone bool              // the shim that this agent launched is known to have ended
		trouble  string            // what a shim without a claim left to say
	}
)

func (received) isInput()     {}
func (recovered) isInput()    {}
func (granted) isInput()      {}
func (launchFailed) isInput() {}
func (canceled) isInput()     {}
func (claimed) isInput()      {}
func (observed) isInput()     {}

// output is what the shell does for a life, in order.
type output interface{ isOutput() }

type (
	enqueue  struct{} // wait for the isolation lock
	hold     struct{} // count as a holder of the lock already
	launch   struct{} // start a shim; tell launchFailed
	tryClaim struct{ verdict contract.Verdict }
	// settle writes the agent's own verdict, unless an exit record has come; then look.
	settle   struct{ reason string }
	ringShim struct{}
	look     struct{} // observe again at once
	// finish gives the lock back and publishes.
	finish struct{ verdict contract.Verdict }
)

func (enqueue) isOutput()  {}
func (hold) isOutput()     {}
func (launch) isOutput()   {}
func (tryClaim) isOutput() {}
func (settle) isOutput()   {}
func (ringShim) isOutput() {}
func (look) isOutput()     {}
func (finish) isOutput()   {}

// life is the pure state machine of one ticket. It survives its agent by being built again from
// what observed and recovered tell.
type life struct {
	phase    phase
	deadline time.Time        // of the claim, while launched
	intended contract.Verdict // what a won claim will say, while fencing
	doubts   int
	held     bool // enqueue or hold was said
	again    bool // launch once more at the deadline
}

// step takes one input and says what to do. It never blocks and reads no clock. Inputs that make
// no sense in the phase are Corrupt and change nothing.
func (l *life) step(now time.Time, in input) ([]output, error) {
	switch in := in.(type) {
	case received:
		return l.begin(now, in, 0)
	case recovered:
		return l.begin(now, in, in.launches)
	case granted:
		return l.granted(now)
	case launchFailed:
		if l.phase != launched {
			return nil, l.nonsense(in)
		}
		return l.fence(contract.NotStarted, in.reason), nil
	case canceled:
		return l.canceled(in), nil
	case claimed:
		return l.claimed(in)
	case observed:
		return l.observed(now, in), nil
	}
	return nil, l.nonsense(in)
}

func (l *life) nonsense(in input) error {
	return errkind.Corrupt.Errorf("ticket: %T while %v", in, l.phase)
}

func (l *life) begin(now time.Time, in input, launches int) ([]output, error) {
	if l.phase != fresh {
		return nil, l.nonsense(in)
	}
	l.held = true
	if launches > 0 {
		l.phase, l.deadline, l.again = launched, now.Add(inheritedClaimWait), launches < maxLaunches
		return []output{hold{}, look{}}, nil
	}
	l.phase = queued
	return []output{enqueue{}}, nil
}

// granted may come late: the ticket was canceled in the meantime and finish gives the lock back.
func (l *life) granted(now time.Time) ([]output, error) {
	switch l.phase {
	case queued:
		l.phase, l.deadline = launched, now.Add(claimWait)
		return []output{launch{}}, nil
	case fencing, settled:
		return nil, nil
	}
	return nil, l.nonsense(granted{})
}

func (l *life) canceled(in canceled) []output {
	switch l.phase {
	case queued:
		return l.fence(contract.Canceled, "canceled by "+in.by+" before it was started")
	case launched, running:
		return []output{ringShim{}}
	}
	return nil
}

// fence tries to win the claim with a verdict, so that no shim can start the script any more.
func (l *life) fence(outcome contract.Outcome, reason string) []output {
	l.phase = fencing
	l.intended = contract.Verdict{Outcome: outcome, Reason: reason, LogSHA256: emptySHA256}
	return []output{tryClaim{l.intended}}
}

func (l *life) claimed(in claimed) ([]output, error) {
	if l.phase != fencing {
		return nil, l.nonsense(in)
	}
	if in.won {
		return l.settle(l.intended), nil
	}
	l.phase = running // whoever won it: the next look says who
	return []output{look{}}, nil
}

func (l *life) observed(now time.Time, in observed) []output {
	switch {
	case l.phase == settled || l.phase == fresh:
		return nil
	case in.verdict != nil:
		return l.settle(*in.verdict)
	case in.exit != nil:
		return l.settle(*in.exit)
	case in.claim != nil && in.claim.Verdict != nil:
		return l.settle(*in.claim.Verdict)
	case in.claim != nil:
		return l.watch(in)
	case l.phase == launched && in.shimGone:
		reason := "the shim ended before it began"
		if in.trouble != "" {
			reason += ": " + in.trouble
		}
		return l.fence(contract.NotStarted, reason)
	case l.phase == launched && !now.Before(l.deadline) && l.again:
		l.again, l.deadline = false, now.Add(claimWait)
		return []output{launch{}}
	case l.phase == launched && !now.Before(l.deadline):
		return l.fence(contract.NotStarted, "the shim did not begin in time")
	case l.phase == fencing: // the last attempt met a storage error
		return []output{tryClaim{l.intended}}
	}
	return nil
}

// watch looks after a ticket that a shim has claimed.
func (l *life) watch(in observed) []output {
	if l.phase == settling {
		return []output{settle{l.intended.Reason}} // the last attempt met a storage error
	}
	var outs []output
	if l.phase != running {
		l.phase = running
		if !l.held {
			outs = append(outs, hold{})
		}
	}
	switch {
	case !in.sameBoot:
		return append(outs, l.doubt("the machine was restarted while the script ran"))
	case in.alive:
		l.doubts = 0
		return outs
	}
	l.doubts++
	if l.doubts < maxDoubts {
		return append(outs, look{})
	}
	return append(outs, l.doubt("the shim died before it could say how the script ended"))
}

func (l *life) doubt(reason string) output {
	l.phase = settling
	l.intended = contract.Verdict{Outcome: contract.Indeterminate, Reason: reason}
	return settle{reason}
}

func (l *life) settle(v contract.Verdict) []output {
	l.phase = settled
	return []output{finish{v}}
}
