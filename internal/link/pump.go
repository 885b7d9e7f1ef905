// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"errors"
	"io"
	"sync"
)

// sourceBytes is how much of a source is read at once: whole records, with their headers.
const sourceBytes = 4 * MaxDataBytes

// pump carries a source to its stream on one goroutine that reads, encrypts and writes in turn: to wake
// another one for each piece takes as long as to encrypt it. Who called waits, and is told at
// once when the stream ends early, even while the transport takes nothing.
type pump struct {
	stream *Stream
	source io.Reader
	buffer []byte
	work   sync.WaitGroup

	// Guarded by session.mu.
	ended   sync.Cond // done, or the stream failed
	sending bool      // it is the writer of the connection: the session waits for it, and not its caller
	done    bool
	total   int64
	err     error
}

// ReadFrom writes everything that r gives, until its io.EOF. It does not return before r has, and reads
// no more of it once the stream has ended early.
func (st *Stream) ReadFrom(r io.Reader) (int64, error) {
	buffer := make([]byte, sourceBytes)
	total := int64(0)
	for {
		n, readErr := r.Read(buffer)
		if n > 0 {
			wrote, err := st.Write(buffer[:n])
			if total += int64(wrote); err != nil {
				return total, err
			}
		}
		if errors.Is(readErr, io.EOF) {
			return total, nil
		}
		if readErr != nil {
			return total, readErr
		}
		if n == len(buffer) { // it gives as much as is asked for: not a source that is waited for
			pumped, err := st.pump(r, buffer)
			return total + pumped, err
		}
	}
}

func (st *Stream) pump(r io.Reader, buffer []byte) (int64, error) {
	s := st.session
	p := &pump{stream: st, source: r, buffer: buffer}
	p.ended.L = &s.mu
	s.mu.Lock()
	st.pumping = p
	p.work.Go(p.run)
	for !p.done && (!p.sending || st.err == nil) {
		p.ended.Wait()
	}
	st.pumping = nil
	total, err, left := p.total, p.err, !p.done
	if left {
		err = st.err
		s.tasks.Go(p.work.Wait)
	}
	s.unlock()
	if !left {
		p.work.Wait()
	}
	return total, err
}

// run reads and sends until the source or the stream ends.
func (p *pump) run() {
	for {
		n, readErr := p.source.Read(p.buffer)
		err := p.send(p.buffer[:n])
		if err == nil && !errors.Is(readErr, io.EOF) {
			err = readErr
		}
		if err != nil || readErr != nil {
			p.finish(err)
			return
		}
	}
}

func (p *pump) finish(err error) {
	p.stream.session.mu.Lock()
	defer p.stream.session.unlock()
	p.done, p.err = true, err
	p.ended.Signal()
}

// send offers b, writes it if nobody else is writing, and waits until it was handed to the transport.
func (p *pump) send(b []byte) error {
	st, s := p.stream, p.stream.session
	s.mu.Lock()
	defer s.unlock()
	for st.writing && st.err == nil {
		st.writable.Wait()
	}
	err := st.writeErrorLocked()
	if err != nil || len(b) == 0 {
		return err
	}
	s.corked = true
	st.offer, st.writing = b, true
	err = s.stepLocked(Wrote{Stream: st.id, Bytes: len(b)})
	s.corked = false
	if err == nil && s.held && s.err == nil {
		s.held = false
		s.tasks.Add(1)
		p.sending = true
		s.mu.Unlock()
		s.writeHere(st)
		s.mu.Lock()
		p.sending = false
		s.tasks.Done()
	}
	n, err := st.offeredLocked(b, err)
	p.total += int64(n)
	if err == nil {
		err = st.err // the stream has ended, and who called may have left with the source
	}
	return err
}
