// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"fairlead/internal/demo"
)

const (
	// lookEvery is how often a job in work is looked at.
	lookEvery = 400 * time.Millisecond
	// retryEvery lies between two tries to reach a server that is being killed.
	retryEvery = 100 * time.Millisecond
	// announceEvery is how often the run says how far it is.
	announceEvery = 10 * time.Second
	maxScriptNaps = 1500 * time.Millisecond
)

// job is one script on all machines.
type job struct {
	number int
	code   int           // that it exits with
	nap    time.Duration // between its two effects
	cancel time.Duration // after which it is canceled; 0 for never
}

// draw makes the n-th job.
func draw(seed uint64, n int) job {
	dice := rand.New(rand.NewPCG(seed, uint64(n)<<8))
	j := job{number: n}
	switch kind := dice.IntN(100); {
	case kind < 55:
	case kind < 70:
		j.code = 1 + dice.IntN(99)
	case kind < 95:
		j.nap = upTo(dice, maxScriptNaps)
	default:
		j.nap, j.cancel = upTo(dice, 2*maxScriptNaps), 1+upTo(dice, maxScriptNaps)
	}
	return j
}

func (j job) name() string { return fmt.Sprintf("job %d", j.number) }

// body says in the file of effects that it began and that it ended, each in one write of its own.
func (j job) body(effects string) string {
	nap := ""
	if j.nap > 0 {
		nap = fmt.Sprintf("sleep %.3f\n", j.nap.Seconds())
	}
	return fmt.Sprintf(`t=${PWD%%/work}; t=${t##*/}
printf 's %%s\n' "$t" >> '%[1]s'
echo "out $t"
%[2]sprintf 'e %%s %[3]d\n' "$t" >> '%[1]s'
exit %[3]d
`, effects, nap, j.code)
}

// work is the jobs of a run, and what the server said of them while it went on.
type work struct {
	options
	arena *arena
	total int // jobs
	began time.Time
	took  time.Duration

	mu   sync.Mutex
	next int
	done int                          // jobs
	said map[string]map[string]string // statuses by task and machine, as first told of the ended task
	jobs map[string]job               // by task
}

func newWork(a *arena, o options) *work {
	return &work{
		options: o, arena: a, total: jobsFor(o.seed, o.tickets, o.agents),
		said: map[string]map[string]string{}, jobs: map[string]job{},
	}
}

// jobsFor is how many jobs bring at least so many tickets. A job that is canceled may end before it has any.
func jobsFor(seed uint64, tickets, agents int) (jobs int) {
	for sure := 0; sure < tickets; {
		jobs++
		if draw(seed, jobs).cancel == 0 {
			sure += agents
		}
	}
	return jobs
}

// isOverLocked reports whether no job is left to be taken.
func (w *work) isOverLocked() bool {
	return w.next == w.total || w.budget > 0 && time.Since(w.began) >= w.budget
}

func (w *work) take() (job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isOverLocked() {
		return job{}, false
	}
	w.next++
	return draw(w.seed, w.next), true
}

// carryOut brings all jobs to their end, in the storm until the last one was queued.
func (w *work) carryOut(ctx context.Context) error {
	w.began = time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	weather, calm := context.WithCancel(ctx)
	defer calm()
	var storm, workers sync.WaitGroup
	if !w.calm {
		storm.Go(func() {
			if err := w.arena.storm.rage(weather, w.ended); err != nil {
				cancel(err)
			}
		})
	}
	for range w.atOnce {
		workers.Go(func() {
			if err := w.labour(ctx); err != nil {
				cancel(err)
			}
		})
	}
	queued := make(chan struct{})
	workers.Go(func() { w.watch(ctx, queued) })
	select {
	case <-queued:
	case <-ctx.Done():
	}
	calm()
	storm.Wait()
	limit := time.AfterFunc(w.patience, func() {
		cancel(fmt.Errorf("jobs have not ended %s after the storm: %d ended", w.patience, w.ended()))
	})
	workers.Wait()
	limit.Stop()
	w.took = time.Since(w.began)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return nil
}

// watch closes queued when no job is left to be taken.
func (w *work) watch(ctx context.Context, queued chan<- struct{}) {
	defer close(queued)
	for wait(ctx, lookEvery) {
		w.mu.Lock()
		over := w.isOverLocked()
		w.mu.Unlock()
		if over {
			return
		}
	}
}

func (w *work) ended() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

func (w *work) labour(ctx context.Context) error {
	for {
		j, more := w.take()
		if !more {
			return nil
		}
		if err := w.do(ctx, j); err != nil {
			return fmt.Errorf("%s: %w", j.name(), err)
		}
	}
}

// do queues a job and waits for its end.
func (w *work) do(ctx context.Context, j job) error {
	var task string
	err := w.insist(ctx, func() (err error) {
		task, err = w.queue(ctx, j)
		return err
	})
	if err != nil {
		return err
	}
	var refusal error
	cancelAt := time.Now().Add(j.cancel)
	for canceled := j.cancel == 0; ; {
		pause := lookEvery
		if !canceled {
			pause = min(pause, time.Until(cancelAt))
		}
		if !wait(ctx, pause) {
			return context.Cause(ctx)
		}
		if !canceled && !time.Now().Before(cancelAt) {
			canceled = true
			refusal = w.insist(ctx, func() error { return w.arena.site.REST.CancelTask(ctx, task) })
		}
		ended, err := w.look(ctx, j, task)
		if ended || err != nil {
			return err
		}
		if refusal != nil { // which is right for a task that has ended meanwhile
			return refusal
		}
	}
}

func (w *work) queue(ctx context.Context, j job) (task string, err error) {
	var reply struct{ Id string }
	err = w.arena.site.REST.Post(ctx, "/api/tasks", map[string]any{
		"Name": "AdHocScript", "Description": j.name(),
		"Arguments": map[string]any{
			"ScriptBody": j.body(w.arena.effects), "Syntax": "Bash", "MachineNames": w.arena.names(), "Isolation": "none",
		},
	}, &reply)
	return reply.Id, err
}

// look notes what the server says of a task that has ended.
func (w *work) look(ctx context.Context, j job, id string) (ended bool, err error) {
	var said []demo.Activity
	err = w.insist(ctx, func() error {
		task, err := w.arena.site.REST.Task(ctx, id)
		if err == nil && task.IsCompleted {
			ended = true
			said, err = w.arena.site.REST.Activities(ctx, id)
		}
		return err
	})
	if !ended || err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	w.jobs[id], w.said[id] = j, map[string]string{}
	for _, one := range said {
		w.said[id][one.Machine] = one.Status
	}
	return true, nil
}

// insist tries until the server answers. An answer that says no is an error.
func (w *work) insist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if refused, is := errors.AsType[*demo.StatusError](err); err == nil || is && refused.Status < 500 {
			return err
		}
		if !wait(ctx, retryEvery) {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// announce says how far the run is, until stop.
func (w *work) announce(out io.Writer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var owned sync.WaitGroup
	began := time.Now()
	owned.Go(func() {
		for wait(ctx, announceEvery) {
			jobs, seconds := w.ended(), time.Since(began).Seconds()
			fmt.Fprintf(out, "%4.0f s  %d of %d jobs ended, about %.0f tickets a second; %s\n",
				seconds, jobs, w.total, float64(jobs*w.agents)/seconds, w.arena.storm.count())
		}
	})
	return func() {
		cancel()
		owned.Wait()
	}
}
