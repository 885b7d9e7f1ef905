// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/host"
)

const (
	// ringEvery is the shortest time between two rings about the log.
	ringEvery = 20 * time.Millisecond
	// killEvery is how often KILL is repeated while a script does not end.
	killEvery = time.Second
	// groupLook is how often the left-overs of a canceled script are looked for.
	groupLook = 20 * time.Millisecond
)

// supervision is one running script as its shim sees it. It belongs to one goroutine.
type supervision struct {
	*shim
	process offspring
	log     *recorder

	started   time.Time
	exited    *exited
	ending    *contract.Verdict // a cancel or a time-out, with TERM sent
	killAt    time.Time         // valid while ending
	killing   bool
	rungAt    time.Time
	unrung    bool
	cancelDue time.Time
	told      bool // the end of ctx was acted on
}

type exited struct {
	exit host.Exit
	err  error
}

// supervise waits for the script, keeps its time, and ends it when asked to.
func (s *shim) supervise(ctx context.Context, p host.Process, log *recorder, wake <-chan struct{}) contract.Verdict {
	now := time.Now()
	v := &supervision{shim: s, log: log, started: now, cancelDue: now}
	v.process = offspring{exec: s.Exec, first: p.ID(), cgroup: s.cgroup}
	defer v.process.forgetGroup()
	ended := make(chan exited, 1)
	var waiter sync.WaitGroup
	defer waiter.Wait()
	waiter.Go(func() {
		exit, err := p.Wait()
		ended <- exited{exit, err}
	})
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		done := ctx.Done()
		if v.told {
			done = nil
		}
		// Which of several ready cases comes first does not matter: step looks at everything.
		select {
		case e := <-ended:
			v.exited = &e
		case <-wake:
			v.unrung = true
		case <-s.rung:
			v.cancelDue = time.Time{}
		case <-done:
			v.told = true
			v.end(contract.Canceled, "the shim was told to end", v.order.GraceMS)
		case <-timer.C:
		}
		next, over := v.step(time.Now())
		if over {
			return v.verdict()
		}
		timer.Reset(time.Until(next))
	}
}

// step does what is due and returns when something will be.
func (v *supervision) step(now time.Time) (next time.Time, over bool) {
	if v.exited != nil && (v.ending == nil || v.groupGone(now)) {
		return now, true
	}
	if !now.Before(v.cancelDue) {
		v.lookForCancel(now)
		v.cancelDue = now.Add(cancelLook)
	}
	next = v.cancelDue
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if limit := time.Duration(v.order.TimeoutMS) * time.Millisecond; limit > 0 && v.ending == nil {
		due := v.started.Add(limit)
		if !now.Before(due) {
			v.end(contract.TimedOut, fmt.Sprintf("it ran longer than %v", limit), v.order.GraceMS)
		}
		sooner(due)
	}
	if v.ending != nil {
		sooner(v.kill(now))
	}
	sooner(v.log.partials(now))
	sooner(v.tell(now))
	if v.exited != nil {
		sooner(now.Add(groupLook))
	}
	return next, false
}

func (v *supervision) lookForCancel(now time.Time) {
	c := v.dir.cancel()
	if c == nil {
		return
	}
	v.end(contract.Canceled, "canceled by "+c.By, c.GraceMS)
	// A later, more impatient request shortens the grace.
	if at := now.Add(time.Duration(c.GraceMS) * time.Millisecond); at.Before(v.killAt) {
		v.killAt = at
	}
}

// end asks the script to end. The first reason stays the verdict's.
func (v *supervision) end(outcome contract.Outcome, reason string, graceMS int64) {
	if v.ending != nil || v.exited != nil {
		return
	}
	grace := time.Duration(graceMS) * time.Millisecond
	v.ending = &contract.Verdict{Outcome: outcome, Reason: reason}
	v.killAt = time.Now().Add(grace)
	v.log.remark(fmt.Sprintf("%s: the script was sent TERM, and is killed after %v", reason, grace))
	if err := v.process.signal(host.Terminate); err != nil {
		v.log.remark("TERM could not be sent: " + err.Error())
	}
	v.Point("script.term")
}

// kill sends KILL once the grace is over, again and again, and returns when it is due.
func (v *supervision) kill(now time.Time) time.Time {
	if now.Before(v.killAt) {
		return v.killAt
	}
	err := v.process.signal(host.Kill)
	if !v.killing {
		v.killing = true
		v.log.remark("the grace is over: the script's processes were killed")
	}
	if err != nil {
		v.log.remark("KILL could not be sent: " + err.Error())
	}
	v.killAt = now.Add(killEvery)
	return v.killAt
}

// groupGone reports whether nothing of an ended script is left, and gives its processes the grace
// that the script did not use up.
func (v *supervision) groupGone(now time.Time) bool {
	if left, known := v.process.members(); known {
		// After a KILL everybody is gone but for those the kernel still holds: not waited for.
		return len(left) == 0 || v.killing && !now.Before(v.killAt)
	}
	_ = v.process.signal(host.Kill)
	return true
}

// tell rings the agent's bell about the log, at most once in ringEvery.
func (v *supervision) tell(now time.Time) time.Time {
	if !v.unrung {
		return time.Time{}
	}
	if due := v.rungAt.Add(ringEvery); now.Before(due) {
		return due
	}
	v.unrung, v.rungAt = false, now
	v.ring(ringLog)
	return time.Time{}
}

func (v *supervision) verdict() contract.Verdict {
	exit, err := v.exited.exit, v.exited.err
	switch {
	case v.ending != nil:
		return *v.ending
	case err != nil:
		return contract.Verdict{Outcome: contract.Indeterminate, Reason: "waiting for the script: " + err.Error()}
	case exit.Signal != "":
		return contract.Verdict{Outcome: contract.Failed, Code: -1, Reason: "ended by signal: " + exit.Signal}
	case exit.Code != 0:
		return contract.Verdict{Outcome: contract.Failed, Code: exit.Code, Reason: "exit code " + itoa(exit.Code)}
	}
	return contract.Verdict{Outcome: contract.Succeeded}
}
