// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/store"
	"fairlead/server/engine"
	"fairlead/server/target"
	"fairlead/server/tasks"
)

// TestCancelIsRepeated: a cancel that the agent could not take, on a line that holds, goes out again.
func TestCancelIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		asked, heard := 0, make(chan struct{})
		m := &scripted{
			cancel: func() error {
				if asked++; asked < 3 {
					return errkind.Exhausted.Errorf("no space")
				}
				close(heard)
				return nil
			},
			follow: func(ctx context.Context, f target.FollowFunc) error {
				select {
				case <-heard:
					return f(nil, verdictOf(contract.Canceled, 0))
				case <-ctx.Done():
					return ctx.Err()
				}
			},
		}
		b.run(m, nil, "", b.cancel)
		if state := b.task().State; state != deploy.TaskCanceled || asked != 3 {
			t.Fatalf("the task is %s after %d cancels, want Canceled after 3\n%s", state, asked, b.log())
		}
		if n := strings.Count(fmt.Sprint(b.log()), "cannot keep the cancel, and is told again: no space."); n != 1 {
			t.Errorf("the log says %d times why the cancel is not taken, want once\n%s", n, b.log())
		}
	})
}

// sick is a disk whose syncs fail for a while.
type sick struct {
	host.Fsync
	failing atomic.Bool
}

func (d *sick) Sync(f *os.File) error {
	if d.failing.Load() {
		return syscall.EIO
	}
	return d.Fsync.Sync(f)
}

func (d *sick) SyncFolder(path string) error {
	if d.failing.Load() {
		return syscall.EIO
	}
	return d.Fsync.SyncFolder(path)
}

// TestATaskThatWasLeftIsTakenUpAgain: a disk that does not sync for a while costs time, not the task.
func TestATaskThatWasLeftIsTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		disk := &sick{}
		b.openLogs(disk)
		disk.failing.Store(true)
		m := &scripted{follow: func(_ context.Context, f target.FollowFunc) error {
			return f(nil, verdictOf(contract.Succeeded, 0))
		}}
		b.run(m, nil, "", func(*engine.Engine) {
			if b.task().State != deploy.TaskExecuting {
				t.Errorf("the task is %s while its log cannot be kept", b.task().State)
			}
			disk.failing.Store(false)
		})
		if state := b.task().State; state != deploy.TaskSuccess || !strings.Contains(b.log(), "could not go on") {
			t.Errorf("the task is %s, want Success\n%s", state, b.log())
		}
	})
}

// TestATicketThatWasLeftIsTakenUpAgain: the same when the disk is sick in the middle of a script.
func TestATicketThatWasLeftIsTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		disk := &sick{}
		b.openLogs(disk)
		tries := 0
		m := &scripted{follow: func(_ context.Context, f target.FollowFunc) error {
			tries++
			disk.failing.Store(tries == 1)
			return f(output("words"), verdictOf(contract.Succeeded, 5))
		}}
		b.run(m, nil, "", func(*engine.Engine) { disk.failing.Store(false) })
		if state := b.task().State; state != deploy.TaskSuccess || tries != 2 {
			t.Errorf("the task is %s after %d tries, want Success after 2\n%s", state, tries, b.log())
		}
	})
}

// removed is a machine that somebody removes once its script has said something.
type removed struct {
	*scripted
	b    *bench
	left bool
}

func (r *removed) Target(id deploy.MachineID) (target.Target, string, error) {
	if r.left {
		return nil, "", errkind.NotFound.Errorf("%s is not a machine here any more", id)
	}
	return r.scripted.Target(id)
}

