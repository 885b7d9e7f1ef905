// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Package engine carries queued tasks out.
//
// It does not choose what may start (server/tasks) or what is next in a plan (deploy.Walk), and
// it does not know how a machine is reached (server/target, server/fleet).
//
//  1. Load, decide purely, commit, then act: every act on a machine is keyed by a ticket that was
//     committed before. After any crash the engine asks "do you know ticket T?" and goes on.
//  2. A ticket's journal (StateID) is committed before its order is first sent. A ticket without
//     one was never sent; a machine whose journal has another name cannot have it.
//  3. A line of output is in the task log before the ticket's verdict is committed, and durable
//     before the machine is told to forget.
//  4. A worker that lost its lease stops and changes nothing more.
//
// engine.go owns the workers, worker.go walks one task, carry.go brings one ticket to its
// verdict, cancel.go brings a cancel to it, absence.go decides on machines out of reach, restart.go waits for those
// that a step restarts, outputs.go and artifacts.go keep what scripts hand over, late.go hears what comes after a
// ruling, order.go makes orders, lines.go turns records into log lines, intake.go takes them in,
// health.go checks machines, health_script.go with the scripts of their policies. Goroutines: one loop, one for
// each running task, one for each open ticket; each is waited for by the one before.
package engine

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/secret"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/target"
	"fairlead/server/tasks"
)

// Reach finds machines.
type Reach interface {
	// Target returns the way to a machine and the name of its agent's journal. Errors:
	// Unavailable with the reason ("web-1 has been off line since 12:01").
	Target(id deploy.MachineID) (t target.Target, stateID string, err error)
	// Changed returns a channel that is closed when the machine's presence changes next.
	Changed(id deploy.MachineID) <-chan struct{}
}

// Packages sends what the feed holds.
type Packages interface {
	Content(p deploy.Package) target.Content
}

// Deps is what an engine needs.
type Deps struct {
	Store    store.Store
	Queue    *tasks.Queue
	Logs     *tasklog.Folder
	Reach    Reach
	Packages Packages
	// Artifacts keeps the files that scripts hand over.
	Artifacts Artifacts
	Env       host.Env
	Limits    Limits
	// Secrets opens sensitive values.
	Secrets secret.Key
	// Retain deletes what the lifecycles of a space do not keep any more and says in sentences what it did; nil
	// when there is nothing like that. It can be repeated.
	Retain func(ctx context.Context, space deploy.SpaceID) ([]string, error)
	// URL is how people reach the server; nil when nobody knows.
	URL func() string
}

// Limits are the waits of the engine. Zero fields take the defaults.
type Limits struct {
	// MachineWait is how long a ticket waits for a machine it was never sent to: 10 min.
	MachineWait time.Duration
	// CancelWait is how long a canceled ticket waits for a machine that does not answer: 2 min.
	CancelWait time.Duration
	// Grace lies between TERM and KILL: 10 s.
	Grace time.Duration
	// Look is the longest time without a look at the queue and at cancel requests: 30 s.
	Look time.Duration
	// AttemptWait lies between an attempt that ended without effect and the next, unless its action says how long or a
	// person asked for it: 10 s.
	AttemptWait time.Duration
}

// DefaultLimits are the waits of an engine that is told none.
func DefaultLimits() Limits { return Limits{}.orDefault() }

func (l Limits) orDefault() Limits {
	pick := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	pick(&l.MachineWait, 10*time.Minute)
	pick(&l.CancelWait, 2*time.Minute)
	pick(&l.Grace, 10*time.Second)
	pick(&l.Look, 30*time.Second)
	pick(&l.AttemptWait, 10*time.Second)
	return l
}

// Engine carries tasks out.
type Engine struct {
	Deps
	log  *slog.Logger
	wake chan struct{} // capacity 1: a hint that the queue or a cancel changed

	mu      sync.Mutex
	workers map[deploy.TaskID]*worker
}

// New makes an engine; Run starts it.
func New(d Deps) *Engine {
	d.Limits = d.Limits.orDefault()
	return &Engine{
		Deps: d, log: d.Env.Log.With("part", "engine"),
		wake: make(chan struct{}, 1), workers: map[deploy.TaskID]*worker{},
	}
}

