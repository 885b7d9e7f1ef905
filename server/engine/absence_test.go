// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/target"
)

// window is a machine that can be reached at some times only.
type window struct {
	*scripted
	isAway func() bool
}

func (w window) Target(deploy.MachineID) (target.Target, string, error) {
	if w.isAway() {
		return nil, "", errkind.Unavailable.Errorf("m is off line")
	}
	return w.scripted, "state-1", nil
}

// started is a machine whose script runs from its first order on, until it is let end.
func started(end func() bool) *scripted {
	isKnown := false
	m := &scripted{start: func(contract.Order) error {
		isKnown = true
		return nil
	}}
	m.status = func() (contract.TicketStatus, error) {
		switch {
		case !isKnown:
			return contract.TicketStatus{State: contract.Unknown}, nil
		case end():
			return *verdictOf(contract.Succeeded, 0), nil
		}
		return running(), nil
	}
	m.follow = func(ctx context.Context, _ target.FollowFunc) error {
		select {
		case <-time.After(10 * time.Second):
		case <-ctx.Done():
		}
		return errkind.Unavailable.Errorf("the line broke")
	}
	return m
}

func always() bool { return true }
func noEnd() bool  { return false }

// lostFails makes the bench's step fail when its machine is lost.
func lostFails(p *deploy.Plan) {
	p.Steps[0].Actions[0].Properties[deploy.PropWhenLost] = string(deploy.LostFails)
}

// TestAMachineIsGivenUpWhateverTheServerDoes: the server starts anew every five minutes, and the limit is ten.
func TestAMachineIsGivenUpWhateverTheServerDoes(t *testing.T) {
	for name, c := range map[string]struct {
		firstKill string // a first life of the server reaches the machine, up to here
		why       string
	}{
		"before the order": {"", "was not on line for 10m0s"},
		"after the order":  {"engine.ticket.sent", "nothing was heard of it for 10m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, planned(lostFails))
				defer b.store.Close()
				m := started(noEnd)
				if c.firstKill != "" {
					b.run(m, nil, c.firstKill, nil)
				}
				attempts := 1
				if c.firstKill == "" {
					attempts = 3 // what never began is begun again
				}
				for range 3 * attempts {
					b.run(nil, window{m, always}, "", nil)
				}
				if task := b.task(); task.State != deploy.TaskFailed || !strings.Contains(task.Error, c.why) {
					t.Errorf("the task is %s (%s), want Failed since %q\n%s", task.State, task.Error, c.why, b.log())
				}
			})
		})
	}
}

// TestAMachineMayCallAServerThatIsBack: the time that the server itself was away does not cost a machine its script.
func TestAMachineMayCallAServerThatIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(lostFails))
		defer b.store.Close()
		m := started(always)
		b.run(m, nil, "engine.ticket.sent", nil)
		b.run(nil, window{m, always}, "", nil)
		time.Sleep(time.Hour)
		back := time.Now().Add(time.Minute)
		b.run(nil, window{m, func() bool { return time.Now().Before(back) }}, "", nil)
		if task := b.task(); task.State != deploy.TaskSuccess {
			t.Errorf("the task is %s (%s), want Success\n%s", task.State, task.Error, b.log())
		}
	})
}

// TestAnAbsenceEndsWithTheMachinesReturn: the next one counts from its own beginning.
func TestAnAbsenceEndsWithTheMachinesReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(lostFails))
		defer b.store.Close()
		m := started(noEnd)
		b.run(m, nil, "engine.ticket.sent", nil)
		b.run(nil, window{m, always}, "", nil)
		b.run(m, nil, "", nil)
		b.run(nil, window{m, always}, "", nil)
		if away := b.tickets()[0].AwaySince; b.task().State != deploy.TaskExecuting || time.Since(away) > 6*time.Minute {
			t.Errorf("the task is %s, its machine away for %s; want Executing, and 5 min\n%s",
				b.task().State, time.Since(away), b.log())
		}
	})
}

// TestAnAbsenceBeforeTheOrderEndsToo, though nothing but its package has come to the machine by then.
func TestAnAbsenceBeforeTheOrderEndsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, released(deploy.PackageAction))
		defer b.store.Close()
		m := never(t)
		m.send = func(ctx context.Context) error {
			<-ctx.Done()
			return errkind.Canceled.Errorf("%w", ctx.Err())
		}
		b.run(nil, window{m, always}, "", nil)
		b.run(m, nil, "", nil)
		b.run(nil, window{m, always}, "", nil)
		tickets := b.tickets()
		if len(tickets) != 1 || b.task().State != deploy.TaskExecuting || time.Since(tickets[0].AwaySince) > 6*time.Minute {
			t.Errorf("the task is %s with tickets %+v; want Executing with one that waits for 5 min\n%s",
				b.task().State, tickets, b.log())
		}
	})
}
