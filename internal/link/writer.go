// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import "time"

// nowBytes is the most that may be written since the peer was heard for a write to be made by the
// goroutine that asks for it: so little always finds room in a transport, and does not block.
const nowBytes = 8 << 10

// quietTime is how long nothing may have been written for the goroutine that reads to write as well:
// what was written is out of the transport's way by then, and reading goes on at once.
const quietTime = time.Second

// releaseLocked starts the writer that a Wake asked for.
func (s *Session) releaseLocked() {
	if s.held {
		s.held = false
		s.tasks.Go(s.write)
	}
}

// claimLocked makes the caller the writer if one was asked for and about size bytes can be written
// without blocking. The caller unlocks and calls writeNow.
func (s *Session) claimLocked(size int) bool {
	if !s.held || s.err != nil || s.unheard+size+MaxControlBytes > nowBytes {
		return false
	}
	s.held = false
	s.tasks.Add(1)
	return true
}

// claimQuietLocked is claimLocked for the goroutine that reads, which must not wait for a peer that waits
// for it: it writes on an idle session alone, where that is the answer to a ping.
func (s *Session) claimQuietLocked(now time.Time) bool {
	return s.streams == nil && now.Sub(s.machine.lastSent) >= quietTime && s.claimLocked(0)
}

// writeNow writes once on the caller's goroutine, which saves waking another one.
func (s *Session) writeNow() {
	defer s.tasks.Done()
	s.writeHere(nil)
}

// writeHere writes on the caller's goroutine, as long as st offers something; once when st is nil. What comes
// after that is left to a goroutine of its own.
func (s *Session) writeHere(st *Stream) {
	c := s.keeper.chunk()
	for goesOn := true; ; goesOn = st != nil && s.offers(st) {
		size, last := s.fill(c.data[:])
		if size > 0 && !goesOn {
			s.tasks.Go(func() { s.writeOn(c, size, last) })
			return
		}
		if !s.send(c, size, last) {
			s.keeper.recycle(c)
			return
		}
	}
}

func (s *Session) offers(st *Stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(st.offer) > 0
}

// write is the one writer of the connection. It exists from a Wake until nothing is left to send.
// Every round is one transport write of at most one TLS record, so a control frame waits for one
// record at most before it is chosen.
func (s *Session) write() {
	c := s.keeper.chunk()
	size, last := s.fill(c.data[:])
	s.writeOn(c, size, last)
}

// writeOn writes what was filled, and what comes then. It recycles c.
func (s *Session) writeOn(c *chunk, size int, last bool) {
	defer s.keeper.recycle(c)
	for s.send(c, size, last) {
		size, last = s.fill(c.data[:])
	}
}

// send writes one record and reports whether another may follow.
func (s *Session) send(c *chunk, size int, last bool) bool {
	if size == 0 {
		return false
	}
	if _, err := s.conn.Write(c.data[:size]); err != nil {
		_ = s.step(Lost{Err: err})
		return false
	}
	if last {
		s.halfClose()
	}
	return !last
}

// fill puts the frames that go next into b and reports whether they are the last ones.
func (s *Session) fill(b []byte) (size int, last bool) {
	s.mu.Lock()
	defer s.unlock()
	outs, err := s.machine.Step(time.Now(), WriteReady{Room: len(b)})
	if err != nil {
		return 0, false
	}
	for _, out := range outs {
		switch o := out.(type) {
		case Send:
			size += s.put(b[size:], o)
		case HalfClose:
			last = true
		default:
			s.perform(out)
		}
	}
	s.unheard += size
	return size, last
}

// put writes one frame to b; data is taken from what its stream offers.
func (s *Session) put(b []byte, o Send) int {
	o.Header.Put(b)
	if o.Header.Type != TypeData {
		return HeaderBytes + copy(b[HeaderBytes:], o.Payload)
	}
	size := HeaderBytes + int(o.Header.Length)
	s.stream(o.Header.Stream).sendLocked(b[HeaderBytes:size])
	return size
}

// halfClose says at the transport's level too that nothing more comes.
func (s *Session) halfClose() {
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}