// Wake says that a task was queued or that its cancel was asked for. It never blocks.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run takes over what an earlier process left, then carries out what is queued, until ctx ends.
// It returns when every worker has ended; an error of the queue ends them. Scripts on machines go on.
func (e *Engine) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	left, err := e.adopt(ctx)
	if err != nil {
		return err
	}
	if err := e.finishLogs(ctx); err != nil {
		return err
	}
	for _, task := range left {
		e.log.Info("task goes on", "task", task.ID, "epoch", task.LeaseEpoch)
		e.start(ctx, &group, task, false)
	}
	for ctx.Err() == nil {
		claimed, next, err := e.Queue.Claim(ctx)
		switch {
		case errkind.Of(err) == errkind.Exhausted: // a full disk is no end: there may be space soon
			e.log.Warn("no task is taken from the queue", "err", err)
			next = e.Env.Wall().Add(spaceRetry)
		case err != nil && ctx.Err() == nil:
			return err
		}
		for _, task := range claimed {
			e.start(ctx, &group, task, false)
		}
		e.rouse()
		e.pause(ctx, next)
	}
	return nil
}

// spaceRetry lies between two looks at the queue while the disk is full.
const spaceRetry = 2 * time.Second

// adopt takes over what an earlier process left, once the disk has space for that.
func (e *Engine) adopt(ctx context.Context) ([]deploy.Task, error) {
	for {
		left, err := e.Queue.Adopt(ctx)
		if errkind.Of(err) != errkind.Exhausted || ctx.Err() != nil {
			return left, err
		}
		e.log.Warn("no task is taken up again", "err", err)
		e.pause(ctx, e.Env.Wall().Add(spaceRetry))
	}
}

// recentTasks is how far back finishLogs looks.
const recentTasks = 200

// finishLogs ends the logs of tasks that ended while the server was killed: whoever follows one
// would wait for ever. A log that cannot be written is no reason to carry out nothing. Errors: the store's.
func (e *Engine) finishLogs(ctx context.Context) error {
	var ended []deploy.Task
	err := e.Store.View(ctx, func(r store.Reader) (err error) {
		ended, _, err = r.Tasks(store.TaskFilter{States: completed(), Take: recentTasks})
		return err
	})
	for _, task := range ended {
		if err := e.Logs.Finish(task.ID); err != nil {
			e.log.Warn("the log of a task that has ended was not finished", "task", task.ID, "err", err)
		}
	}
	return err
}

func completed() []deploy.TaskState {
	return []deploy.TaskState{deploy.TaskSuccess, deploy.TaskFailed, deploy.TaskCanceled, deploy.TaskTimedOut}
}

// pause waits for a hint, for the time of a scheduled task, or for the next regular look.
func (e *Engine) pause(ctx context.Context, next time.Time) {
	wait := e.Limits.Look
	if !next.IsZero() {
		wait = min(wait, max(0, next.Sub(e.Env.Wall()))+time.Millisecond)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-e.wake:
	case <-timer.C:
	}
}

func (e *Engine) start(ctx context.Context, group *sync.WaitGroup, task deploy.Task, resumed bool) {
	w := &worker{
		engine: e, id: task.ID, epoch: task.LeaseEpoch, plan: task.Plan, task: task, resumed: resumed,
		wake: make(chan struct{}, 1), carrying: map[deploy.Slot]*carrier{},
	}
	e.mu.Lock()
	e.workers[task.ID] = w
	e.mu.Unlock()
	group.Go(func() {
		left := w.run(ctx)
		e.mu.Lock()
		delete(e.workers, task.ID)
		e.mu.Unlock()
		if left {
			e.resume(ctx, group, task)
		}
		e.Wake()
	})
}

// resume takes a task that was left up again, as soon as the store lets it.
func (e *Engine) resume(ctx context.Context, group *sync.WaitGroup, task deploy.Task) {
	timer := time.NewTimer(e.Limits.Look)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		again, err := e.Queue.Resume(ctx, task.ID, task.LeaseEpoch)
		switch kind := errkind.Of(err); {
		case err == nil:
			e.log.Info("task goes on", "task", again.ID, "epoch", again.LeaseEpoch)
			e.start(ctx, group, again, true)
			return
		case kind == errkind.Conflict || kind == errkind.NotFound:
			return
		}
		timer.Reset(e.Limits.Look)
	}
}

// rouse makes every worker look at its task again.
func (e *Engine) rouse() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(e.workers)) {
		e.workers[id].rouse()
	}
}
