// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
	"fairlead/internal/tasklog"
	"fairlead/server/target"
)

const (
	// retryFirst and retryMost bound the wait after a call that broke while the machine is on line.
	retryFirst = time.Second
	retryMost  = 30 * time.Second
)

// carrier brings one ticket to its verdict, over as many sessions as it takes.
type carrier struct {
	worker *worker
	task   deploy.Task // as it was when the ticket was taken up
	ticket deploy.Ticket
	step   deploy.PlannedStep
	node   string

	rand     *rand.Rand
	canceled chan struct{} // closed when the task's cancel was asked for
	once     sync.Once

	absentSince time.Time // zero while the machine can be reached
	canceledAt  time.Time
	waitingFor  string // as last told to the log
	trouble     string // as last told to the log
	isRuled     bool   // the verdict is the server's own
	taken       *intake
}

func newCarrier(w *worker, ticket deploy.Ticket) *carrier {
	step := w.task.Plan.Steps[ticket.Step]
	return &carrier{
		worker: w, task: w.task, ticket: ticket, step: step, node: node(step, ticket.Machine), canceled: make(chan struct{}),
		rand: w.engine.Env.Rand("engine.retry"),
	}
}

func (c *carrier) cancelOnce() { c.once.Do(func() { close(c.canceled) }) }

func (c *carrier) isCanceled() bool {
	select {
	case <-c.canceled:
		if c.canceledAt.IsZero() {
			c.canceledAt = time.Now()
		}
		return true
	default:
		return false
	}
}

// run works until the verdict is committed. An error means that the lease is lost or the store
// or the log fails; the ticket stays open then.
func (c *carrier) run(ctx context.Context) error {
	if c.ticket.Verdict != nil {
		c.forget(ctx)
		return nil
	}
	for tries := 0; ctx.Err() == nil; tries++ {
		verdict, err := c.try(ctx)
		if verdict != nil {
			err = c.settle(ctx, *verdict)
		}
		switch {
		case verdict != nil && err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !temporary(err):
			return err
		}
		c.pause(ctx, tries, err)
	}
	return ctx.Err()
}

// temporary errors are those of the way to the machine; the ticket survives them.
func temporary(err error) bool {
	switch errkind.Of(err) {
	case errkind.Unavailable, errkind.Timeout, errkind.Corrupt, errkind.Exhausted, errkind.Canceled, errkind.NotFound:
		return true
	case errkind.Internal, errkind.Invalid, errkind.Conflict, errkind.Denied, errkind.Untrusted:
	}
	return false
}

// try is one attempt over one session: it ends with a verdict or with the error that broke it.
func (c *carrier) try(ctx context.Context) (*contract.Verdict, error) {
	c.isRuled = false
	t, stateID, err := c.worker.engine.Reach.Target(c.ticket.Machine)
	if err != nil {
		if v, err := c.removed(ctx, err); v != nil || err != nil {
			return v, err
		}
		return c.absent(err), err
	}
	c.present()
	if c.ticket.StateID == "" && c.isCanceled() {
		return c.rule(contract.Canceled, "before it was sent to the machine"), nil
	}
	if c.ticket.StateID != "" && c.ticket.StateID != stateID {
		return c.rule(contract.Indeterminate,
			"the agent has lost its journal (a new home or a reinstalled machine) since the order was sent"), nil
	}
	status, err := t.Status(ctx, c.ticket.ID)
	if err != nil {
		return nil, remote(err)
	}
	if status.State == contract.Unknown {
		var refused *contract.Verdict
		if status, refused, err = c.send(ctx, t, stateID); refused != nil || err != nil {
			return refused, err
		}
	}
	if done := c.held(status); done != nil {
		return c.checked(ctx, t, done)
	}
	verdict, err := c.follow(ctx, t)
	if errkind.Of(err) == errkind.Invalid && status.State == contract.Finished {
		c.say(tasklog.Warning, "The rest of its output is lost: "+err.Error()+".")
		return doubted(status.Verdict, c.intake().doubt(*status.Verdict)), nil
	}
	if err == nil && verdict != nil {
		return c.checked(ctx, t, verdict)
	}
	return verdict, remote(err)
}

// rule makes a verdict of the server's own, on a ticket that the agent cannot speak for.
func (c *carrier) rule(outcome contract.Outcome, why string) *contract.Verdict {
	c.isRuled = true
	return &contract.Verdict{Outcome: outcome, Reason: why, LogEnd: c.worker.log.TicketEnd(c.ticket.ID)}
}

// refusal is the verdict on an order that the agent, or the server itself, would not start; nil
// when the error says nothing about that.
func (c *carrier) refusal(err error) *contract.Verdict {
	switch errkind.Of(err) {
	case errkind.Exhausted, errkind.Invalid, errkind.Denied, errkind.NotFound:
		return c.rule(contract.NotStarted, err.Error())
	case errkind.Internal, errkind.Conflict, errkind.Untrusted, errkind.Unavailable, errkind.Timeout,
		errkind.Corrupt, errkind.Canceled:
	}
	return nil
}

