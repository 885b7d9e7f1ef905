// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"io"
	"sync"

	"fairlead/internal/contract"
	"fairlead/internal/errkind"
)

// chunk is a pooled buffer: part of what a stream has received, or one transport write.
type chunk struct {
	data     [RecordBytes]byte
	from, to int
	next     *chunk
}

// Stream is one stream of a session; it implements contract.Stream, io.ReaderFrom and
// io.WriterTo. One goroutine may read while another writes. Errors of Read and Write: Unavailable
// (session over, refused while draining, or reset by the servant), Canceled (reset by this side or
// by the caller, or the context of Open), Timeout (too slow; the context's deadline), Invalid
// (write after CloseWrite). All fields below id are guarded by session.mu.
type Stream struct {
	session *Session
	id      uint32
	bulk    bool

	readable, writable sync.Cond
	first, last        *chunk // received and not read
	unread             int    // bytes in them
	wanted             int    // bytes that the last reader waited for
	outbox             *chunk // small writes that wait for the transport; goes before offer
	offer              []byte // what a large Write has not handed over yet
	writing            bool   // a Write is under way
	pumping            *pump  // what a ReadFrom has begun
	wroteEnd           bool   // CloseWrite was called
	readEnd            bool   // the peer has ended
	gone               bool   // the machine has forgotten it
	err                error  // why it ended early
	release            func() // ends what watches the context, may be nil
}

var _ contract.Stream = (*Stream)(nil)

func newStream(s *Session, id uint32, isBulk bool) *Stream {
	st := &Stream{session: s, id: id, bulk: isBulk}
	st.readable.L, st.writable.L = &s.mu, &s.mu
	return st
}

// Read reads at least one byte, io.EOF after the peer's end, or why the stream ended early. What
// arrived before the failure is read first.
func (st *Stream) Read(p []byte) (int, error) { return st.read(p, 1) }

// ReadFull is io.ReadFull, and wakes its caller only when much of p has arrived.
func (st *Stream) ReadFull(p []byte) (int, error) { return io.ReadFull(patient{st}, p) }

// patient is a stream whose Read waits for all that it is asked for, or for half of a window.
type patient struct{ *Stream }

func (r patient) Read(p []byte) (int, error) { return r.read(p, len(p)) }

// read waits until least bytes are there, or what comes before the end, and takes up to len(p).
func (st *Stream) read(p []byte, least int) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s := st.session
	s.mu.Lock()
	defer s.unlock()
	if err := st.awaitLocked(least); err != nil {
		return 0, err
	}
	n := 0
	for st.first != nil && n < len(p) {
		c := st.first
		copied := copy(p[n:], c.data[c.from:c.to])
		n, c.from = n+copied, c.from+copied
		if c.from == c.to {
			st.shiftLocked()
			s.keeper.recycle(c)
		}
	}
	st.unread -= n
	st.tookLocked(n)
	return n, nil
}

// WriteTo writes everything that arrives to w until the peer's end.
func (st *Stream) WriteTo(w io.Writer) (total int64, err error) {
	for {
		c, err := st.take()
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(c.data[c.from:c.to])
		total += int64(n)
		st.session.mu.Lock()
		st.tookLocked(c.to - c.from)
		st.session.unlock()
		st.session.keeper.recycle(c)
		if err != nil {
			return total, err
		}
	}
}

// take removes the first chunk; its bytes count as unread until tookLocked.
func (st *Stream) take() (*chunk, error) {
	st.session.mu.Lock()
	defer st.session.unlock()
	if err := st.awaitLocked(1); err != nil {
		return nil, err
	}
	c := st.shiftLocked()
	st.unread -= c.to - c.from
	return c, nil
}

// awaitLocked waits until so many bytes are there to be read, or half of a window, which always comes:
// more than the other half is never kept from the peer. What came before the end is enough.
func (st *Stream) awaitLocked(least int) error {
	least = min(least, int(st.session.machine.ownWindow(classOf(st.bulk)))/2)
	for st.unread < least {
		switch {
		case st.unread > 0 && (st.readEnd || st.err != nil):
			return nil
		case st.readEnd:
			return io.EOF
		case st.err != nil:
			return st.err
		}
		st.session.releaseLocked()
		st.wanted = least
		st.readable.Wait()
	}
	return nil
}