// TestARemovedMachineIsNotWaitedFor, whether its script had been sent or not.
func TestARemovedMachineIsNotWaitedFor(t *testing.T) {
	for _, c := range []struct {
		name string
		sent bool
		want contract.Outcome
	}{{"before it was sent", false, contract.NotStarted}, {"while the script runs", true, contract.Indeterminate}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				defer b.store.Close()
				remove := func() {
					b.must(b.store.Update(t.Context(), func(w store.Writer) error { return w.DeleteMachine("Machines-1") }))
				}
				m := &removed{scripted: &scripted{}, b: b, left: !c.sent}
				m.follow = func(context.Context, target.FollowFunc) error {
					m.left = true
					remove()
					return errkind.Unavailable.Errorf("the line broke")
				}
				if !c.sent {
					remove()
				}
				began := time.Now()
				b.run(nil, m, "", nil)
				var tickets []deploy.Ticket
				b.must(b.store.View(t.Context(), func(r store.Reader) (err error) {
					tickets, err = r.Tickets("ServerTasks-1")
					return err
				}))
				if len(tickets) != 1 || tickets[0].Verdict == nil || tickets[0].Verdict.Outcome != c.want {
					t.Fatalf("tickets %+v, want the verdict %s\n%s", tickets, c.want, b.log())
				}
				if took := time.Since(began); took > time.Minute || !b.task().State.IsCompleted() {
					t.Errorf("the task is %s after %s", b.task().State, took)
				}
			})
		})
	}
}

// gone is a machine that leaves once its script has said something.
type gone struct {
	*scripted
	left bool
}

func (g *gone) Target(id deploy.MachineID) (target.Target, string, error) {
	if g.left {
		return nil, "", errkind.Unavailable.Errorf("m is off line")
	}
	return g.scripted.Target(id)
}

// TestRulingIsSaid: what the server itself decides stands in the log although output came before.
func TestRulingIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		m := &gone{scripted: &scripted{}}
		m.follow = func(_ context.Context, f target.FollowFunc) error {
			m.left = true
			return errors.Join(f(output("some output"), nil), errkind.Unavailable.Errorf("the line broke"))
		}
		b.run(nil, m, "", b.cancel)
		if log := b.log(); !strings.Contains(log, "the script may still run") || !b.task().State.IsCompleted() {
			t.Fatalf("the task is %s and its log does not say why:\n%s", b.task().State, log)
		}
	})
}

// TestRulingLeavesNoPlaceInTheLog kills the server between a ruling's line and its commit: when
// the order can be sent after all, its output is followed from its beginning.
func TestRulingLeavesNoPlaceInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		b.run(&scripted{start: func(contract.Order) error { return errkind.Exhausted.Errorf("full") }}, nil, "engine.ticket.logged", nil)
		m := &scripted{follow: func(_ context.Context, f target.FollowFunc) error {
			r := output("first")
			if err := f(r, nil); err != nil {
				return err
			}
			return f(nil, verdictOf(contract.Succeeded, r[0].End()))
		}}
		followed := int64(-1)
		b.run(nil, offsets{m, &followed}, "", nil)
		if followed != 0 || b.task().State != deploy.TaskSuccess || !strings.Contains(b.log(), "first") {
			t.Fatalf("followed from %d, the task is %s:\n%s", followed, b.task().State, b.log())
		}
	})
}

// offsets notes where a log is followed from.
type offsets struct {
	*scripted
	from *int64
}

func (o offsets) Target(deploy.MachineID) (target.Target, string, error) { return o, "state-1", nil }

func (o offsets) Follow(ctx context.Context, id contract.TicketID, from int64, f target.FollowFunc) error {
	*o.from = from
	return o.scripted.Follow(ctx, id, from, f)
}

