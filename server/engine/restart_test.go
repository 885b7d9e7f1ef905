// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/server/engine"
	"fairlead/server/target"
)

// with gives the bench's action settings: names and values in turn.
func with(settings ...string) func(store.Writer) error {
	return planned(func(p *deploy.Plan) {
		for i := 0; i < len(settings); i += 2 {
			p.Steps[0].Actions[0].Properties[settings[i]] = settings[i+1]
		}
	})
}

// rebooting is a machine whose script takes ten seconds; then the machine is away and comes back in
// another boot, if it does.
type rebooting struct {
	*scripted
	started   time.Time
	leaves    time.Duration // after its order came
	away      time.Duration // 0: it never leaves
	stays     bool          // away for ever
	sameBoot  bool          // it was away, and did not restart
	waits     bool          // for a lock, until it is canceled
	exit      atomic.Pointer[contract.Verdict]
	afterBoot contract.Verdict // what the agent says when it is back
}

func newRebooting(away time.Duration) *rebooting {
	r := &rebooting{
		scripted: &scripted{}, leaves: 10 * time.Second, away: away,
		afterBoot: contract.Verdict{Outcome: contract.Canceled, Reason: "the shim was told to end"},
	}
	r.scripted.status = func() (contract.TicketStatus, error) { return r.now(), nil }
	r.scripted.start = func(contract.Order) error {
		r.started = time.Now()
		return nil
	}
	r.scripted.follow = func(ctx context.Context, f target.FollowFunc) error {
		for {
			status := r.now()
			switch {
			case r.isAway():
				return errkind.Unavailable.Errorf("the line broke")
			case status.Verdict != nil:
				return f(nil, &status)
			case ctx.Err() != nil:
				return ctx.Err()
			}
			time.Sleep(time.Second)
		}
	}
	return r
}

func (r *rebooting) isAway() bool {
	gone := time.Since(r.started) - r.leaves
	return !r.started.IsZero() && r.away > 0 && gone >= 0 && (r.stays || gone < r.away)
}

func (r *rebooting) now() contract.TicketStatus {
	s := contract.TicketStatus{Ticket: "t", State: contract.Running, Boot: "one", StartedBoot: "one"}
	switch ran := time.Since(r.started); {
	case r.started.IsZero():
		return contract.TicketStatus{Ticket: "t", State: contract.Unknown, Boot: "one"}
	case r.away > 0 && !r.sameBoot && ran >= r.leaves+r.away:
		s.Boot, s.State, s.Verdict = "two", contract.Finished, &r.afterBoot
	case r.exit.Load() != nil && ran >= r.leaves:
		s.State, s.Verdict = contract.Finished, r.exit.Load()
	case r.waits:
		s.State = contract.Waiting
	}
	return s
}

func (r *rebooting) Target(deploy.MachineID) (target.Target, string, error) {
	if r.isAway() {
		return nil, "", errkind.Unavailable.Errorf("m is off line")
	}
	return r, "state-1", nil
}

func (b *bench) tickets() (tickets []deploy.Ticket) {
	b.must(b.store.View(context.WithoutCancel(b.t.Context()), func(r store.Reader) (err error) {
		tickets, err = r.Tickets("ServerTasks-1")
		return err
	}))
	return tickets
}

// ended is how a test's task should end, and what its log and its error should say.
type ended struct {
	state deploy.TaskState
	log   string
	err   string
	took  time.Duration // at the most
}

func (b *bench) check(want ended, took time.Duration) {
	b.t.Helper()
	task := b.task()
	if task.State != want.state || !strings.Contains(b.log(), want.log) || !strings.Contains(task.Error, want.err) ||
		task.State.IsCompleted() && took > want.took {
		b.t.Errorf("the task is %s (%s) after %s, want %+v\n%s", task.State, task.Error, took, want, b.log())
	}
}

