// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package script

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/durable"
	"fairlead/internal/errkind"
	"fairlead/internal/host"
)

const (
	maxUnfinished = 100
	maxKept       = 10_000
	// maxIntakeCount is how many orders are received at one time; each may take 16 MiB.
	maxIntakeCount = 4
	maxByBytes     = 255
	bellWait       = 2 * time.Second
	bellRetry      = 20 * time.Millisecond
)

// Options of a Service; the zero value is what customers run.
type Options struct {
	// MaxUnfinished is how many tickets may wait and run at one time; 0 means 100.
	MaxUnfinished int
	// MaxKept is how many tickets are kept, finished ones included; 0 means 10,000.
	MaxKept int
	// Storage says when the disk has failed: nothing is started then. Nil never does.
	Storage Storage
	// KeepLeftOvers lets the processes of a script whose shim died go on; they are killed else.
	KeepLeftOvers bool
}

// Service is the agent's side of all tickets. Make it with New; its methods wait until Run has
// recovered what lies in the home folder.
type Service struct {
	home    string // <home>/tickets
	boot    string // id of this boot
	env     host.Env
	options Options
	ready   chan struct{} // closed when recovery is complete
	over    chan struct{} // closed when Run ends
	intake  chan struct{} // a place for each order that is received
	writing chan struct{} // one place: the ledger's writer
	owned   sync.WaitGroup

	mu         sync.Mutex // guards what follows, and the tickets' shared part
	ctx        context.Context
	closed     bool
	tickets    map[contract.TicketID]*ticket
	unfinished int
	queue      isolation
	ledger     *ledger
	position   int64                      // of the journal, durable
	sequence   int64                      // highest position given away
	held       []found                    // recovered and never launched: see letGo
	doubtful   map[contract.TicketID]bool // orders that a failing disk may have kept
	spare      *spare                     // nil for none
}

// New makes the tickets folder below home. It starts nothing. Errors: Denied (the folder is a
// link, or others may write to it), Corrupt, or the file system's.
func New(home string, env host.Env, o Options) (*Service, error) {
	dir, err := filepath.Abs(filepath.Join(home, "tickets"))
	if err != nil {
		return nil, errkind.Internal.Errorf("tickets folder: %w", err)
	}
	if err := durable.MakeFolder(env.Disk, dir); err != nil {
		return nil, storage("make the tickets folder", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, storage("look at the tickets folder", err)
	}
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		err := errkind.Denied.Errorf("tickets folder %q: mode is %v, want a folder of mode 0700", dir, info.Mode())
		return nil, errkind.Hinted(err, "chmod 700 %s", dir)
	}
	ledger, err := openLedger(env.Disk, filepath.Join(dir, ledgerName), maxLedgerLines)
	if err != nil {
		return nil, err
	}
	if o.MaxUnfinished == 0 {
		o.MaxUnfinished = maxUnfinished
	}
	if o.MaxKept == 0 {
		o.MaxKept = maxKept
	}
	if o.Storage == nil {
		o.Storage = sound{}
	}
	return &Service{
		home: dir, position: max(firstPosition, ledger.position), sequence: max(firstPosition, ledger.position),
		boot: env.Facts().BootID, env: env, options: o, ledger: ledger,
		ready: make(chan struct{}), over: make(chan struct{}),
		intake: make(chan struct{}, maxIntakeCount), writing: make(chan struct{}, 1),
		tickets: map[contract.TicketID]*ticket{}, doubtful: map[contract.TicketID]bool{},
	}, nil
}

