// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"time"

	"fairlead/internal/errkind"
)

// sendable reports whether any frame could be sent now.
func (m *Machine) sendable() bool {
	switch m.state {
	case opening:
		return m.helloDue
	case parting:
		return true
	case working:
	default:
		return false
	}
	if m.helloDue || m.pingDue || m.pongDue || m.drainDue {
		return true
	}
	if m.isHushed() {
		return false
	}
	for _, f := range m.flows {
		if f.urgent() || f.sendable() {
			return true
		}
	}
	return false
}

// apply fills the room with frames in the order of rule 4. Nothing sent ends the write.
func (in WriteReady) apply(m *Machine, now time.Time) error {
	if in.Room < MinRoomBytes {
		return errkind.Invalid.Errorf("line: write with room for %d bytes: want %d at least", in.Room, MinRoomBytes)
	}
	left := in.Room
	for left >= MinRoomBytes {
		size := m.sendNext(left - HeaderBytes)
		if size == 0 {
			break
		}
		left -= size
	}
	m.waking, m.writeFrom = left < in.Room, time.Time{}
	if m.waking {
		m.noteSent(now)
	}
	return nil
}

// sendNext sends one frame of at most room payload bytes and returns its size, or 0.
func (m *Machine) sendNext(room int) int {
	switch {
	case m.state != opening && m.state != working && m.state != parting:
		return 0
	case m.helloDue:
		m.helloDue = false
		return m.send(TypeHello, 0, 0, m.hello().append(make([]byte, 0, helloBytes)))
	case m.state == parting:
		size := m.send(TypeGoodbye, 0, 0, m.goodbye.append(nil))
		m.emit(HalfClose{})
		m.state = parted
		return size
	case m.state == opening:
		return 0
	case m.pongDue:
		m.pongDue = false
		return m.send(TypePong, 0, 0, binary.BigEndian.AppendUint64(nil, m.pongToken))
	case m.pingDue:
		m.pingDue = false
		return m.send(TypePing, 0, 0, binary.BigEndian.AppendUint64(nil, m.pingToken))
	case m.drainDue:
		m.drainDue = false
		return m.send(TypeDrain, 0, 0, []byte(m.address))
	case m.isHushed():
		return 0
	}
	for _, f := range m.flows {
		if f.urgent() {
			return m.sendUrgent(f)
		}
	}
	for c := range classCount {
		if f := m.nextFlow(c); f != nil {
			return m.sendFrom(f, room)
		}
	}
	return 0
}

// sendUrgent sends the frame of a stream that goes before all data.
func (m *Machine) sendUrgent(f *flow) int {
	switch {
	case f.openDue:
		f.openDue = false
		flags := Flags(0)
		if f.bulk {
			flags = FlagBulk
		}
		return m.send(TypeOpen, flags, f.id, nil)
	case f.resetDue:
		m.forget(f, f.peerEnded)
		return m.send(TypeReset, 0, f.id, appendReset(nil, f.resetCode, f.resetText))
	}
	more := f.taken
	f.granted += more
	f.taken = 0
	return m.send(TypeCredit, 0, f.id, binary.BigEndian.AppendUint32(nil, more))
}

// nextFlow returns the stream of the class whose turn it is, or nil.
func (m *Machine) nextFlow(c class) *flow {
	var first *flow
	for _, f := range m.flows {
		if f.class() != c || !f.sendable() {
			continue
		}
		if f.id > m.cursor[c] {
			return f
		}
		if first == nil {
			first = f
		}
	}
	return first
}

// sendFrom sends data of a stream, or its end.
func (m *Machine) sendFrom(f *flow, room int) int {
	if f.endReady() {
		m.cursor[f.class()] = f.id
		f.endSent = true
		size := m.send(TypeEnd, 0, f.id, nil)
		if f.peerEnded {
			m.forget(f, true)
		}
		return size
	}
	size := min(f.pending, int(f.credit), MaxDataBytes, room)
	m.cursor[f.class()] = f.id
	f.pending -= size
	f.credit -= uint32(size)
	return m.sendData(f.id, size)
}

func (m *Machine) sendData(id uint32, size int) int {
	m.emit(Send{Header: Header{Length: uint32(size), Type: TypeData, Stream: id, Sequence: m.sendSequence}})
	m.sendSequence++
	return HeaderBytes + size
}

func (m *Machine) send(t Type, flags Flags, id uint32, payload []byte) int {
	h := Header{Length: uint32(len(payload)), Type: t, Flags: flags, Stream: id, Sequence: m.sendSequence}
	m.emit(Send{Header: h, Payload: payload})
	m.sendSequence++
	return HeaderBytes + len(payload)
}

func (m *Machine) hello() hello {
	return hello{
		newest: Version, oldest: OldestVersion, role: m.role,
		ping: m.settings.PingAfter, dead: m.settings.DeadAfter,
		streams: m.settings.Streams, bulk: m.settings.BulkStreams,
		windows: [classCount]uint32{m.ownWindow(control), m.ownWindow(bulk)}, binding: m.settings.Binding,
	}
}
