// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// Options of a session. Role is required.
type Options struct {
	Role     Role
	Settings Settings
	// Serve answers one stream that the peer opened; it runs on a goroutine of its own, and the
	// stream is reset when it returns without having ended it. The context ends with the stream or
	// the session. The servant needs it.
	Serve func(ctx context.Context, stream contract.Stream)
	// OnDrain hears that the peer wants no new streams; address may name a better place. It must
	// not block. It may be nil.
	OnDrain func(address string)
	// Keeper is shared by all sessions of a program. Nil makes the session run one of its own.
	Keeper *Keeper
}

// Session is one authenticated life of a line. It implements contract.Opener.
type Session struct {
	conn    net.Conn
	options Options
	keeper  *Keeper
	done    chan struct{}
	ready   chan struct{}
	tasks   sync.WaitGroup
	header  [HeaderBytes]byte // owned by Run

	// Guarded by keeper.mu.
	dueAt    time.Time
	dueOrder uint64
	dueIndex int // in the heap, from 1; 0 when absent

	mu       sync.Mutex // guards everything below and the fields of the streams
	machine  Machine
	streams  []*Stream // nil while there is none
	accepted []*Stream // opened by the peer, not yet served
	serving  []serving // in the order they began; nil while there is none
	moveTo   *string   // PeerDrains, not yet told
	err      *CloseError
	ran      bool
	cut      bool // the transport must be closed
	closed   bool // and was
	corked   bool // a Wake is only noted
	held     bool // a Wake was noted: who steps next starts the writer
	unheard  int  // bytes written since the last frame arrived
}

// SessionBinding derives the value that a hello must carry from the TLS session itself, so that no
// frame of another session fits. Errors: Invalid (no TLS 1.3 session).
func SessionBinding(state tls.ConnectionState) ([BindingBytes]byte, error) {
	if !state.HandshakeComplete || state.Version != tls.VersionTLS13 {
		return [BindingBytes]byte{}, errkind.Invalid.Errorf("line: derive the session binding: no finished TLS 1.3 handshake")
	}
	raw, err := state.ExportKeyingMaterial("EXPORTER-"+Protocol, nil, BindingBytes)
	if err != nil {
		return [BindingBytes]byte{}, errkind.Invalid.Errorf("line: derive the session binding: %w", err)
	}
	return [BindingBytes]byte(raw), nil
}

// NewSession makes a session over conn, which is authenticated already and belongs to the session
// from here on. It starts nothing.
func NewSession(conn net.Conn, o Options) *Session {
	s := &Session{conn: conn, options: o, keeper: o.Keeper, done: make(chan struct{}), ready: make(chan struct{})}
	if s.keeper == nil {
		s.keeper = NewKeeper()
	}
	s.machine.init(o.Role, o.Settings)
	return s
}

// Run drives the session until it is over and everything it started has ended; the connection is
// closed then. The end of ctx says goodbye (stopping) and ends every stream. The error is always a
// *CloseError. Call it once, on a fresh goroutine where memory counts: the stack of the one that
// shook hands has grown and would stay so.
func (s *Session) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.ran {
		s.mu.Unlock()
		return errkind.Invalid.Errorf("line: run a session twice")
	}
	s.ran = true
	s.mu.Unlock()
	if s.options.Keeper == nil {
		// A keeper of our own outlives ctx by the time a goodbye takes.
		keepCtx, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
		var keeping sync.WaitGroup
		keeping.Go(func() { _ = s.keeper.Run(keepCtx) })
		defer keeping.Wait()
		defer stopKeeping()
	}
	tune(s.conn)
	s.tasks.Add(1)
	unwatch := context.AfterFunc(ctx, func() {
		defer s.tasks.Done()
		_ = s.step(Leave{Goodbye: stopping()})
	})
	_ = s.step(Start{})
	err := s.read(ctx)
	_ = s.step(Lost{Err: err})
	if unwatch() {
		s.tasks.Done()
	}
	_ = s.conn.Close()
	s.tasks.Wait()
	s.keeper.remove(s)
	return s.Err()
}

