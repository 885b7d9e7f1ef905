// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"fmt"
	"time"

	"fairlead/internal/errkind"
)

// Role says who calls and who serves; it does not depend on who dialled.
type Role uint8

// The roles.
const (
	Caller  Role = 1
	Servant Role = 2
)

// String is "caller" or "servant".
func (r Role) String() string {
	switch r {
	case Caller:
		return "caller"
	case Servant:
		return "servant"
	}
	return fmt.Sprintf("role-%d", uint8(r))
}

// Times and limits of a session.
const (
	// PingAfter is the longest silence in the direction we send.
	PingAfter = 25 * time.Second
	// DeadAfter is the longest silence in the direction we receive.
	DeadAfter = 60 * time.Second
	// HelloLimit is the time from the start to the peer's whole hello.
	HelloLimit = 5 * time.Second
	// WriteLimit is the longest time that the transport may take for one write.
	WriteLimit = 30 * time.Second
	// HushLimit is how long a hushed session waits for those who hold its streams before it says goodbye: 5 s.
	HushLimit = 5 * time.Second
	// LingerLimit is the time that a goodbye gets to leave and to be answered by a close.
	LingerLimit = time.Second
	// MaxStreams at once, of which MaxBulkStreams bulk.
	MaxStreams     = 64
	MaxBulkStreams = 8
	// ControlWindowBytes and BulkWindowBytes may be under way on one stream and direction; settings
	// may allow more to the peer.
	ControlWindowBytes = 64 << 10
	BulkWindowBytes    = 1536 << 10
	// RateWindow and RateFloorBytes: a bulk stream that has begun and is not held up by its reader
	// carries so much in each window (1 KiB/s), or is reset.
	RateWindow     = 60 * time.Second
	RateFloorBytes = 60 << 10
	// MinRoomBytes is the least room that WriteReady may name.
	MinRoomBytes = HeaderBytes + MaxControlBytes
)

// Settings of one side. Zero values take the constants above.
type Settings struct {
	// Binding is the same on both sides of one connection and on no other.
	Binding              [BindingBytes]byte
	PingAfter, DeadAfter time.Duration
	// Phase, 0 to PingAfter/2, makes the first ping come so much earlier.
	Phase                time.Duration
	Streams, BulkStreams uint16
	// ControlWindow is how many bytes the peer may have under way on a control stream, 16 KiB to
	// 64 MiB. Who reads long output over long ways wants more than a request takes.
	ControlWindow uint32
}

func (s Settings) withDefaults() Settings {
	if s.PingAfter == 0 {
		s.PingAfter = PingAfter
	}
	if s.DeadAfter == 0 {
		s.DeadAfter = DeadAfter
	}
	if s.Streams == 0 {
		s.Streams = MaxStreams
	}
	if s.BulkStreams == 0 {
		s.BulkStreams = MaxBulkStreams
	}
	if s.ControlWindow == 0 {
		s.ControlWindow = ControlWindowBytes
	}
	s.ControlWindow = min(max(s.ControlWindow, minWindowBytes), maxWindowBytes)
	s.PingAfter = min(max(s.PingAfter, minPing), maxPing)
	s.DeadAfter = min(max(s.DeadAfter, minDead), maxDead)
	s.Streams = min(s.Streams, maxStreamCount)
	s.BulkStreams = min(s.BulkStreams, maxStreamCount)
	s.Phase = min(max(s.Phase, 0), s.PingAfter/2)
	return s
}

type state uint8

const (
	fresh   state = iota // before Start
	opening              // hello under way in both directions
	working
	parting // a goodbye waits for the transport
	parted  // the goodbye was handed over; the peer closes
	over
)

func (s state) String() string {
	return [...]string{"fresh", "opening", "working", "parting", "parted", "over"}[s]
}

// class is a priority.
type class uint8

const (
	control class = iota
	bulk
	classCount
)

func (c class) String() string { return [...]string{"control", "bulk"}[c] }

func classOf(isBulk bool) class {
	if isBulk {
		return bulk
	}
	return control
}

// Machine is one side of a session. Its states:
//
//	fresh    Start                                    opening
//	opening  the peer's hello                         working
//	opening, working
//	         fault, Leave; drained with no stream     parting (goodbye waits), Close
//	         Hush, and no Leave for HushLimit         the same
//	         the peer's goodbye, Lost, dead, stuck    over, Close, Cut
//	parting  WriteReady                               parted, Send goodbye, HalfClose
//	parting, parted
//	         Lost, LingerLimit, the peer's goodbye    over, Cut
type Machine struct {
	role     Role
	state    state
	settings Settings

	// What both sides agreed on.
	version    uint16
	ping, dead time.Duration
	streamsMax uint16
	bulkMax    uint16
	windows    [classCount]uint32 // the peer's: what we may send

	sendSequence, receiveSequence uint32
	highest                       uint32  // the last id that was opened
	flows                         []*flow // by id; nil while there is none
	bulkCount                     uint16
	cursor                        [classCount]uint32 // whose turn it was
	late                          uint64             // bytes that may still come for ended streams

	// Frames of the session that wait for the transport.
	helloDue, pingDue, pongDue, drainDue bool
	pongToken, pingToken                 uint64
	draining, peerDrains                 bool
	address                              string
	goodbye                              Goodbye
	leaving                              bool      // a goodbye was asked for before the start
	hushBy                               time.Time // when a hushed session leaves by itself; zero while it is not hushed

	waking    bool      // a Wake was said, or a write is under way
	writeFrom time.Time // since when a write is under way
	closeBy   time.Time // end of opening, parting and parted
	lastSent  time.Time
	lastHeard time.Time
	pingedAt  time.Time
	armed     time.Time
	silence   time.Duration // see CloseError
	survived  uint32
	roundTrip time.Duration

	out     []Output
	scratch [4]Output
}

