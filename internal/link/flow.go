// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"slices"
	"time"

	"fairlead/internal/errkind"
)

// flow is the machine's state of one stream. A stream is forgotten when both directions have
// ended or one reset was sent or received; nothing but the highest id remains.
type flow struct {
	id   uint32
	bulk bool

	openDue   bool
	endDue    bool // the application has ended its direction
	endSent   bool
	peerEnded bool
	resetDue  bool
	resetCode ResetCode
	resetText string

	pending int    // bytes offered and not yet sent
	credit  uint32 // bytes that we may still send
	window  uint32 // bytes that the peer may have under way
	granted uint32 // bytes that the peer may still send
	taken   uint32 // bytes consumed here and not yet granted again

	// The rate floor of a bulk stream, see RateWindow.
	rateFrom  time.Time // zero before the first byte
	rateBytes uint64
	heldUp    bool // the peer had no credit at some time of the window
}

// ownWindow is what the peer may have under way on a stream of the class.
func (m *Machine) ownWindow(c class) uint32 {
	if c == bulk {
		return BulkWindowBytes
	}
	return m.settings.ControlWindow
}

func (f *flow) class() class { return classOf(f.bulk) }

// creditDue reports whether half of the window was consumed.
func (f *flow) creditDue() bool {
	return !f.peerEnded && !f.resetDue && f.taken >= f.window/2
}

// endReady reports whether the end of our direction may be sent.
func (f *flow) endReady() bool { return f.endDue && !f.endSent && f.pending == 0 }

// urgent reports whether a frame waits that goes before all data.
func (f *flow) urgent() bool {
	return f.openDue || f.creditDue() || f.resetDue && (f.endSent || !f.endDue)
}

// sendable reports whether data or the end may be sent.
func (f *flow) sendable() bool {
	return !f.openDue && (f.endReady() || f.pending > 0 && f.credit > 0)
}

func (m *Machine) find(id uint32) (int, *flow) {
	i, ok := slices.BinarySearchFunc(m.flows, id, func(f *flow, id uint32) int {
		switch {
		case f.id < id:
			return -1
		case f.id > id:
			return 1
		}
		return 0
	})
	if !ok {
		return i, nil
	}
	return i, m.flows[i]
}

func (m *Machine) addFlow(id uint32, isBulk bool) *flow {
	window := m.ownWindow(classOf(isBulk))
	f := &flow{id: id, bulk: isBulk, credit: m.windows[classOf(isBulk)], window: window, granted: window}
	m.flows = append(m.flows, f)
	if isBulk {
		m.bulkCount++
	}
	m.highest = id
	return f
}

// forget drops a stream. What the peer may still have under way for it stays allowed.
func (m *Machine) forget(f *flow, peerSilent bool) {
	i, _ := m.find(f.id)
	m.flows = slices.Delete(m.flows, i, i+1)
	if len(m.flows) == 0 {
		m.flows = nil
	}
	if f.bulk {
		m.bulkCount--
	}
	if !peerSilent {
		m.late += uint64(f.granted)
	}
	m.emit(Forgotten{Stream: f.id})
}

func (in Open) apply(m *Machine, _ time.Time) error {
	switch {
	case m.role != Caller:
		return errkind.Invalid.Errorf("line: open a stream: the servant does not open streams")
	case m.state != working:
		return errkind.Unavailable.Errorf("line: open a stream: the session is %v", m.state)
	case m.draining || m.peerDrains:
		return errkind.Unavailable.Errorf("line: open a stream: the session is draining")
	case len(m.flows) >= int(m.streamsMax):
		return errkind.Exhausted.Errorf("line: open a stream: %d of %d streams are open", len(m.flows), m.streamsMax)
	case in.Bulk && m.bulkCount >= m.bulkMax:
		return errkind.Exhausted.Errorf("line: open a bulk stream: %d of %d are open", m.bulkCount, m.bulkMax)
	case m.highest == 1<<32-1:
		return errkind.Exhausted.Errorf("line: open a stream: all ids of this session are used")
	}
	f := m.addFlow(m.highest+1, in.Bulk)
	f.openDue = true
	m.emit(StreamOpened{Stream: f.id, Bulk: f.bulk})
	return nil
}

// maxOfferBytes bounds what one stream may offer and have unsent.
const maxOfferBytes = 1 << 30

func (in Wrote) apply(m *Machine, _ time.Time) error {
	_, f := m.find(in.Stream)
	if f == nil || f.endDue || f.resetDue {
		return errkind.Invalid.Errorf("line: write to stream %d: it has ended", in.Stream)
	}
	if in.Bytes < 0 || in.Bytes > maxOfferBytes-f.pending {
		return errkind.Invalid.Errorf("line: write %d bytes to stream %d: limit is %d", in.Bytes, in.Stream, maxOfferBytes)
	}
	f.pending += in.Bytes
	return nil
}

func (in Ended) apply(m *Machine, _ time.Time) error {
	_, f := m.find(in.Stream)
	if f == nil || f.resetDue {
		return errkind.Invalid.Errorf("line: end stream %d: it has ended", in.Stream)
	}
	f.endDue = true
	return nil
}

func (in Abort) apply(m *Machine, _ time.Time) error {
	_, f := m.find(in.Stream)
	if f == nil {
		return errkind.Invalid.Errorf("line: reset stream %d: it has ended", in.Stream)
	}
	m.abort(f, ResetByApplication, in.Text, in.Keep)
	return nil
}

// abort resets a stream from this side. With keep an end that was asked for goes first, and the
// bytes before it, so that an answer which is complete is not taken for cut off.
func (m *Machine) abort(f *flow, code ResetCode, text string, keep bool) {
	if f.resetDue {
		return
	}
	whole := f.endSent || f.endReady() || keep && f.endDue
	if !whole {
		f.endDue, f.pending = false, 0
	}
	if whole && f.peerEnded {
		return
	}
	f.resetDue, f.resetCode, f.resetText = true, code, cleanText(text)
}

func (in ReadSome) apply(m *Machine, _ time.Time) error {
	_, f := m.find(in.Stream)
	if f == nil {
		return errkind.Invalid.Errorf("line: read from stream %d: it has ended", in.Stream)
	}
	unread := f.window - f.granted - f.taken
	if in.Bytes < 0 || in.Bytes > int(unread) {
		return errkind.Invalid.Errorf("line: read %d bytes from stream %d: %d were delivered", in.Bytes, in.Stream, unread)
	}
	f.taken += uint32(in.Bytes)
	return nil
}