// TestAStepThatRestartsItsMachine goes on when the machine is back in another boot.
func TestAStepThatRestartsItsMachine(t *testing.T) {
	const minute = time.Minute
	for name, c := range map[string]struct {
		edit func(*rebooting)
		want ended
	}{
		"while the script runs": {
			func(*rebooting) {}, ended{deploy.TaskSuccess, "Wait Waiting for m to come back, away for 1m0s.", "", 2 * minute},
		},
		"after the script": {
			func(r *rebooting) {
				r.afterBoot = contract.Verdict{Outcome: contract.Succeeded}
				r.exit.Store(&r.afterBoot)
			},
			ended{deploy.TaskSuccess, "The machine has restarted, as the step has it, and is back after 1m", "", 2 * minute},
		},
		"it ends the script": {
			func(r *rebooting) { r.afterBoot = contract.Verdict{Outcome: contract.Failed, Code: -1} },
			ended{deploy.TaskSuccess, "has restarted", "", 2 * minute},
		},
		"the power went, and nobody knows how far the script came": {
			func(r *rebooting) {
				r.afterBoot = contract.Verdict{Outcome: contract.Indeterminate, Reason: "the machine was restarted while the script ran"}
			},
			ended{deploy.TaskFailed, "Waiting for m to come back", "the machine was restarted while the script ran", 2 * minute},
		},
		"it never comes": {
			func(r *rebooting) {
				r.away = 0
				r.exit.Store(&contract.Verdict{Outcome: contract.Succeeded})
			},
			ended{deploy.TaskFailed, "Waiting for m to restart, its script ended 30s ago", "did not restart within 2m0s", 3 * minute},
		},
		"it never comes back": {
			func(r *rebooting) { r.stays = true },
			ended{deploy.TaskFailed, "away for 1m30s", "did not come back within 2m0s", 3 * minute},
		},
		"the line broke, and it goes on": {
			func(r *rebooting) { r.sameBoot = true }, ended{deploy.TaskExecuting, "The machine is back after", "", 0},
		},
		"the script fails": {
			func(r *rebooting) {
				r.away = 0
				r.exit.Store(&contract.Verdict{Outcome: contract.Failed, Code: 3})
			},
			ended{deploy.TaskFailed, "exit code 3", "m: Failed: exit code 3.", minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, with(deploy.PropRestarts, "True", deploy.PropRestartMinutes, "2"))
				defer b.store.Close()
				m := newRebooting(80 * time.Second)
				c.edit(m)
				began := time.Now()
				b.run(nil, m, "", nil)
				b.check(c.want, time.Since(began))
				for _, ticket := range b.tickets() {
					if !ticket.AwaySince.IsZero() {
						t.Errorf("it is still waited for: %+v", ticket)
					}
				}
			})
		})
	}
}

// TestARestartThatNobodyAskedFor is no success, and says why.
func TestARestartThatNobodyAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		m := newRebooting(80 * time.Second)
		m.afterBoot = contract.Verdict{Outcome: contract.Indeterminate, Reason: "the machine was restarted while the script ran"}
		b.run(nil, m, "", nil)
		b.check(ended{
			deploy.TaskFailed, "Nobody can tell", "m: Nobody can tell whether it ran to its end: the machine was restarted", 3 * time.Minute,
		}, 0)
	})
}

// TestTheServerDiesWhileTheMachineRestarts: another one waits on, and the limit counts from before.
func TestTheServerDiesWhileTheMachineRestarts(t *testing.T) {
	back := func(minutes time.Duration) ended {
		return ended{deploy.TaskSuccess, "has restarted", "", minutes * time.Minute}
	}
	missing := func(minutes time.Duration) ended {
		return ended{deploy.TaskFailed, "", "did not come back", minutes * time.Minute}
	}
	for name, c := range map[string]struct {
		away, dead time.Duration
		stays      bool
		want       ended
	}{
		"it comes back":                  {150 * time.Second, time.Second, false, back(3)},
		"it came back meanwhile":         {150 * time.Second, time.Hour, false, back(1)},
		"it does not":                    {150 * time.Second, time.Second, true, missing(5)},
		"the limit passed in between":    {150 * time.Second, time.Hour, true, missing(3)},
		"it comes back after the server": {61 * time.Minute, time.Hour, false, back(3)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, with(deploy.PropRestarts, "True", deploy.PropRestartMinutes, "4"))
				defer b.store.Close()
				m := newRebooting(c.away)
				m.stays = c.stays
				b.run(nil, m, "engine.restart.awaited", nil)
				if tickets := b.tickets(); len(tickets) != 1 || tickets[0].AwaySince.IsZero() {
					t.Fatalf("tickets %+v, want one that waits", tickets)
				}
				time.Sleep(c.dead)
				began := time.Now()
				b.run(nil, m, "", nil)
				b.check(c.want, time.Since(began))
			})
		})
	}
}

