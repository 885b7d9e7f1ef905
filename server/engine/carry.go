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
	// retryFirst is the wait after the first call that broke while the machine is on line.
	retryFirst = time.Second
	// RetryMost is the longest such wait.
	RetryMost = 30 * time.Second
)

// carrier brings one ticket to its verdict, over as many sessions as it takes.
type carrier struct {
	worker *worker
	task   deploy.Task // as it was when the ticket was taken up
	ticket deploy.Ticket
	step   deploy.PlannedStep
	node   string
	policy deploy.Policy

	failure  string                // the task's first, as it was when the ticket was taken up
	detail   string                // likewise, with the machine and what it said
	steps    []deploy.StepProgress // how far they had come then
	isRetry  bool                  // a person asked for this attempt
	rand     *rand.Rand
	canceled chan struct{} // closed when the task's cancel was asked for
	once     sync.Once
	by       string // who asked; to be read once canceled is closed

	absentSince time.Time // zero while the machine can be reached
	isLost      bool      // that it is away for too long was told to the log
	canceledAt  time.Time
	waitingFor  string        // as last told to the log
	trouble     string        // as last told to the log
	ruling      deploy.Ruling // of the verdict, when it is the server's own
	wait        restartWait
	// before are the tickets of the step's earlier actions on this machine, whose outputs the order may use.
	before []contract.TicketID
	// outputs are to be kept with the verdict; resultFaults counts the times they came damaged.
	outputs      *deploy.Outputs
	resultFaults int
	isBrought    bool // the package is there
	handed       handover
	taken        *intake
}

func newCarrier(w *worker, ticket deploy.Ticket) *carrier {
	step := w.task.Plan.Steps[ticket.Step]
	policy, _ := deploy.NewPolicy(step.Actions[ticket.Action]) // the order says what is wrong with it
	return &carrier{
		worker: w, task: w.task, ticket: ticket, step: step, node: node(step, ticket.Machine), canceled: make(chan struct{}),
		rand: w.engine.Env.Rand("engine.retry"), policy: policy, failure: w.failure, detail: w.detail, steps: w.steps,
	}
}

// run works until the verdict is committed. An error means that the lease is lost or the store
// or the log fails; the ticket stays open then.
func (c *carrier) run(ctx context.Context) error {
	if c.ticket.Verdict != nil {
		c.forget(ctx)
		return nil
	}
	defer c.handed.release()
	c.hold(ctx)
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

// hold keeps a further attempt back for a while, so that what stood against the one before can pass. One that
// a person asked for starts at once.
func (c *carrier) hold(ctx context.Context) {
	if c.ticket.Attempt <= 1 || c.ticket.StateID != "" {
		return
	}
	if c.isRetry {
		c.say(tasklog.Info, fmt.Sprintf("It is begun again: attempt %d.", c.ticket.Attempt))
		return
	}
	wait := c.worker.engine.Limits.AttemptWait
	if c.policy.RetryWait >= 0 {
		wait = c.policy.RetryWait
	}
	if c.task.LeaseEpoch > 1 { // a server before this one has waited, too
		waited := c.worker.engine.Env.Wall().Sub(c.ticket.CreatedAt)
		wait = min(wait, max(0, wait-waited)).Round(time.Second)
	}
	c.say(tasklog.Info, fmt.Sprintf("It is begun again in %s: attempt %d.", wait, c.ticket.Attempt))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-c.canceled:
	case <-timer.C:
	}
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
	c.ruling = deploy.RulingNone
	t, stateID, err := c.worker.engine.Reach.Target(c.ticket.Machine)
	if err != nil {
		if v, err := c.removed(ctx, err); v != nil || err != nil {
			return v, err
		}
		return c.absent(ctx, err)
	}
	if err := c.present(ctx); err != nil {
		return nil, err
	}
	if c.ticket.StateID == "" && c.isCanceled() {
		return c.unsent(), nil
	}
	if c.ticket.StateID != "" && c.ticket.StateID != stateID {
		v := c.rule(contract.Indeterminate,
			"the agent has lost its journal (a new home or a reinstalled machine) since the order was sent")
		c.ruling = deploy.RulingPassing
		return v, nil
	}
	status, err := t.Status(ctx, c.ticket.ID)
	if err != nil {
		return nil, remote(err)
	}
	if status.State == contract.Unknown {
		var ruled *contract.Verdict
		if status, ruled, err = c.introduce(ctx, t, stateID); ruled != nil || err != nil {
			return ruled, err
		}
	}
	if err := c.running(ctx, status); err != nil {
		return nil, err
	}
	if !c.held(status) {
		last, err := c.follow(ctx, t)
		if errkind.Of(err) == errkind.Invalid && status.State == contract.Finished {
			c.say(tasklog.Warning, "The rest of its output is lost: "+err.Error()+".")
			status.Verdict = doubted(status.Verdict, c.intake().doubt(*status.Verdict))
			return c.conclude(ctx, status)
		}
		if err != nil {
			return nil, remote(err)
		}
		status = last
	}
	if status.Verdict, err = c.checked(ctx, t, status.Verdict); err != nil {
		return nil, err
	}
	if status.Verdict, err = c.collect(ctx, t, status.Verdict); err != nil {
		return nil, err
	}
	return c.conclude(ctx, status)
}

// rule makes a verdict of the server's own, on a ticket that the agent cannot speak for.
func (c *carrier) rule(outcome contract.Outcome, why string) *contract.Verdict {
	c.ruling = deploy.RulingFinal
	return &contract.Verdict{Outcome: outcome, Reason: why, LogEnd: c.worker.log.TicketEnd(c.ticket.ID)}
}