// Run recovers the tickets of earlier agents, looks after all tickets until ctx ends, and returns
// nil when everything it started has ended. Scripts go on without it. It is called once. Errors:
// Conflict (another agent uses the home folder), or the file system's.
func (s *Service) Run(ctx context.Context) error {
	defer close(s.over)
	bell, err := s.openBell(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer s.owned.Wait()
	defer cancel()
	defer bell.Close()
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	if err := s.recover(); err != nil {
		return err
	}
	close(s.ready)
	err = s.hear(ctx, bell)
	s.mu.Lock()
	s.closed = true // nothing new is owned from here
	s.mu.Unlock()
	return err
}

// openBell tries for a while: an agent that was killed while it started a shim leaves, for some
// milliseconds, a child that still holds its descriptors.
func (s *Service) openBell(ctx context.Context) (host.Bell, error) {
	retry := time.NewTicker(bellRetry)
	defer retry.Stop()
	for end := time.Now().Add(bellWait); ; {
		bell, err := s.env.Bells.Open(filepath.Join(s.home, bellName))
		if errkind.Of(err) != errkind.Conflict || err == nil || !time.Now().Before(end) {
			return bell, err
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// hear passes on what shims ring for.
func (s *Service) hear(ctx context.Context, bell host.Bell) error {
	for {
		word, err := bell.Wait(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return errkind.Internal.Errorf("wait for the tickets' bell: %w", err)
		}
		s.rung(word)
	}
}

func (s *Service) rung(word string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kind := range []string{ringLog, ringState} {
		if len(word) <= len(kind) || word[:len(kind)] != kind {
			continue
		}
		t := s.tickets[contract.TicketID(word[len(kind):])]
		if t == nil {
			return
		}
		t.announceLocked()
		if kind == ringState {
			t.nudge()
		}
	}
}

// await waits for the recovery. Errors: Unavailable (Run ended before), or ctx's.
func (s *Service) await(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	default:
	}
	select { // over is only closed without ready when the recovery did not succeed
	case <-s.ready:
		return nil
	case <-s.over:
		return errkind.Unavailable.Errorf("scripts: the agent could not recover its tickets")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Start takes an order over. It returns when the intent is durable or the ticket was known
// already, in which case nothing new starts. Errors: Corrupt, Invalid (the order), Conflict (its
// epoch is older than one seen for the task, or the ticket was forgotten), Exhausted (not
// started: too many tickets, no space), Denied (not started: the storage failed before), Unavailable
// (stopping), Internal (storage; whether the order was kept is unknown).
func (s *Service) Start(ctx context.Context, raw []byte) (contract.TicketStatus, error) {
	order, err := ParseOrder(raw)
	if err != nil {
		return contract.TicketStatus{}, err
	}
	if err := s.await(ctx); err != nil {
		return contract.TicketStatus{}, err
	}
	s.letGo()
	t, isNew, err := s.admit(&order)
	if err != nil {
		return contract.TicketStatus{}, err
	}
	if !isNew {
		return s.startedBefore(ctx, t, &order)
	}
	err = t.dir.create(s.env.Disk, "order.json", raw, t.sequence)
	s.env.Point("script.intent")
	s.mu.Lock()
	if t.err = err; err != nil {
		delete(s.tickets, t.id)
		s.unfinished--
		s.missedLocked(t.id, err)
	} else {
		delete(s.doubtful, t.id)
		s.passLocked(t.sequence)
	}
	s.mu.Unlock()
	if err == nil {
		t.begin(received{})
	}
	close(t.ready)
	if err != nil {
		return contract.TicketStatus{}, err
	}
	return s.status(t), nil
}

// admit finds the order's ticket or makes it, if the order may be started.
func (s *Service) admit(o *contract.Order) (t *ticket, isNew bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tickets[o.Ticket]; t != nil {
		return t, false, nil
	}
	if err := s.refuseOnBrokenLocked(o.Ticket); err != nil {
		return nil, false, err
	}
	seen := s.ledger.epochs[o.Task]
	switch {
	case s.closed:
		return nil, false, errkind.Unavailable.Errorf("ticket %s: not started: the agent is stopping", o.Ticket)
	case s.ledger.knows(o.Ticket):
		return nil, false, errkind.Conflict.Errorf("ticket %s: it was finished and forgotten, and never starts again",
			o.Ticket)
	case o.Epoch < seen:
		return nil, false, errkind.Conflict.Errorf("ticket %s: epoch %d of task %q is over, %d was seen",
			o.Ticket, o.Epoch, o.Task, seen)
	case s.unfinished >= s.options.MaxUnfinished:
		return nil, false, errkind.Exhausted.Errorf("ticket %s: not started: %d tickets are unfinished here",
			o.Ticket, s.unfinished)
	case len(s.tickets) >= s.options.MaxKept:
		err := errkind.Exhausted.Errorf("ticket %s: not started: %d tickets are kept here", o.Ticket, len(s.tickets))
		return nil, false, errkind.Hinted(err, "let the server take their verdicts, or restart it")
	}
	t = s.newTicket(o)
	s.sequence++
	t.sequence = s.sequence
	s.ledger.raise(o.Task, o.Epoch)
	s.tickets[o.Ticket] = t
	s.unfinished++
	s.readySpareLocked()
	return t, true, nil
}

// startedBefore answers a repeated start. A higher epoch says that the task has a new owner: the
// old one's orders are refused from here on.
func (s *Service) startedBefore(ctx context.Context, t *ticket, o *contract.Order) (contract.TicketStatus, error) {
	if err := t.await(ctx); err != nil {
		return contract.TicketStatus{}, err
	}
	s.mu.Lock()
	seen, known := s.ledger.epochs[o.Task]
	s.mu.Unlock()
	if !known || o.Epoch > seen { // write raises it, once it is durable
		if err := s.write(ctx, epochLine(o.Task, o.Epoch)); err != nil {
			// Never Exhausted or Denied, which say that nothing was started.
			return contract.TicketStatus{}, errkind.Unavailable.Errorf("ticket %s is here; keep its epoch: %w", t.id, err)
		}
	}
	return s.status(t), nil
}

// write makes ledger lines durable, one caller after the other.
func (s *Service) write(ctx context.Context, line string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.writing }()
	s.mu.Lock()
	ledger := s.ledger // only replaced below, by one caller at a time
	s.mu.Unlock()
	if err := ledger.write(line); err != nil {
		return err
	}
	s.mu.Lock()
	for one := range strings.Lines(line) {
		s.ledger.take(strings.TrimSuffix(one, "\n"))
	}
	crowded := s.ledger.crowded()
	s.mu.Unlock()
	if !crowded {
		return nil
	}
	shorter, err := ledger.cutBack()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	shorter.epochs, shorter.tasks = s.ledger.epochs, s.ledger.tasks
	s.ledger = shorter
	return nil
}

// find returns a known ticket whose intent is durable, or nil.
func (s *Service) find(ctx context.Context, id contract.TicketID) (*ticket, error) {
	if err := s.await(ctx); err != nil {
		return nil, err
	}
	s.letGo()
	s.mu.Lock()
	t := s.tickets[id]
	s.mu.Unlock()
	if t == nil {
		return nil, nil
	}
	if err := t.await(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, nil // it was not started
	}
	return t, nil
}

// Status tells what is known of a ticket. An unknown ticket is an answer.
func (s *Service) Status(ctx context.Context, id contract.TicketID) (contract.TicketStatus, error) {
	t, err := s.find(ctx, id)
	if err != nil {
		return contract.TicketStatus{}, err
	}
	if t == nil {
		return contract.TicketStatus{Ticket: id, State: contract.Unknown}, nil
	}
	return s.status(t), nil
}

// Cancel asks for the end of a ticket and returns when the request is durable. A finished ticket
// stays as it is; one that is not known yet is finished as Canceled and never starts. Errors:
// Invalid (grace or name out of range), Exhausted, Internal (storage).
func (s *Service) Cancel(ctx context.Context, a contract.CancelArgs) (contract.TicketStatus, error) {
	if a.GraceMS < 0 || a.GraceMS > maxGraceMS || len(a.By) > maxByBytes {
		return contract.TicketStatus{}, errkind.Invalid.Errorf(
			"cancel %s: grace_ms %d, by of %d bytes: want 0 to %d, at most %d",
			a.Ticket, a.GraceMS, len(a.By), maxGraceMS, maxByBytes)
	}
	t, err := s.find(ctx, a.Ticket)
	if err != nil {
		return contract.TicketStatus{}, err
	}
	if t == nil {
		return s.cancelUnknown(a)
	}
	if err := t.cancel(cancelRequest{By: a.By, GraceMS: a.GraceMS}); err != nil {
		return contract.TicketStatus{}, err
	}
	return s.status(t), nil
}

func (s *Service) cancelUnknown(a contract.CancelArgs) (contract.TicketStatus, error) {
	s.mu.Lock()
	known, gone := s.tickets[a.Ticket] != nil, s.ledger.knows(a.Ticket)
	full := len(s.tickets) >= s.options.MaxKept
	var t *ticket
	if !known && !gone && !full {
		t = s.newTicket(&contract.Order{Ticket: a.Ticket})
		s.tickets[a.Ticket] = t
	}
	s.mu.Unlock()
	switch {
	case gone:
		return contract.TicketStatus{Ticket: a.Ticket, State: contract.Unknown}, nil
	case known:
		return contract.TicketStatus{}, errkind.Conflict.Errorf("cancel %s: it arrived at this moment: ask again", a.Ticket)
	case full:
		return contract.TicketStatus{}, errkind.Exhausted.Errorf("cancel %s: %d tickets are kept here",
			a.Ticket, s.options.MaxKept)
	}
	request := cancelRequest{By: a.By, GraceMS: a.GraceMS}
	err := t.dir.create(s.env.Disk, "cancel", encode(request), 0)
	s.mu.Lock()
	if t.err = err; err != nil {
		delete(s.tickets, t.id)
	} else {
		t.verdict = neverStarted(request)
	}
	s.mu.Unlock()
	close(t.ready)
	if err != nil {
		return contract.TicketStatus{}, err
	}
	return s.status(t), nil
}

// Forget deletes a finished ticket; it will never start again. One that is not known is no
// error. Errors: Conflict (no verdict yet), Exhausted, Internal (storage).
func (s *Service) Forget(ctx context.Context, id contract.TicketID) error {
	t, err := s.find(ctx, id)
	if t == nil || err != nil {
		return err
	}
	s.mu.Lock()
	finished, position := t.verdict != nil, s.position
	s.mu.Unlock()
	if !finished {
		return errkind.Conflict.Errorf("forget %s: it has no verdict yet", id)
	}
	if err := s.write(ctx, atLine(position)+forgotLine(id, t.task, t.epoch)); err != nil {
		return err
	}
	s.env.Point("script.forgotten")
	s.mu.Lock()
	delete(s.tickets, id)
	s.mu.Unlock()
	t.dir.offspring(s.env.Exec, s.env.Facts().BootID).forgetGroup()
	if err := os.RemoveAll(string(t.dir)); err != nil {
		return storage("delete ticket "+string(id), err)
	}
	return nil
}

// Running lists the tickets that run, sorted. It does not wait.
func (s *Service) Running() []contract.TicketID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []contract.TicketID
	for id, t := range s.tickets {
		if t.runs && t.verdict == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
