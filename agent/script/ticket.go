// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	// launchLook and runLook are how often a ticket is looked at when nobody rings.
	launchLook = 200 * time.Millisecond
	runLook    = time.Second
	// reapWait is how long a shim may take to end after its verdict.
	reapWait = 5 * time.Second
)

// ticket is one ticket at its agent. The goroutine that runs it owns life, shim and seenEnd.
type ticket struct {
	s        *Service
	id       contract.TicketID
	dir      folder
	task     string
	epoch    int64
	name     string
	lock     contract.Isolation
	content  string    // SHA-256 of its package; "" for none
	sequence int64     // position in the journal; 0 for one that was found, or never had an order
	since    time.Time // of the claim that recovery found, else zero

	ready chan struct{} // closed when the intent is durable, or err says why not
	wake  chan struct{}

	life    life
	shim    host.Process // that this agent launched, or nil
	seenEnd int64
	won     *claim            // as it was read: what is claimed stays so
	own     *contract.Verdict // the agent's, as it was read
	ownRead bool              // nobody but this goroutine writes it
	starts  int64             // position of the start under way, until it was passed; else 0
	quiet   bool              // nobody has rung since the last look

	// Guarded by Service.mu.
	err      error
	granted  bool
	canceled *cancelRequest
	runs     bool
	verdict  *contract.Verdict
	passed   int64 // position of the start, to be told; 0 before
	// startedBoot is the boot in which a shim claimed it; "" while none has.
	startedBoot string
	logEnd      int64         // a record begins or the log ends here
	changed     chan struct{} // closed at the next change; nil while nobody waits
}