func (st *Stream) shiftLocked() *chunk {
	c := st.first
	if st.first = c.next; st.first == nil {
		st.last = nil
	}
	c.next = nil
	return c
}

func (st *Stream) tookLocked(n int) {
	if !st.gone && n > 0 {
		_ = st.session.stepLocked(ReadSome{Stream: st.id, Bytes: n})
	}
}

// push adds what was received and reports whether it kept the chunk. Small pieces are moved
// together, so that the memory held is at most twice the window.
func (st *Stream) push(c *chunk) (kept bool) {
	if st.err != nil {
		return false
	}
	if st.unread += c.to; st.unread >= st.wanted {
		defer st.readable.Signal()
	}
	if l := st.last; l != nil && c.to <= len(l.data)-l.to {
		l.to += copy(l.data[l.to:], c.data[:c.to])
		return false
	}
	if st.last == nil {
		st.first = c
	} else {
		st.last.next = c
	}
	st.last = c
	return true
}

// smallWriteBytes is the longest write that is copied to the outbox, so that a head, its body and
// the end leave in one record and nobody waits for the writer.
const smallWriteBytes = 4 << 10

// Write sends p. It returns when all of it was handed to the transport or, if it is small, lies in
// the outbox of 16 KiB; or when the stream failed. It blocks while the peer grants no credit.
func (st *Stream) Write(p []byte) (int, error) {
	s := st.session
	s.mu.Lock()
	defer s.unlock()
	for st.writing && st.err == nil {
		st.writable.Wait()
	}
	if done, err := st.stashLocked(p); done {
		return len(p), err
	}
	sent := 0
	for sent < len(p) {
		piece := p[sent:min(len(p), sent+maxOfferBytes)]
		n, err := st.offerLocked(piece)
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, st.writeErrorLocked()
}

// WriteLast writes p and ends this direction. Where p is small and nothing else is under way, all of
// it leaves on the caller's goroutine, in one record. Otherwise it is Write and CloseWrite.
func (st *Stream) WriteLast(p []byte) error {
	s := st.session
	s.mu.Lock()
	if st.writing || len(p) > smallWriteBytes {
		s.unlock()
		return st.writeThenClose(p)
	}
	s.corked = true
	done, err := st.stashLocked(p)
	if done && err == nil {
		err = st.closeWriteLocked()
	}
	s.corked = false
	claimed := s.claimLocked(len(p))
	s.releaseLocked()
	s.unlock()
	if claimed {
		s.writeNow()
	}
	if !done {
		return st.writeThenClose(p)
	}
	return err
}

func (st *Stream) writeThenClose(p []byte) error {
	if _, err := st.Write(p); err != nil {
		return err
	}
	return st.CloseWrite()
}

// stashLocked puts a small write in the outbox if it fits.
func (st *Stream) stashLocked(p []byte) (done bool, err error) {
	if len(p) == 0 || len(p) > smallWriteBytes || st.writeErrorLocked() != nil {
		return false, nil
	}
	if st.outbox == nil {
		st.outbox = st.session.keeper.chunk()
		st.outbox.from, st.outbox.to = 0, 0
	}
	if len(p) > len(st.outbox.data)-st.outbox.to {
		return false, nil
	}
	st.outbox.to += copy(st.outbox.data[st.outbox.to:], p)
	return true, st.session.stepLocked(Wrote{Stream: st.id, Bytes: len(p)})
}

// sendLocked fills b with the bytes that were written first.
func (st *Stream) sendLocked(b []byte) {
	if c := st.outbox; c != nil {
		n := copy(b, c.data[c.from:c.to])
		b, c.from = b[n:], c.from+n
		st.trimOutboxLocked(c.from == c.to)
	}
	n := copy(b, st.offer)
	if st.offer = st.offer[n:]; n > 0 && len(st.offer) == 0 {
		st.writable.Broadcast()
	}
}

func (st *Stream) trimOutboxLocked(empty bool) {
	if empty && st.outbox != nil {
		st.session.keeper.recycle(st.outbox)
		st.outbox = nil
	}
}

func (st *Stream) writeErrorLocked() error {
	if st.err == nil && st.wroteEnd {
		return errkind.Invalid.Errorf("line: write to stream %d after its end", st.id)
	}
	return st.err
}

func (st *Stream) offerLocked(p []byte) (int, error) {
	if err := st.writeErrorLocked(); err != nil {
		return 0, err
	}
	st.offer, st.writing = p, true
	err := st.session.stepLocked(Wrote{Stream: st.id, Bytes: len(p)})
	return st.offeredLocked(p, err)
}

// offeredLocked waits until all of p, which was offered, is handed over, or the stream has failed.
func (st *Stream) offeredLocked(p []byte, err error) (int, error) {
	for err == nil && len(st.offer) > 0 {
		if err = st.err; err == nil {
			st.writable.Wait()
		}
	}
	n := len(p) - len(st.offer)
	st.offer, st.writing = nil, false
	st.writable.Signal()
	return n, err
}

// CloseWrite says that no more bytes come; the peer reads io.EOF after the last one.
func (st *Stream) CloseWrite() error {
	st.session.mu.Lock()
	defer st.session.unlock()
	return st.closeWriteLocked()
}

func (st *Stream) closeWriteLocked() error {
	if st.err != nil || st.wroteEnd {
		return st.err
	}
	st.wroteEnd = true
	return st.session.stepLocked(Ended{Stream: st.id})
}

// Reset ends both directions and tells the peer why. After CloseWrite, what was written and its
// end are still sent first. It is harmless after the stream has ended.
func (st *Stream) Reset(reason string) {
	st.abort(errkind.Canceled.Errorf("line: stream %d was reset here: %s", st.id, reason), reason)
}

func (st *Stream) abort(err error, text string) {
	s := st.session
	s.mu.Lock()
	defer s.unlock()
	if !st.gone {
		_ = s.stepLocked(Abort{Stream: st.id, Text: text, Keep: st.wroteEnd && len(st.offer) == 0})
	}
	st.failLocked(err)
	if st.first != nil {
		st.readEnd = false // what is dropped here must not look like the whole
	}
	for st.first != nil {
		s.keeper.recycle(st.shiftLocked())
	}
	st.unread = 0
}

// serve runs f on the stream and ends the stream after it. When the session's context ends the session
// says goodbye first and then ends its streams in their order: children of one context are told in none.
func (st *Stream) serve(ctx context.Context, f func(context.Context, contract.Stream)) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	st.session.serves(st, cancel)
	defer st.session.served(st)
	f(ctx, st)
	st.Reset("served")
}