// Open implements contract.Opener: it waits for the peer's hello, never for anything else. Errors:
// Unavailable (session over or draining), Exhausted (too many streams), Invalid (not the caller),
// Canceled or Timeout (ctx).
func (s *Session) Open(ctx context.Context, isBulk bool) (contract.Stream, error) {
	select {
	case <-s.ready:
	case <-s.done:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return nil, errkind.Of(err).Errorf("line: open a stream: %w", context.Cause(ctx))
	}
	s.mu.Lock()
	defer s.unlock()
	if s.err != nil {
		return nil, errkind.Unavailable.Errorf("line: open a stream: the session is over: %w", s.err)
	}
	s.releaseLocked()
	outs, err := s.machine.Step(time.Now(), Open{Bulk: isBulk})
	if err != nil {
		return nil, err
	}
	s.corked = true // an open stream says nothing yet: it leaves with what is written next
	defer func() { s.corked = false }()
	var opened *Stream
	for _, out := range outs {
		if o, ok := out.(StreamOpened); ok {
			opened = s.addStream(o)
			continue
		}
		s.perform(out)
	}
	s.tasks.Add(1)
	unwatch := context.AfterFunc(ctx, func() {
		defer s.tasks.Done()
		opened.abort(errkind.Of(ctx.Err()).Errorf("line: stream %d: %w", opened.id, context.Cause(ctx)), "context ended")
	})
	opened.release = func() {
		if unwatch() {
			s.tasks.Done()
		}
	}
	return opened, nil
}

// Drain tells the peer that no new streams are wanted and where to go instead (host:port, or "").
// What runs is finished; the session ends after the last stream. A session that is over stays so.
func (s *Session) Drain(address string) { _ = s.step(Drain{Address: address}) }

// stopping is the goodbye of a program that ends.
func stopping() Goodbye { return Goodbye{Code: GoodbyeStopping, Text: "stopping"} }

// Hush keeps from the peer whatever happens to the streams from now on, until Goodbye or the end of Run's
// context; what arrives is heard as before. It is for a program that ends: whoever holds streams is told after it, and
// waited for, and what the peer hears does not depend on who of them is quicker. After HushLimit the session says
// goodbye by itself. A session that does not run yet says it at once when it does.
func (s *Session) Hush() { _ = s.step(Hush{Goodbye: stopping()}) }

// Goodbye ends the session and tells the peer why, and after how long to come back (0 for no
// wish). It does not wait. A session that is over stays so.
func (s *Session) Goodbye(code GoodbyeCode, retryAfter time.Duration, text string) {
	_ = s.step(Leave{Goodbye: Goodbye{Code: code, RetryAfter: retryAfter, Text: text}})
}

// Ready is closed when the peer's hello was accepted.
func (s *Session) Ready() <-chan struct{} { return s.ready }

// Done is closed when the session is over for its users; Run may still be tidying up.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is nil until the session is over and a *CloseError from then on.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return s.err
}

// Heard says when the last whole frame arrived (zero for never), and how long the last ping took
// to be answered (0 before the first).
func (s *Session) Heard() (at time.Time, roundTrip time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.machine.lastHeard, s.machine.roundTrip
}

// read is the session's one idle goroutine.
func (s *Session) read(ctx context.Context) error {
	for {
		if _, err := io.ReadFull(s.conn, s.header[:]); err != nil {
			return err
		}
		h, err := ParseHeader(&s.header)
		if err != nil {
			_ = s.step(Broken{Err: err})
			return s.discard()
		}
		if h.Length == 0 {
			s.receive(h, nil)
		} else if err := s.readPayload(h); err != nil {
			return err
		}
		s.serveAccepted(ctx)
	}
}

func (s *Session) readPayload(h Header) error {
	c := s.keeper.chunk()
	if _, err := io.ReadFull(s.conn, c.data[:h.Length]); err != nil {
		s.keeper.recycle(c)
		return err
	}
	c.from, c.to = 0, int(h.Length)
	if !s.receive(h, c) {
		s.keeper.recycle(c)
	}
	return nil
}

// discard waits for the peer to close after bytes that were no frame; the machine's Cut bounds it.
func (s *Session) discard() error {
	_, err := io.Copy(io.Discard, s.conn)
	if err == nil {
		err = io.EOF
	}
	return err
}

// receive hands a frame to the machine and reports whether a stream has kept the chunk.
func (s *Session) receive(h Header, c *chunk) (kept bool) {
	in := Received{Header: h}
	if c != nil && h.Type != TypeData {
		in.Payload = c.data[:c.to]
	}
	s.mu.Lock()
	s.unheard = 0
	s.releaseLocked()
	now := time.Now()
	s.corked = true
	outs, _ := s.machine.Step(now, in) // what cannot be received has no outputs
	for _, out := range outs {
		if o, ok := out.(Deliver); ok {
			if st := s.stream(o.Stream); st != nil {
				kept = st.push(c)
			}
			continue
		}
		s.perform(out)
	}
	s.corked = false
	claimed := s.claimQuietLocked(now)
	if !claimed {
		s.releaseLocked()
	}
	s.unlock()
	if claimed {
		s.writeNow()
	}
	return kept
}