// TestNoAnswerLeavesATask: whatever an agent answers, the task ends or says what it waits for.
func TestNoAnswerLeavesATask(t *testing.T) {
	for name, c := range map[string]struct {
		m    scripted
		want deploy.TaskState
		says string
	}{
		"start: forgotten already": {
			scripted{start: func(contract.Order) error { return errkind.Conflict.Errorf("it was finished and forgotten") }},
			deploy.TaskFailed, "finished and forgotten",
		},
		"start: refused": {
			scripted{start: func(contract.Order) error { return errkind.Invalid.Errorf("a variable is no name") }},
			deploy.TaskFailed, "a variable is no name",
		},
		"follow: no record there, finished": {
			scripted{
				status: func() (contract.TicketStatus, error) { return *verdictOf(contract.Succeeded, 99), nil },
				follow: func(context.Context, target.FollowFunc) error { return errkind.Invalid.Errorf("no record there") },
			},
			deploy.TaskSuccess, "output is lost: no record there",
		},
		"status: denied for ever": {
			scripted{status: func() (contract.TicketStatus, error) {
				return contract.TicketStatus{}, errkind.Denied.Errorf("not for you")
			}},
			deploy.TaskExecuting, "It is tried again: not for you",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				defer b.store.Close()
				b.run(&c.m, nil, "", nil)
				if state := b.task().State; state != c.want || !strings.Contains(b.log(), c.says) {
					t.Fatalf("the task is %s, want %s with %q in the log:\n%s", state, c.want, c.says, b.log())
				}
				if n := strings.Count(b.log(), c.says); n > 2 {
					t.Errorf("%q is said %d times", c.says, n)
				}
			})
		})
	}
}

// TestVariablesInOtherCase: the agent refuses an order whose names differ in case only.
func TestVariablesInOtherCase(t *testing.T) {
	got := engine.Overlay(
		map[string]string{"octopus.machine.NAME": "mine", "Own": "x"}, map[string]string{"Octopus.Machine.Name": "web-1"})
	raw, err := json.Marshal(contract.Order{Ticket: "t-1", Variables: got})
	if err != nil {
		t.Fatal(err)
	}
	var order contract.Order
	if err := contract.Decode(raw, &order); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"Octopus.Machine.Name": "web-1", "Own": "x"}, order.Variables); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLostLeaseStops: when somebody else has claimed the task, the worker commits nothing more.
func TestLostLeaseStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		m := &scripted{follow: func(ctx context.Context, f target.FollowFunc) error {
			select {
			case <-time.After(time.Minute):
				return f(nil, verdictOf(contract.Succeeded, 0))
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		b.run(m, nil, "", func(e *engine.Engine) {
			b.must(b.store.Update(t.Context(), edited(func(task *deploy.Task) {
				task.LeaseOwner = "somebody else"
				task.LeaseEpoch++
			})))
			e.Wake() // the worker looks at its task again
		})
		var tickets []deploy.Ticket
		b.must(b.store.View(context.WithoutCancel(t.Context()), func(r store.Reader) (err error) {
			tickets, err = r.Tickets("ServerTasks-1")
			return err
		}))
		if len(tickets) != 1 || tickets[0].Verdict != nil || b.task().State != deploy.TaskExecuting {
			t.Fatalf("the task is %s with tickets %+v, want the new owner's to end", b.task().State, tickets)
		}
	})
}

// TestAnEngineThatCannotClaimEnds: an error of the queue is said at once, also while a script runs, whose
// machine is left alone.
func TestAnEngineThatCannotClaimEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		defer b.store.Close()
		k := &killed{left: -1}
		fenced := fencedStore{b.store, k}
		e := engine.New(engine.Deps{
			Store: fenced, Queue: tasks.NewQueue(fenced, time.Now, "owner", 5), Logs: b.logs, Reach: &scripted{},
			Env: host.Env{
				Wall: time.Now, Log: slog.New(slog.DiscardHandler), Rand: seeded, Point: func(string) {},
			},
		})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		time.Sleep(time.Second)
		k.mu.Lock()
		k.dead = true
		k.mu.Unlock()
		next := b.task()
		next.ID, next.State = "ServerTasks-2", deploy.TaskQueued
		b.must(b.store.Update(t.Context(), func(w store.Writer) error { return w.PutTask(next) }))
		e.Wake()
		time.Sleep(time.Hour)
		select {
		case err := <-ended:
			if errkind.Of(err) != errkind.Unavailable {
				t.Errorf("Run = %v, want what the queue said", err)
			}
		default:
			t.Error("the engine goes on without a queue: nobody is told, and nothing is started any more")
			stop()
			<-ended
		}
		if state := b.task().State; state != deploy.TaskExecuting {
			t.Errorf("the task is %s, want it at work, for the next engine", state)
		}
	})
}