// held returns the verdict when the log already has everything that belongs to it.
func (c *carrier) held(status contract.TicketStatus) *contract.Verdict {
	if status.State == contract.Finished && c.intake().end >= status.Verdict.LogEnd {
		return status.Verdict
	}
	return nil
}

// send brings the packages, commits where the order goes, and sends it. It ends with the agent's
// status, with the verdict on an order that will never start, or with an error.
func (c *carrier) send(ctx context.Context, t target.Target, stateID string) (
	status contract.TicketStatus, refused *contract.Verdict, err error,
) {
	order, contents, err := c.order(ctx)
	if err != nil {
		return status, c.refusal(err), err
	}
	for _, content := range contents {
		if err := c.bring(ctx, t, content, order); err != nil {
			return status, c.refusal(err), err
		}
	}
	if c.ticket.StateID == "" {
		sent := c.ticket
		sent.StateID = stateID
		if err := c.worker.update(ctx, func(w store.Writer) error { return w.PutTicket(sent) }); err != nil {
			return status, nil, err
		}
		c.ticket = sent
	}
	c.worker.engine.Env.Point("engine.ticket.sending")
	status, err = t.Start(ctx, order)
	c.worker.engine.Env.Point("engine.ticket.sent")
	if errkind.Of(err) == errkind.Conflict {
		// The agent has forgotten the ticket, or has seen a later owner of the task: this server's
		// store is older than what it has done, for instance after a restore.
		return status, c.rule(contract.Indeterminate, err.Error()), nil
	}
	return status, c.refusal(err), remote(err)
}

// remote marks an error of the agent, or of the way to it, as one to try again after: only the
// server's own store and lease end the work on a ticket without a verdict.
func remote(err error) error {
	if err != nil && !temporary(err) {
		return errkind.Unavailable.Errorf("%w", err)
	}
	return err
}

func (c *carrier) bring(ctx context.Context, t target.Target, content target.Content, order contract.Order) error {
	began := time.Now()
	sent, err := t.Send(ctx, content)
	if err != nil {
		return remote(err)
	}
	text := fmt.Sprintf("Package %s %s lies on the machine already.", order.Package.ID, order.Package.Version)
	if sent {
		text = fmt.Sprintf("Sent package %s %s: %s in %s.",
			order.Package.ID, order.Package.Version, size(content.Size), time.Since(began).Round(time.Millisecond))
	}
	c.say(tasklog.Verbose, text)
	return nil
}

// follow takes output and state until the verdict. A cancel goes out beside it, until it is heard.
func (c *carrier) follow(ctx context.Context, t target.Target) (verdict *contract.Verdict, err error) {
	var group sync.WaitGroup
	cancelCtx, over := context.WithCancel(ctx)
	group.Go(func() { c.cancelAt(cancelCtx, t) })
	offset := c.intake().end
	err = t.Follow(ctx, c.ticket.ID, offset, func(records []contract.Record, status *contract.TicketStatus) error {
		if status != nil {
			c.state(*status)
			verdict = status.Verdict
			return nil
		}
		return c.intake().take(records)
	})
	over()
	group.Wait()
	return verdict, err
}