// TestWhenItsMachineIsLost: the step waits, fails or goes on, and what the machine says later is kept.
func TestWhenItsMachineIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		policy deploy.WhenLost
		want   ended
	}{
		"wait":  {deploy.LostWaits, ended{deploy.TaskExecuting, "The machine is lost: nothing was heard of it for 1m0s.", "", 0}},
		"fail":  {deploy.LostFails, ended{deploy.TaskFailed, "set to fail then", "m: Nobody can tell", 2 * time.Minute}},
		"go on": {deploy.LostGoOn, ended{deploy.TaskFailed, "go on without", "lost all its machines", 2 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, with(deploy.PropWhenLost, string(c.policy), deploy.PropLostMinutes, "1"))
				defer b.store.Close()
				m := newRebooting(time.Hour)
				m.sameBoot = true
				began := time.Now()
				b.run(nil, m, "", nil)
				b.check(c.want, time.Since(began))
				if c.policy == deploy.LostWaits {
					return
				}
				time.Sleep(2 * time.Hour)
				b.late(m, contract.Verdict{Outcome: contract.Succeeded})
			})
		})
	}
}

// TestALostScriptThatStillWaitsIsCalledOff: it must not begin long after its step has failed.
func TestALostScriptThatStillWaitsIsCalledOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, with(deploy.PropWhenLost, string(deploy.LostFails), deploy.PropLostMinutes, "1"))
		defer b.store.Close()
		m := newRebooting(time.Hour)
		m.sameBoot, m.waits = true, true
		b.run(nil, m, "", nil)
		m.cancel = func() error {
			m.exit.Store(&contract.Verdict{Outcome: contract.Canceled})
			return nil
		}
		time.Sleep(2 * time.Hour)
		e := engine.New(engine.Deps{Store: b.store, Logs: b.logs, Reach: m, Env: host.Env{
			Wall: time.Now, Log: slog.New(slog.DiscardHandler), Rand: seeded, Point: func(string) {},
		}})
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		b.must(e.Online(ctx, "Machines-1"))
		if got := b.tickets()[0]; got.Late == nil || got.Late.Outcome != contract.Canceled || got.State != deploy.TicketForgotten {
			t.Errorf("ticket %+v, want it called off and forgotten", got)
		}
	})
}

// late lets the machine come back with a script that ends, and expects that to be recorded.
func (b *bench) late(m *rebooting, v contract.Verdict) {
	b.t.Helper()
	e := engine.New(engine.Deps{Store: b.store, Logs: b.logs, Reach: m, Env: host.Env{
		Wall: time.Now, Log: slog.New(slog.DiscardHandler), Rand: seeded, Point: func(string) {},
	}})
	ended := make(chan error, 1)
	go func() { ended <- e.Online(b.t.Context(), "Machines-1") }()
	time.Sleep(time.Minute)
	if got := b.tickets()[0]; got.Late != nil || got.State != deploy.TicketFinished {
		b.t.Errorf("before the script's end: %+v", got)
	}
	m.exit.Store(&v)
	b.must(<-ended)
	got := b.tickets()[0]
	if got.Late == nil || *got.Late != v || got.State != deploy.TicketForgotten || got.Verdict.Outcome != contract.Indeterminate {
		b.t.Errorf("ticket %+v, want the ruling and late %+v", got, v)
	}
	var events []deploy.Event
	b.must(b.store.View(b.t.Context(), func(r store.Reader) (err error) {
		events, err = r.Events(store.EventFilter{Category: "VerdictCameLate"})
		return err
	}))
	if len(events) != 1 || !strings.Contains(events[0].Message, "m said late how its script ended: Succeeded.") {
		b.t.Errorf("events %+v", events)
	}
}