// New makes the machine of one side.
func New(role Role, settings Settings) *Machine {
	m := new(Machine)
	m.init(role, settings)
	return m
}

func (m *Machine) init(role Role, settings Settings) {
	m.role, m.settings = role, settings.withDefaults()
}

// Step takes one input and returns what the shell must do, in order. The outputs are valid until
// the next Step. It never blocks, reads no clock and keeps no reference to in. An input that makes
// no sense in the current state changes nothing and is an error (Invalid, or as its type says);
// what the peer does wrong is never an error here but a Close.
func (m *Machine) Step(now time.Time, in Input) ([]Output, error) {
	clear(m.scratch[:])
	m.out = m.scratch[:0]
	if err := in.apply(m, now); err != nil {
		return nil, err
	}
	m.settle(now)
	return m.out, nil
}

func (m *Machine) emit(o Output) { m.out = append(m.out, o) }

// settle says what follows from any input.
func (m *Machine) settle(now time.Time) {
	if m.state == working && m.draining && !m.drainDue && len(m.flows) == 0 {
		m.part(now, Goodbye{Code: GoodbyeDrained}, ReasonGoodbye, nil)
	}
	if !m.waking && m.sendable() {
		m.waking = true
		m.emit(Wake{})
	}
	if next := m.deadline(); !next.IsZero() && (m.armed.IsZero() || next.Before(m.armed)) {
		m.armed = next
		m.emit(Arm{At: next})
	}
}

// part ends the session with a goodbye.
func (m *Machine) part(now time.Time, g Goodbye, reason Reason, cause error) {
	m.state, m.goodbye, m.closeBy = parting, g, now.Add(LingerLimit)
	m.flows, m.bulkCount = nil, 0
	m.close(&CloseError{Reason: reason, Goodbye: g, Err: cause})
}

// fault ends the session because of what the peer sent.
func (m *Machine) fault(now time.Time, err error) {
	code, text := GoodbyeFault, "error"
	if e, ok := err.(*ProtocolError); ok {
		text = string(e.Fault)
		if e.Fault == FaultVersion {
			code = GoodbyeVersion
		}
	}
	m.part(now, Goodbye{Code: code, Text: text}, ReasonFault, err)
}

// end ends the session without a word.
func (m *Machine) end(e *CloseError) {
	m.state = over
	m.flows, m.bulkCount = nil, 0
	m.close(e)
	m.emit(Cut{})
}

func (m *Machine) close(e *CloseError) {
	e.LastHeard, e.Silence, e.Survived, e.Streams = m.lastHeard, m.silence, m.survived, m.highest
	m.emit(Close{Err: e})
}

func (m *Machine) alive() bool { return m.state == opening || m.state == working }

func (Start) apply(m *Machine, now time.Time) error {
	if m.state != fresh {
		return errkind.Invalid.Errorf("line: start a session that is %v", m.state)
	}
	m.state, m.helloDue = opening, true
	m.closeBy, m.lastSent = now.Add(HelloLimit), now
	if m.leaving {
		m.part(now, m.goodbye, ReasonGoodbye, nil)
	}
	return nil
}

func (in Broken) apply(m *Machine, now time.Time) error {
	if m.alive() {
		m.fault(now, in.Err)
	}
	return nil
}

func (in Lost) apply(m *Machine, _ time.Time) error {
	switch m.state {
	case opening, working:
		m.end(&CloseError{Reason: ReasonLost, Err: in.Err})
	case parting, parted:
		m.state = over
		m.emit(Cut{})
	}
	return nil
}

func (in Drain) apply(m *Machine, _ time.Time) error {
	if !m.alive() {
		return errkind.Unavailable.Errorf("line: drain a session that is %v", m.state)
	}
	if len(in.Address) > MaxTextBytes {
		return errkind.Invalid.Errorf("line: drain: address has %d bytes: limit is %d", len(in.Address), MaxTextBytes)
	}
	if !m.draining {
		m.draining, m.drainDue, m.address = true, true, cleanText(in.Address)
	}
	return nil
}

func (in Hush) apply(m *Machine, now time.Time) error {
	if !m.alive() { // before the start there is no stream yet that anybody could hold
		return Leave(in).apply(m, now)
	}
	if m.hushBy.IsZero() {
		m.goodbye, m.hushBy = in.Goodbye, now.Add(HushLimit)
		m.goodbye.Text = cleanText(m.goodbye.Text)
	}
	return nil
}

func (in Leave) apply(m *Machine, now time.Time) error {
	if m.state != fresh && !m.alive() {
		return errkind.Unavailable.Errorf("line: leave a session that is %v", m.state)
	}
	g := in.Goodbye
	g.Text = cleanText(g.Text)
	if m.state == fresh {
		m.goodbye, m.leaving = g, true // said once the session starts: before it there is nobody to write
		return nil
	}
	m.part(now, g, ReasonGoodbye, nil)
	return nil
}
