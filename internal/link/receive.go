// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"time"

	"fairlead/internal/errkind"
)

func (in Received) apply(m *Machine, now time.Time) error {
	if m.state == fresh {
		return errkind.Invalid.Errorf("line: receive a frame before the start")
	}
	h := in.Header
	if (m.state == parting || m.state == parted) && h.Type == TypeGoodbye {
		m.state = over // both left at once: nobody waits for the other
		m.emit(Cut{})
	}
	if !m.alive() {
		return nil
	}
	if h.Type != TypeData && int(h.Length) != len(in.Payload) {
		return errkind.Invalid.Errorf("line: %v frame of %d bytes comes with %d", h.Type, h.Length, len(in.Payload))
	}
	m.noteHeard(now)
	if err := m.receive(now, h, in.Payload); err != nil {
		m.fault(now, err)
	}
	return nil
}

func (m *Machine) receive(now time.Time, h Header, payload []byte) error {
	if h.Sequence != m.receiveSequence {
		return FaultSequence.errorf("%v frame has sequence %d: want %d", h.Type, h.Sequence, m.receiveSequence)
	}
	m.receiveSequence++
	if m.state == opening && h.Type != TypeHello {
		return FaultHelloFirst.errorf("%v frame came before hello", h.Type)
	}
	switch h.Type {
	case TypeHello:
		return m.receiveHello(payload)
	case TypeOpen:
		return m.receiveOpen(h)
	case TypeData, TypeCredit, TypeEnd, TypeReset:
		return m.receiveOnStream(now, h, payload)
	case TypePing:
		m.pongDue, m.pongToken = true, binary.BigEndian.Uint64(payload)
	case TypePong:
		if binary.BigEndian.Uint64(payload) == m.pingToken && !m.pingedAt.IsZero() {
			m.roundTrip, m.pingedAt = now.Sub(m.pingedAt), time.Time{}
		}
	case TypeDrain:
		address, err := parseText(payload)
		if err != nil {
			return err
		}
		if !m.peerDrains {
			m.peerDrains = true
			m.emit(PeerDrains{Address: address})
		}
	case TypeGoodbye:
		g, err := parseGoodbye(payload)
		if err != nil {
			return err
		}
		m.end(&CloseError{Reason: ReasonGoodbye, ByPeer: true, Goodbye: g})
	}
	return nil
}

func (m *Machine) receiveHello(payload []byte) error {
	if m.state != opening {
		return FaultHelloTwice.errorf("a second hello came")
	}
	h, err := parseHello(payload)
	if err != nil {
		return err
	}
	if h.oldest > Version || h.newest < OldestVersion {
		return FaultVersion.errorf("the peer speaks versions %d to %d, this side %d to %d",
			h.oldest, h.newest, OldestVersion, Version)
	}
	if h.role != Caller+Servant-m.role {
		return FaultRole.errorf("this side is the %v and the peer says that it is the %v", m.role, h.role)
	}
	if h.binding != m.settings.Binding {
		return FaultBinding.errorf("the hello was made for another session")
	}
	m.version = min(h.newest, Version)
	m.dead = min(h.dead, m.settings.DeadAfter)
	m.ping = min(h.ping, m.settings.PingAfter, m.dead/2)
	m.streamsMax = min(h.streams, m.settings.Streams)
	m.bulkMax = min(h.bulk, m.settings.BulkStreams)
	m.windows = h.windows
	m.state = working
	m.emit(Ready{})
	return nil
}

func (m *Machine) receiveOpen(h Header) error {
	if m.role != Servant {
		return FaultOpenByServant.errorf("the servant opens stream %d", h.Stream)
	}
	if m.highest == 1<<32-1 || h.Stream != m.highest+1 {
		return FaultOpenOrder.errorf("stream %d is opened after stream %d", h.Stream, m.highest)
	}
	isBulk := h.Flags&FlagBulk != 0
	if len(m.flows) >= int(m.streamsMax) || isBulk && m.bulkCount >= m.bulkMax {
		return FaultStreams.errorf("stream %d is opened while %d are open, %d of them bulk: limits are %d and %d",
			h.Stream, len(m.flows), m.bulkCount, m.streamsMax, m.bulkMax)
	}
	f := m.addFlow(h.Stream, isBulk)
	if m.draining {
		m.abort(f, ResetDraining, "draining", false)
		return nil
	}
	m.emit(StreamOpened{Stream: f.id, Bulk: isBulk, ByPeer: true})
	return nil
}

func (m *Machine) receiveOnStream(now time.Time, h Header, payload []byte) error {
	_, f := m.find(h.Stream)
	if h.Stream > m.highest || f != nil && f.openDue {
		return FaultUnknownStream.errorf("%v frame for stream %d: it was never opened", h.Type, h.Stream)
	}
	if f == nil {
		return m.receiveLate(h, payload)
	}
	switch h.Type {
	case TypeData:
		return m.receiveData(now, f, h.Length)
	case TypeCredit:
		more := binary.BigEndian.Uint32(payload)
		if limit := m.windows[f.class()]; more == 0 || more > limit || f.credit > limit-more {
			return FaultCredit.errorf("grant of %d bytes on stream %d: %d of %d are open", more, f.id, f.credit, limit)
		}
		f.credit += more
	case TypeEnd:
		if f.peerEnded {
			return FaultEndTwice.errorf("stream %d is ended twice", f.id)
		}
		f.peerEnded = true
		m.emit(StreamEnded{Stream: f.id})
		if f.endSent {
			m.forget(f, true)
		}
	case TypeReset:
		code, text, err := parseReset(payload)
		if err != nil {
			return err
		}
		m.emit(StreamReset{Stream: f.id, Code: code, Text: text, ByPeer: true})
		m.forget(f, true)
	}
	return nil
}

func (m *Machine) receiveData(now time.Time, f *flow, size uint32) error {
	if f.peerEnded {
		return FaultDataAfterEnd.errorf("%d bytes for stream %d after its end", size, f.id)
	}
	if size > f.granted {
		return FaultDataCredit.errorf("%d bytes for stream %d: %d are granted", size, f.id, f.granted)
	}
	f.granted -= size
	if f.resetDue {
		return nil
	}
	if f.bulk {
		if f.rateFrom.IsZero() {
			f.rateFrom = now
		}
		f.rateBytes += uint64(size)
		f.heldUp = f.heldUp || f.granted == 0
	}
	m.emit(Deliver{Stream: f.id, Bytes: int(size)})
	return nil
}

// receiveLate takes what crossed with the end of a stream. Data was granted before, so the peer
// cannot send more of it than that.
func (m *Machine) receiveLate(h Header, payload []byte) error {
	switch h.Type {
	case TypeData:
		if uint64(h.Length) > m.late {
			return FaultLateData.errorf("%d bytes for ended stream %d: %d can be under way", h.Length, h.Stream, m.late)
		}
		m.late -= uint64(h.Length)
	case TypeReset:
		_, _, err := parseReset(payload)
		return err
	}
	return nil
}
