// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import "time"

// write is the one writer of the connection. It exists from a Wake until nothing is left to send.
// Every round is one transport write of at most one TLS record, so a control frame waits for one
// record at most before it is chosen.
func (s *Session) write() {
	c := s.keeper.chunk()
	defer s.keeper.recycle(c)
	for {
		size, last := s.fill(c.data[:])
		if size == 0 {
			return
		}
		if _, err := s.conn.Write(c.data[:size]); err != nil {
			_ = s.step(Lost{Err: err})
			return
		}
		if last {
			s.halfClose()
			return
		}
	}
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