// cancelAt tells the machine of a cancel, again and again until it has heard, or ctx ends.
func (c *carrier) cancelAt(ctx context.Context, t target.Target) {
	select {
	case <-ctx.Done():
		return
	case <-c.canceled:
	}
	for tries := 0; ctx.Err() == nil; tries++ {
		if t.Cancel(ctx, c.ticket.ID, c.worker.engine.Limits.Grace, "the server") == nil {
			return
		}
		timer := time.NewTimer(c.backoff(tries))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// backoff is the wait before the next try. Half of it is drawn, so that the tickets of a task do not all
// come at once.
func (c *carrier) backoff(tries int) time.Duration {
	wait := min(retryMost, retryFirst<<min(tries, 5))
	return wait/2 + time.Duration(c.rand.Int64N(int64(wait/2)))
}

// state tells the log, once, what a waiting ticket waits for.
func (c *carrier) state(s contract.TicketStatus) {
	if s.State == contract.Waiting && s.WaitingFor != "" && s.WaitingFor != c.waitingFor {
		c.say(tasklog.Wait, "The script "+s.WaitingFor+".")
	}
	c.waitingFor = s.WaitingFor
}

// removed rules on a ticket whose machine was removed: nobody will ever tell how it ended. It is nil for
// one that is only away.
func (c *carrier) removed(ctx context.Context, why error) (*contract.Verdict, error) {
	if errkind.Of(why) != errkind.NotFound {
		return nil, nil
	}
	err := c.worker.engine.Store.View(ctx, func(r store.Reader) error {
		_, err := r.Machine(c.ticket.Machine)
		return err
	})
	switch {
	case err == nil:
		return nil, nil
	case errkind.Of(err) != errkind.NotFound:
		return nil, err
	case c.ticket.StateID == "":
		return c.rule(contract.NotStarted, "the machine was removed before it was sent there"), nil
	}
	return c.rule(contract.Indeterminate, "the machine was removed; the script may still run there"), nil
}

// absent notes that the machine cannot be reached and gives up where the limits say so.
func (c *carrier) absent(why error) *contract.Verdict {
	limits := c.worker.engine.Limits
	if c.absentSince.IsZero() {
		c.absentSince = time.Now()
		text := "Waiting for the machine: " + why.Error() + "."
		if c.ticket.StateID != "" {
			text += " The script goes on there; its output comes later."
		}
		c.say(tasklog.Wait, text)
	}
	gone := time.Since(c.absentSince)
	switch canceled := c.isCanceled(); {
	case canceled && c.ticket.StateID == "":
		return c.rule(contract.Canceled, "before it was sent to the machine")
	case canceled && time.Since(c.canceledAt) >= limits.CancelWait:
		return c.rule(contract.Indeterminate, fmt.Sprintf(
			"canceled, but the machine did not answer for %s and the script may still run", limits.CancelWait))
	case c.ticket.StateID == "" && gone >= limits.MachineWait:
		return c.rule(contract.NotStarted,
			fmt.Sprintf("the machine was not on line for %s: %v", limits.MachineWait, why))
	}
	return nil
}

func (c *carrier) present() {
	if !c.absentSince.IsZero() {
		c.say(
			tasklog.Info,
			fmt.Sprintf("The machine is back after %s.", time.Since(c.absentSince).Round(100*time.Millisecond)),
		)
		c.absentSince = time.Time{}
	}
}

// pause waits for the machine's presence to change, a cancel, or the time for the next look. What
// went wrong twice in the same words is told to the log, once.
func (c *carrier) pause(ctx context.Context, tries int, why error) {
	wait := c.backoff(tries)
	if text := why.Error(); c.absentSince.IsZero() && tries > 0 && text != c.trouble {
		c.trouble = text
		c.say(tasklog.Wait, "It is tried again: "+text+".")
	}
	changed := c.worker.engine.Reach.Changed(c.ticket.Machine)
	canceled := c.canceled
	if c.isCanceled() {
		canceled = nil
	}
	level := slog.LevelDebug
	if errkind.Of(why) == errkind.Exhausted { // a full disk shows nowhere else: the task's log lies on it
		level = slog.LevelWarn
	}
	c.worker.engine.log.Log(ctx, level, "ticket waits",
		"task", c.task.ID, "ticket", c.ticket.ID, "wait_ms", wait.Milliseconds(), "err", why)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-canceled:
	case <-timer.C:
	}
}

// settle makes the log durable, commits the verdict and lets the machine forget.
func (c *carrier) settle(ctx context.Context, verdict contract.Verdict) error {
	category, text := sentence(verdict)
	line := tasklog.Line{At: c.worker.engine.Env.Wall(), Category: category, Node: c.node, Text: text}
	if !c.isRuled {
		// The line's end lies past the log's own, so that it is not written again after a crash. A
		// ruling has no such place: the machine may be back by then, and its output go on.
		line.Ticket, line.TicketEnd = c.ticket.ID, verdict.LogEnd+1
	}
	if err := c.worker.log.Append(line); err != nil {
		return err
	}
	if err := c.worker.log.Flush(); err != nil {
		return err
	}
	c.worker.engine.Env.Point("engine.ticket.logged")
	ended := c.ticket
	ended.State, ended.Verdict, ended.EndedAt = deploy.TicketFinished, &verdict, c.worker.engine.Env.Wall()
	if err := c.worker.update(ctx, func(w store.Writer) error { return w.PutTicket(ended) }); err != nil {
		return err
	}
	c.ticket = ended
	c.worker.engine.Env.Point("engine.ticket.settled")
	c.forget(ctx)
	return nil
}

// forget is tried once: what stays is swept when the machine comes on line next.
func (c *carrier) forget(ctx context.Context) {
	t, stateID, err := c.worker.engine.Reach.Target(c.ticket.Machine)
	if err == nil {
		_ = c.worker.engine.forget(ctx, t, stateID, c.ticket)
	}
}

func (c *carrier) say(category tasklog.Category, text string) { c.worker.say(c.node, category, text) }

// Online lets a machine that has come on line forget tickets whose verdicts are kept here.
func (e *Engine) Online(ctx context.Context, machine deploy.MachineID) error {
	t, stateID, err := e.Reach.Target(machine)
	if err != nil {
		return err
	}
	var open []deploy.Ticket
	err = e.Store.View(ctx, func(r store.Reader) (err error) {
		open, err = r.OpenTickets(machine)
		return err
	})
	for _, ticket := range open {
		if err == nil && ticket.State == deploy.TicketFinished {
			err = e.forget(ctx, t, stateID, ticket)
		}
	}
	return err
}

// forget tells the machine, then notes that it was told. A journal that is not the one the
// ticket went to has nothing to forget.
func (e *Engine) forget(ctx context.Context, t target.Target, stateID string, ticket deploy.Ticket) error {
	if ticket.StateID == stateID {
		if err := t.Forget(ctx, ticket.ID); err != nil && errkind.Of(err) != errkind.NotFound {
			return err
		}
	}
	ticket.State = deploy.TicketForgotten
	return e.Store.Update(ctx, func(w store.Writer) error { return w.PutTicket(ticket) })
}
