// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/tasks"
)

// worker walks one task to its end. Its fields belong to its own goroutine; carriers use those
// that do not change: engine, id, epoch, plan and log.
type worker struct {
	engine   *Engine
	id       deploy.TaskID
	epoch    int64 // of the lease it works under
	resumed  bool  // by the server that had left it
	plan     deploy.Plan
	task     deploy.Task
	log      *watchedLog
	wake     chan struct{} // capacity 1
	carrying map[deploy.Slot]*carrier
	group    sync.WaitGroup
	shown    []deploy.Activity                       // of each step, as last told to the log
	asked    map[deploy.InterruptionID]deploy.Choice // likewise
	failure  string                                  // the first one so far
	detail   string                                  // that, with the machine and what it said
	steps    []deploy.StepProgress                   // how far they have come
	next     time.Time                               // when an answer is too late; zero for never

	mu     sync.Mutex // guards why, before and shared, and the moment at which log is set
	why    error      // the task is to be left; nil when it is not
	before *group     // that was read last
	shared *surroundings
}

func (w *worker) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run works until the task has ended, the lease is lost or ctx ends. A failure of the store or
// the log leaves the task as it is: then left is true, and it is to be taken up again.
func (w *worker) run(ctx context.Context) (left bool) {
	err := w.open()
	if err == nil {
		err = w.loop(ctx)
	}
	w.group.Wait()
	if w.log != nil {
		w.log.Close()
	}
	if err == nil || ctx.Err() != nil {
		return false
	}
	w.engine.log.Error("task was left", "task", w.task.ID, "kind", errkind.Of(err).String(), "err", err)
	return errkind.Of(err) != errkind.Conflict
}

func (w *worker) open() error {
	log, err := w.engine.Logs.Writer(w.task.ID)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.log = &watchedLog{Writer: log}
	}
	return err
}

func (w *worker) loop(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	switch {
	case w.resumed:
		w.say("", tasklog.Verbose, "The server could not go on with the task for a while; it does now.")
	case w.task.LeaseEpoch > 1:
		w.say("", tasklog.Verbose, "The server was restarted; the task goes on where it stood.")
	default:
		for _, note := range w.plan.Notes {
			w.say("", tasklog.Warning, note)
		}
	}
	switch w.task.Kind {
	case deploy.HealthTask:
		return w.checkHealth(ctx)
	case deploy.RetentionTask:
		return w.retain(ctx)
	case deploy.DeployTask, deploy.ScriptTask:
	}
	for ctx.Err() == nil {
		if err := w.reason(); err != nil {
			return err
		}
		done, err := w.advance(ctx)
		if done || err != nil {
			return err
		}
		w.pause(ctx)
	}
	return nil
}

// pause waits until something has changed, or an answer is too late.
func (w *worker) pause(ctx context.Context) {
	var late <-chan time.Time
	if !w.next.IsZero() {
		timer := time.NewTimer(max(0, w.next.Sub(w.engine.Env.Wall())) + time.Millisecond)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-ctx.Done():
	case <-w.wake:
	case <-late:
	}
}

// advance loads, decides, commits and acts once.
func (w *worker) advance(ctx context.Context) (done bool, err error) {
	var record deploy.Record
	err = w.engine.Store.View(ctx, func(r store.Reader) (err error) {
		stored, err := w.leased(r)
		if err != nil {
			return err
		}
		w.task, record.Decisions, record.Canceled = stored, stored.Decisions, stored.CancelAsked
		if record.Interruptions, err = r.Interruptions(store.InterruptionFilter{Task: w.id}); err != nil {
			return err
		}
		record.Tickets, err = r.Tickets(w.id)
		return err
	})
	if err != nil {
		return false, err
	}
	if w.next, err = w.expire(ctx, record.Interruptions); err != nil {
		return false, err
	}
	progress := deploy.Walk(w.task.Plan, record)
	w.tellAsked(record.Interruptions) // an answer comes before what it let begin
	w.tell(progress)
	w.failure, w.steps = progress.Failure, progress.Steps
	if w.detail, err = w.detailed(ctx, progress.Failure, progress.Cause); err != nil {
		return false, err
	}
	if progress.Done {
		return true, w.finish(ctx, progress)
	}
	return false, w.act(ctx, progress, record)
}