// serveAccepted starts what the last frame asked for.
func (s *Session) serveAccepted(ctx context.Context) {
	s.mu.Lock()
	accepted, moveTo := s.accepted, s.moveTo
	s.accepted, s.moveTo = nil, nil
	s.mu.Unlock()
	if moveTo != nil && s.options.OnDrain != nil {
		s.options.OnDrain(*moveTo)
	}
	for _, st := range accepted {
		if s.options.Serve == nil {
			st.Reset("nothing is served here")
			continue
		}
		s.tasks.Go(func() { st.serve(ctx, s.options.Serve) })
	}
}

// step takes one input. The mutex is not held by the caller.
func (s *Session) step(in Input) error {
	s.mu.Lock()
	defer s.unlock()
	return s.stepLocked(in)
}

func (s *Session) stepLocked(in Input) error {
	if !s.corked {
		s.releaseLocked()
	}
	outs, err := s.machine.Step(time.Now(), in)
	for _, out := range outs {
		s.perform(out)
	}
	return err
}

// unlock releases the mutex and then closes the transport if the machine asked for it.
func (s *Session) unlock() {
	closing := s.cut && !s.closed
	s.closed = s.cut
	s.mu.Unlock()
	if closing {
		abort(s.conn)
	}
}

// abort closes the transport below TLS: a TLS close would wait for a stuck peer to take an alert.
func abort(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	_ = conn.Close()
}

// perform does what one output asks, except Deliver and Send. The mutex is held.
func (s *Session) perform(out Output) {
	switch o := out.(type) {
	case Wake:
		s.held = true
		if !s.corked {
			s.releaseLocked()
		}
	case Arm:
		s.keeper.arm(s, o.At)
	case Ready:
		close(s.ready)
	case StreamOpened:
		s.accepted = append(s.accepted, s.addStream(o))
	case StreamEnded:
		if st := s.stream(o.Stream); st != nil {
			st.endLocked()
		}
	case StreamReset:
		if st := s.stream(o.Stream); st != nil {
			st.failLocked(st.resetError(o))
		}
	case Forgotten:
		s.dropStream(o.Stream)
	case PeerDrains:
		s.moveTo = &o.Address
	case Close:
		s.closeLocked(o.Err)
	case Cut:
		s.cut = true
	}
}

func (s *Session) closeLocked(err *CloseError) {
	s.err = err
	for _, st := range s.streams {
		st.goneLocked()
		st.failLocked(errkind.Unavailable.Errorf("line: stream %d: the session is over: %w", st.id, err))
	}
	s.streams = nil
	for _, one := range s.serving {
		one.cancel(err)
	}
	close(s.done)
}

// serving is a handler at work, also when its stream is forgotten.
type serving struct {
	stream *Stream
	cancel context.CancelCauseFunc
}

// serves notes a handler, whose context ends with the stream's failure or with the session.
func (s *Session) serves(st *Stream, cancel context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving = append(s.serving, serving{st, cancel})
	switch {
	case st.err != nil:
		cancel(st.err)
	case s.err != nil:
		cancel(s.err)
	default:
		st.release = func() { cancel(st.err) }
	}
}

func (s *Session) served(st *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving = slices.DeleteFunc(s.serving, func(one serving) bool { return one.stream == st })
	if len(s.serving) == 0 {
		s.serving = nil
	}
}

func (s *Session) addStream(o StreamOpened) *Stream {
	st := newStream(s, o.Stream, o.Bulk)
	s.streams = append(s.streams, st)
	return st
}

func (s *Session) stream(id uint32) *Stream {
	for _, st := range s.streams {
		if st.id == id {
			return st
		}
	}
	return nil
}

func (s *Session) dropStream(id uint32) {
	kept := s.streams[:0]
	for _, st := range s.streams {
		if st.id == id {
			st.goneLocked()
			continue
		}
		kept = append(kept, st)
	}
	clear(s.streams[len(kept):])
	if s.streams = kept; len(kept) == 0 {
		s.streams = nil
	}
}