// endLocked notes the peer's end.
func (st *Stream) endLocked() {
	st.readEnd = true
	st.readable.Broadcast()
}

// goneLocked notes that both directions have ended. The context of a served stream goes on: its
// handler may have work left.
func (st *Stream) goneLocked() {
	st.gone = true
	st.trimOutboxLocked(true)
	if st.release != nil && st.session.options.Role == Caller {
		st.release()
		st.release = nil
	}
	st.readable.Broadcast()
	st.writable.Broadcast()
}

// failLocked ends the stream early. The first error stays.
func (st *Stream) failLocked(err error) {
	if st.err == nil {
		st.err = err
	}
	if st.release != nil {
		st.release()
		st.release = nil
	}
	st.readable.Broadcast()
	st.writable.Broadcast()
	if st.pumping != nil {
		st.pumping.ended.Signal()
	}
}

// resetError says why the peer, or the rate floor, ended the stream.
func (st *Stream) resetError(o StreamReset) error {
	kind := errkind.Unavailable
	switch {
	case o.Code == ResetTooSlow:
		kind = errkind.Timeout
	case o.Code != ResetDraining && st.session.options.Role == Servant:
		kind = errkind.Canceled
	}
	who := "here"
	if o.ByPeer {
		who = "by the peer"
	}
	return kind.Errorf("line: stream %d was reset %s: %s", st.id, who, o.Text)
}