// act commits what is next, and has the open tickets carried.
func (w *worker) act(ctx context.Context, progress deploy.Progress, record deploy.Record) error {
	questions, err := w.questions(ctx, progress.Ask, record)
	if err != nil {
		return err
	}
	opened, err := w.commit(ctx, progress.Open, questions)
	if err != nil {
		return err
	}
	last := lastAttempts(record.Tickets)
	for _, ticket := range append(record.Tickets, opened...) {
		w.carry(ctx, ticket, isRetry(record, ticket), last)
	}
	if len(progress.Decide) > 0 {
		if err := w.decide(ctx, progress.Decide); err != nil {
			return err
		}
	}
	if len(questions)+len(progress.Decide) > 0 {
		w.rouse() // what was committed is to be looked at
	}
	return nil
}

// commit makes the tickets for the slots, and the questions; they exist before anything is sent.
func (w *worker) commit(ctx context.Context, slots []deploy.Slot, questions []deploy.Interruption) ([]deploy.Ticket,
	error,
) {
	if len(slots)+len(questions) == 0 {
		return nil, nil
	}
	tickets := make([]deploy.Ticket, len(slots))
	for i, s := range slots {
		tickets[i] = deploy.Ticket{
			ID: newTicketID(), Task: w.task.ID, Step: s.Step, Action: s.Action, Machine: s.Machine, Attempt: s.Attempt,
			State: deploy.TicketOpen, CreatedAt: w.engine.Env.Wall(),
		}
	}
	err := w.update(ctx, func(s store.Writer) error {
		for _, t := range tickets {
			if err := s.PutTicket(t); err != nil {
				return err
			}
		}
		return ask(s, questions)
	})
	w.engine.Env.Point("engine.tickets.committed")
	return tickets, err
}

// newTicketID draws 128 bits; the ticket is nothing but a name.
func newTicketID() contract.TicketID {
	return contract.TicketID("t-" + strings.ToLower(rand.Text()))
}

// update runs f under the lease. Errors: Conflict when the lease is lost.
func (w *worker) update(ctx context.Context, f func(store.Writer) error) error {
	return w.engine.Store.Update(ctx, func(s store.Writer) error {
		if _, err := w.leased(s); err != nil {
			return err
		}
		return f(s)
	})
}

// leased reads the task if its lease is still this worker's. Errors: Conflict when it is not.
func (w *worker) leased(r store.Reader) (deploy.Task, error) {
	stored, err := r.Task(w.id)
	if err == nil && stored.LeaseEpoch != w.epoch {
		err = errkind.Conflict.Errorf("%s: lease epoch is %d, ours was %d", w.id, stored.LeaseEpoch, w.epoch)
	}
	return stored, err
}

// carry sees to it that an open ticket has its carrier, and that the carrier knows of a cancel. last are the tickets
// that counted before any was opened now: the actions before an open one have ended.
func (w *worker) carry(
	ctx context.Context, ticket deploy.Ticket, isRetry bool, last map[deploy.Slot]deploy.Ticket,
) {
	slot := deploy.Slot{Step: ticket.Step, Action: ticket.Action, Machine: ticket.Machine, Attempt: ticket.Attempt}
	c, known := w.carrying[slot]
	if !known && ticket.State == deploy.TicketForgotten {
		return
	}
	if !known {
		c = newCarrier(w, ticket)
		c.isRetry, c.before = isRetry, before(last, slot)
		w.carrying[slot] = c
		w.group.Go(func() {
			if err := c.run(ctx); err != nil && ctx.Err() == nil {
				w.engine.log.Error("ticket was left", "task", w.id, "ticket", ticket.ID, "err", err)
				w.leave(err)
			}
			w.rouse()
		})
	}
	if w.task.CancelAsked {
		c.cancelOnce(w.task.CancelAskers)
	}
}

// isRetry tells whether a person asked for this attempt: the one before it failed and Retry was the answer.
func isRetry(record deploy.Record, t deploy.Ticket) bool {
	before := deploy.Slot{Step: t.Step, Action: t.Action, Machine: t.Machine, Attempt: t.Attempt - 1}
	return slices.ContainsFunc(record.Interruptions, func(q deploy.Interruption) bool {
		return q.Slot == before && q.Choice == deploy.ChoiceRetry
	})
}