func (s *Service) newTicket(o *contract.Order) *ticket {
	t := &ticket{
		s: s, id: o.Ticket, dir: folder(filepath.Join(s.home, string(o.Ticket))),
		task: o.Task, epoch: o.Epoch, name: o.Name, lock: o.Isolation,
		ready: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	if o.Package != nil {
		t.content = o.Package.SHA256
	}
	return t
}

// await waits until the intent is durable. Errors: why it is not, or ctx's.
func (t *ticket) await(ctx context.Context) error {
	select {
	case <-t.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	return t.err
}

// nudge wakes the ticket's goroutine.
func (t *ticket) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// announceLocked wakes everybody who waits for a change.
func (t *ticket) announceLocked() {
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// change returns a channel that is closed at the next change.
func (t *ticket) change() <-chan struct{} {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return t.changed
}

// begin gives the life its first input and leaves the rest to a goroutine of Run's.
func (t *ticket) begin(first input) {
	t.feed(first)
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if !t.s.closed {
		t.s.owned.Go(func() { t.run(t.s.ctx) })
	}
}

// run looks after the ticket until its verdict or the end of ctx.
func (t *ticket) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		t.news()
		if t.life.phase == settled {
			t.reap(ctx)
			return
		}
		var due <-chan time.Time
		switch t.life.phase {
		case queued: // a grant or a cancel wakes it
		case running:
			timer.Reset(runLook)
			due = timer.C
		default:
			timer.Reset(launchLook)
			due = timer.C
		}
		select { // news looks at everything, whichever case is taken
		case <-t.wake:
			t.quiet = false
		case <-due:
			t.quiet = !t.wasNudged()
		case <-ctx.Done():
			return
		}
	}
}

// wasNudged takes a nudge that waits, if there is one.
func (t *ticket) wasNudged() bool {
	select {
	case <-t.wake:
		return true
	default:
		return false
	}
}

// news tells the life everything that may have happened.
func (t *ticket) news() {
	t.s.mu.Lock()
	grant, cancel := t.granted, t.canceled
	t.granted, t.canceled = false, nil
	t.s.mu.Unlock()
	if cancel != nil {
		t.feed(canceled{by: cancel.By})
	}
	if grant {
		t.feed(granted{})
	}
	if t.life.phase != queued && t.life.phase != settled {
		t.feed(t.observe())
	}
}

// feed gives the life an input and does what it says, until nothing more follows.
func (t *ticket) feed(in input) {
	for pending := []input{in}; len(pending) > 0; pending = pending[1:] {
		outs, err := t.life.step(time.Now(), pending[0])
		if err != nil {
			t.s.env.Log.Error("a ticket's state machine was told nonsense", "ticket", t.id, "err", err)
		}
		for _, out := range outs {
			if next := t.perform(out); next != nil {
				pending = append(pending, next)
			}
		}
	}
	t.publish()
}

// publish shows the others what the life knows.
func (t *ticket) publish() {
	end, grew := t.grown()
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.shareLocked()
	runs := t.life.phase == running || t.life.phase == settling
	if runs != t.runs || grew {
		t.runs, t.seenEnd = runs, end
		t.announceLocked()
	}
}

// raise gives the coming start a position of its own. Its name becomes durable with the claim.
func (t *ticket) raise() error {
	t.s.mu.Lock()
	t.s.sequence++
	t.starts = t.s.sequence
	t.s.mu.Unlock()
	if err := t.dir.markPosition(t.starts); err != nil {
		return storage("note the journal's position", err)
	}
	return nil
}

// passStart tells the position of a start once it is durable, as it is when the script's process was
// noted: a machine that goes back to before it would start the script again.
func (t *ticket) passStart() {
	if t.starts == 0 || t.won.Verdict != nil {
		return
	}
	if _, noted := t.dir.process(); !noted {
		return
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.s.passLocked(t.starts)
	t.passed, t.starts = t.starts, 0
	t.announceLocked()
}

// perform does one thing and returns what came of it, or nil.
func (t *ticket) perform(out output) input {
	switch out := out.(type) {
	case enqueue:
		t.enqueue(false)
	case hold:
		t.enqueue(true)
	case launch:
		return t.launch()
	case tryClaim:
		return t.tryClaim(out.verdict)
	case settle:
		return t.settle(out.reason)
	case ringShim:
		t.s.env.Bells.Ring(t.dir.path("shim.bell"), "cancel")
	case look:
		return t.observe()
	case finish:
		t.finish(out.verdict)
	}
	return nil
}

func (t *ticket) enqueue(holds bool) {
	now := t.s.env.Wall()
	e := entrant{ticket: t.id, name: t.name, lock: t.lock, since: now}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if holds {
		if !t.since.IsZero() {
			e.since = t.since.In(now.Location())
		}
		t.s.queue.hold(e)
		return
	}
	t.s.grantLocked(t.s.queue.enter(e, now))
}

// grantLocked tells the tickets that hold the lock, and everybody who waits that the queue moved.
func (s *Service) grantLocked(ids []contract.TicketID) {
	for _, id := range ids {
		t := s.tickets[id]
		t.granted = true
		t.nudge()
	}
	for _, e := range s.queue.waiters {
		s.tickets[e.ticket].announceLocked()
	}
}

// launch starts a shim. Nothing of this agent's life matters to it from then on.
func (t *ticket) launch() input {
	if err := t.s.options.Storage.Err(); err != nil { // nor is the claim of a shim to be relied on
		return launchFailed{reason: storageFailed + " on this machine: " + err.Error()}
	}
	if err := errors.Join(t.raise(), t.dir.markLaunched(t.s.env.Facts().BootID)); err != nil {
		return launchFailed{reason: err.Error()}
	}
	t.s.env.Point("script.launch")
	process, err := t.s.startShim(t.dir)
	if err != nil {
		return launchFailed{reason: err.Error()}
	}
	t.shim = process
	t.s.env.Point("script.launched")
	return nil
}

// observe reads the folder: the claim, then whether its process lives, then the exit record, so
// that a shim seen dead has written what it ever will.
func (t *ticket) observe() input {
	var o observed
	if t.shim != nil {
		o.shimGone = !t.s.env.Exec.Alive(t.shim.ID())
	}
	if err := t.lookAtClaim(); err != nil {
		t.s.env.Log.Warn("a ticket's claim cannot be read", "ticket", t.id, "err", err)
		return nil
	}
	if o.claim = t.won; t.won == nil {
		o.trouble = t.dir.trouble()
		return o
	}
	t.passStart()
	o.sameBoot = t.won.Process.BootID == t.s.env.Facts().BootID
	o.alive = t.s.env.Exec.Alive(t.won.Process)
	if !t.ownRead {
		t.own, t.ownRead = t.dir.verdict(), true
	}
	o.verdict = t.own
	if o.alive && t.quiet { // a shim rings or ends when it has written the record
		return o
	}
	var err error
	if o.exit, err = t.dir.exit(); err != nil {
		t.s.env.Log.Warn("a ticket's exit record cannot be read", "ticket", t.id, "err", err)
		return nil
	}
	return o
}

// lookAtClaim reads the claim until there is one.
func (t *ticket) lookAtClaim() (err error) {
	if t.won == nil {
		t.won, err = t.dir.claim()
	}
	return err
}

// unknownBoot stands for the boot of a claim that a power cut left without its content.
const unknownBoot = "unknown"

// shareLocked shows the others in which boot the script was started.
func (t *ticket) shareLocked() {
	switch {
	case t.won == nil || t.won.Verdict != nil: // nothing was started
	case t.won.Process.BootID == "":
		t.startedBoot = unknownBoot
	default:
		t.startedBoot = t.won.Process.BootID
	}
}

func (t *ticket) tryClaim(v contract.Verdict) input {
	won, err := t.dir.take(t.s.env.Disk, claim{WallMS: t.s.env.Wall().UnixMilli(), Verdict: &v})
	t.s.env.Point("script.fenced")
	if err != nil {
		t.s.env.Log.Warn("a ticket cannot be claimed yet", "ticket", t.id, "err", err)
		return nil // the next look tries again
	}
	return claimed{won: won}
}

// settle gives a ticket whose shim is dead the agent's own verdict, with the log as far as it is
// whole. What the script left behind is killed first, unless an operator wants it kept: its lock is
// free already.
func (t *ticket) settle(reason string) input {
	t.quiet = false
	if exit, err := t.dir.exit(); exit != nil || err != nil {
		return t.observe()
	}
	left := t.dir.offspring(t.s.env.Exec, t.s.env.Facts().BootID)
	if said := left.bury(t.s.options.KeepLeftOvers); said != "" {
		reason += "; " + said
	}
	left.forgetGroup()
	sum := sha256.New()
	end, err := scanLog(t.dir.path("log"), 0, maxLogBytes, func(raw []byte) error {
		_, err := sum.Write(raw)
		return err
	})
	if err != nil {
		reason += "; its log cannot be read: " + err.Error()
	}
	v := contract.Verdict{
		Outcome: contract.Indeterminate, Reason: shorten(reason, maxReasonBytes),
		LogEnd: end, LogSHA256: hex.EncodeToString(sum.Sum(nil)),
	}
	err = t.dir.replace(t.s.env.Disk, "verdict", encode(v))
	if err != nil && t.s.options.Storage.Err() != nil {
		t.own, t.ownRead = &v, true // a broken disk keeps nothing, and nobody is told otherwise
		return t.observe()
	}
	if err != nil {
		t.s.env.Log.Warn("a ticket's verdict cannot be kept yet", "ticket", t.id, "err", err)
		return nil
	}
	t.ownRead = false
	return t.observe()
}

func (t *ticket) finish(v contract.Verdict) {
	t.s.env.Point("script.finished")
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.shareLocked()
	v = t.s.believed(v)
	t.verdict = &v
	t.s.unfinished--
	t.s.grantLocked(t.s.queue.leave(t.id, t.s.env.Wall()))
	t.announceLocked()
	t.s.readySpareLocked()
}

// reap takes leave of the shim that this agent launched, so that no zombie stays. One that lost
// its claim is ended first: it may wait for a lock.
func (t *ticket) reap(ctx context.Context) {
	if t.shim == nil {
		return
	}
	if c, err := t.dir.claim(); err == nil && c != nil && c.Verdict != nil {
		if err := t.s.env.Exec.Signal(t.shim.ID(), host.Kill); err != nil {
			t.s.env.Log.Warn("a shim without a claim cannot be ended", "ticket", t.id, "err", err)
		}
	}
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for end := time.Now().Add(reapWait); t.s.env.Exec.Alive(t.shim.ID()); {
		if ctx.Err() != nil || time.Now().After(end) {
			return
		}
		<-poll.C
	}
	_, _ = t.shim.Wait()
}

// cancel makes a request durable and passes it on, unless the ticket is finished.
func (t *ticket) cancel(c cancelRequest) error {
	t.s.mu.Lock()
	finished := t.verdict != nil
	t.s.mu.Unlock()
	if finished {
		return nil
	}
	if err := t.dir.replace(t.s.env.Disk, "cancel", encode(c)); err != nil {
		return storage("keep the cancel request", err)
	}
	t.s.env.Point("script.cancel")
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.canceled = &c
	t.nudge()
	return nil
}

// neverStarted is the verdict of a ticket that was canceled before its order came.
func neverStarted(c cancelRequest) *contract.Verdict {
	return &contract.Verdict{
		Outcome: contract.Canceled, Reason: "canceled by " + c.By + " before it was started", LogSHA256: emptySHA256,
	}
}

// encode is for our own plain types, which always encode.
func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(errkind.Internal.Errorf("encode %T: %w", v, err))
	}
	return raw
}