// refusal is the verdict on an order that the agent, or the server itself, would not start; nil
// when the error says nothing about that.
func (c *carrier) refusal(err error) *contract.Verdict {
	switch errkind.Of(err) {
	case errkind.Exhausted:
		v := c.rule(contract.NotStarted, err.Error())
		c.ruling = deploy.RulingPassing
		return v
	case errkind.Invalid, errkind.Denied, errkind.NotFound:
		return c.rule(contract.NotStarted, err.Error())
	case errkind.Internal, errkind.Conflict, errkind.Untrusted, errkind.Unavailable, errkind.Timeout,
		errkind.Corrupt, errkind.Canceled:
	}
	return nil
}

// held reports whether there is a verdict, and the log already has everything that belongs to it.
func (c *carrier) held(status contract.TicketStatus) bool {
	return status.State == contract.Finished && c.intake().end >= status.Verdict.LogEnd
}

// introduce makes a ticket known to a machine that does not know it: as an order, or as one that is never to start.
func (c *carrier) introduce(ctx context.Context, t target.Target, stateID string) (
	status contract.TicketStatus, ruled *contract.Verdict, err error,
) {
	if c.isCanceled() {
		return c.callOff(ctx, t)
	}
	return c.send(ctx, t, stateID)
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
	err = c.whileWanted(ctx, func(ctx context.Context) error { return c.bring(ctx, t, contents, order) })
	switch {
	case c.isCanceled() && c.ticket.StateID == "":
		return status, c.unsent(), nil
	case c.isCanceled():
		return c.callOff(ctx, t)
	case err != nil:
		return status, c.refusal(err), err
	case c.ticket.StateID == "":
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

// bring sends what the order needs and the machine does not have.
func (c *carrier) bring(ctx context.Context, t target.Target, contents []target.Content, order contract.Order) error {
	for _, content := range contents {
		if err := c.bringOne(ctx, t, content, order); err != nil {
			return err
		}
	}
	return nil
}

func (c *carrier) bringOne(ctx context.Context, t target.Target, content target.Content, order contract.Order) error {
	began := time.Now()
	var delta int64
	content.Patched = func(bytes int64) { delta = bytes }
	sent, err := t.Send(ctx, content)
	if err != nil {
		return remote(err)
	}
	c.isBrought = true
	text := fmt.Sprintf("Package %s %s lies on the machine already.", order.Package.ID, order.Package.Version)
	took := time.Since(began).Round(time.Millisecond)
	switch {
	case delta > 0:
		text = fmt.Sprintf("Sent package %s %s as a difference to a version on the machine: %s instead of %s, in %s.",
			order.Package.ID, order.Package.Version, size(delta), size(content.Size), took)
	case sent:
		text = fmt.Sprintf("Sent package %s %s: %s in %s.", order.Package.ID, order.Package.Version, size(content.Size), took)
	}
	c.say(tasklog.Verbose, text)
	return nil
}

// follow takes output and state until the verdict, which the last state holds. A cancel goes out
// beside it, until it is heard.
func (c *carrier) follow(ctx context.Context, t target.Target) (last contract.TicketStatus, err error) {
	var group sync.WaitGroup
	cancelCtx, over := context.WithCancel(ctx)
	group.Go(func() { c.cancelAt(cancelCtx, t) })
	offset := c.intake().end
	err = t.Follow(ctx, c.ticket.ID, offset, func(records []contract.Record, status *contract.TicketStatus) error {
		if status != nil {
			c.state(*status)
			last = *status
			return nil
		}
		return c.intake().take(records)
	})
	over()
	group.Wait()
	if err == nil && last.Verdict == nil {
		err = errkind.Unavailable.Errorf("the agent ended the output of %s before its verdict", c.ticket.ID)
	}
	return last, err
}

// backoff is the wait before the next try. Half of it is drawn, so that the tickets of a task do not all
// come at once.
func (c *carrier) backoff(tries int) time.Duration {
	wait := min(RetryMost, retryFirst<<min(tries, 5))
	return wait/2 + time.Duration(c.rand.Int64N(int64(wait/2)))
}

// state tells the log, once, what a waiting ticket waits for.
func (c *carrier) state(s contract.TicketStatus) {
	if s.State == contract.Waiting && s.WaitingFor != "" && s.WaitingFor != c.waitingFor {
		c.say(tasklog.Wait, "The script "+s.WaitingFor+".")
	}
	c.waitingFor = s.WaitingFor
}

// pause waits for the machine's presence to change, a cancel, or the time for the next look. What
// went wrong twice in the same words is told to the log, once.
func (c *carrier) pause(ctx context.Context, tries int, why error) {
	wait := c.backoff(tries)
	if c.wait.isOn() {
		wait = min(wait, c.wait.untilNews())
	} else if text := why.Error(); c.absentSince.IsZero() && tries > 0 && text != c.trouble {
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
	line := tasklog.Line{
		At: c.worker.engine.Env.Wall(), Category: loudness(verdict), Node: c.node, Text: deploy.Sentence(verdict),
	}
	if c.ruling == deploy.RulingNone {
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
	ended.Ruling, ended.AwaySince = c.ruling, time.Time{}
	err := c.worker.update(ctx, func(w store.Writer) error {
		if err := w.PutTicket(ended); err != nil || c.ruling != deploy.RulingNone {
			return err
		}
		return c.putHanded(w)
	})
	if err != nil {
		return err
	}
	c.ticket = ended
	c.worker.engine.Env.Point("engine.ticket.settled")
	c.forget(ctx)
	return nil
}

func (c *carrier) say(category tasklog.Category, text string) { c.worker.say(c.node, category, text) }