// leave makes the task be left, as one of its tickets was.
func (w *worker) leave(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.why == nil {
		w.why = why
	}
}

// reason is why the task is to be left; nil when it is not.
func (w *worker) reason() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

func (w *worker) finish(ctx context.Context, p deploy.Progress) error {
	w.group.Wait()
	reason, err := w.ending(ctx, p)
	if err != nil {
		return err
	}
	took := w.engine.Env.Wall().Sub(w.task.StartedAt).Round(100 * time.Millisecond)
	switch p.State {
	case deploy.TaskSuccess:
		w.say("", tasklog.Info, fmt.Sprintf("Success after %s.", took))
	case deploy.TaskCanceled:
		w.say("", tasklog.Warning, fmt.Sprintf("Canceled by %s after %s.", w.task.CancelAskers, took))
	default:
		w.say("", tasklog.Fatal, fmt.Sprintf("Failed after %s: %s", took, closed(reason)))
	}
	if err := w.log.Flush(); err != nil {
		return err
	}
	w.engine.Env.Point("engine.task.logged")
	if w.epoch > 1 {
		if err := w.log.lookBack(w.engine.Logs, w.id); err != nil {
			return err
		}
	}
	ended := tasks.End{State: p.State, Reason: reason, HasWarnings: w.log.warned.Load()}
	if err := w.engine.Queue.Finish(ctx, w.id, w.epoch, ended); err != nil {
		return err
	}
	w.engine.Env.Point("engine.task.ended")
	if ctx.Err() != nil {
		return ctx.Err() // the next start of the server finishes the log
	}
	return w.log.Finish()
}

// ending says in a sentence why a task did not succeed; "" when it did.
func (w *worker) ending(ctx context.Context, p deploy.Progress) (reason string, err error) {
	if p.State == deploy.TaskCanceled {
		return "canceled by " + w.task.CancelAskers, nil
	}
	return w.detailed(ctx, p.Reason, p.Cause)
}

// detailed adds to a failure the machine of its cause and what that said; "" stays as it is.
func (w *worker) detailed(ctx context.Context, failure string, cause *deploy.Ticket) (string, error) {
	if failure == "" || cause == nil {
		return failure, nil
	}
	name, err := w.machineName(ctx, cause.Machine)
	return fmt.Sprintf("%s; %s: %s", failure, name, deploy.SentenceOf(*cause)), err
}

// closed ends a sentence with a full stop.
func closed(sentence string) string { return strings.TrimSuffix(sentence, ".") + "." }

// tell writes a line when a step begins, is skipped or ends.
func (w *worker) tell(p deploy.Progress) {
	first := w.shown == nil
	if first {
		w.shown = make([]deploy.Activity, len(p.Steps))
	}
	for i, step := range p.Steps {
		planned := w.task.Plan.Steps[i]
		node, title := strconv.Itoa(planned.Number), fmt.Sprintf("Step %d: %s", planned.Number, planned.Name)
		before := w.shown[i]
		w.shown[i] = step.Activity
		if before == step.Activity || first && w.task.LeaseEpoch > 1 {
			continue
		}
		switch step.Activity {
		case deploy.ActivityRunning:
			if !planned.IsManual() {
				title += " on " + machines(step.Left())
			}
			w.say(node, tasklog.Info, title)
		case deploy.ActivitySkipped:
			w.say(node, tasklog.Info, title+" is left out: it "+step.Reason)
		case deploy.ActivityFailed:
			w.say(node, tasklog.Error, strings.TrimSuffix(title+" failed: it "+step.Reason, ": it "))
		case deploy.ActivityCanceled:
			w.say(node, tasklog.Warning, title+" was canceled")
		case deploy.ActivityPending, deploy.ActivitySuccess:
		}
	}
}

func machines(n int) string {
	if n == 1 {
		return "1 machine"
	}
	return fmt.Sprintf("%d machines", n)
}

// say adds one line of the server's own. A log that cannot be written shows in the next Sync.
func (w *worker) say(node string, category tasklog.Category, text string) {
	_ = w.log.Append(tasklog.Line{At: w.engine.Env.Wall(), Category: category, Node: node, Text: text})
}