// TestAnotherAttempt: what did not start is begun again, and what is in doubt only where its step
// allows that.
func TestAnotherAttempt(t *testing.T) {
	type outcomes = []contract.Outcome
	for name, c := range map[string]struct {
		idempotent string
		answers    outcomes
		want       deploy.TaskState
		attempts   int
	}{
		"not started, then it is":  {"", outcomes{contract.NotStarted, contract.Succeeded}, deploy.TaskSuccess, 2},
		"never started":            {"", outcomes{contract.NotStarted}, deploy.TaskFailed, deploy.MaxAttempts},
		"in doubt":                 {"False", outcomes{contract.Indeterminate}, deploy.TaskFailed, 1},
		"in doubt, and harmless":   {"True", outcomes{contract.Indeterminate, contract.Succeeded}, deploy.TaskSuccess, 2},
		"failed, harmless or not":  {"True", outcomes{contract.Failed}, deploy.TaskFailed, 1},
		"timed out likewise":       {"True", outcomes{contract.TimedOut}, deploy.TaskFailed, 1},
		"in doubt again and again": {"True", outcomes{contract.Indeterminate}, deploy.TaskFailed, deploy.MaxAttempts},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, with(deploy.PropIdempotent, c.idempotent))
				defer b.store.Close()
				tries := 0
				m := &scripted{follow: func(_ context.Context, f target.FollowFunc) error {
					answer := c.answers[min(tries, len(c.answers)-1)]
					tries++
					return f(nil, verdictOf(answer, 0))
				}}
				b.run(m, nil, "", nil)
				if got := b.tickets(); b.task().State != c.want || len(got) != c.attempts || tries != c.attempts {
					t.Errorf("%s (%s) after %d attempts, want %s after %d\n%s", b.task().State, b.task().Error, len(got), c.want,
						c.attempts, b.log())
				}
			})
		})
	}
}

// TestLimitsGoToTheMachine: the agent keeps the time, so that it counts without a line too.
func TestLimitsGoToTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, with(deploy.PropTimeoutMinutes, "7"))
		defer b.store.Close()
		var got int64
		m := &scripted{
			start: func(o contract.Order) error {
				got = o.TimeoutMS
				return nil
			},
			follow: func(_ context.Context, f target.FollowFunc) error { return f(nil, verdictOf(contract.TimedOut, 0)) },
		}
		b.run(m, nil, "", nil)
		if got != 7*60_000 || !strings.Contains(b.task().Error, "m: Timed out.") {
			t.Errorf("the order has a limit of %d ms, the task says %q", got, b.task().Error)
		}
	})
}

// TestWhoCanceledIsTold to the machine and in the task.
func TestWhoCanceledIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, edited(func(task *deploy.Task) { task.CancelAskers = "erika" }))
		defer b.store.Close()
		m := &canceledBy{scripted: &scripted{}, by: make(chan string, 1)}
		m.follow = func(_ context.Context, f target.FollowFunc) error {
			s := verdictOf(contract.Canceled, 0)
			s.Verdict.Reason = "canceled by " + <-m.by
			return f(nil, s)
		}
		b.run(nil, m, "", b.cancel)
		b.check(ended{deploy.TaskCanceled, "Canceled: canceled by erika.", "canceled by erika", time.Minute}, 0)
	})
}

type canceledBy struct {
	*scripted
	by chan string
}

func (c *canceledBy) Target(deploy.MachineID) (target.Target, string, error) {
	return c, "state-1", nil
}

func (c *canceledBy) Cancel(_ context.Context, _ contract.TicketID, _ time.Duration, by string) error {
	c.by <- by
	return nil
}
