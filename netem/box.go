// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net/netip"
	"time"
)

// Kind is what a packet is.
type Kind uint8

// The kinds of packets.
const (
	syn Kind = iota + 1
	synAck
	data
	ack
	fin
	rst
	probe
)

// The kinds that tests of boxes need.
const (
	Opening       = syn
	Answering     = synAck
	Bytes         = data
	Acknowledging = ack
	Ending        = fin
	Resetting     = rst
)

func (k Kind) String() string {
	return [...]string{"none", "syn", "synack", "data", "ack", "fin", "rst", "probe"}[k]
}

// Opens reports whether the packet begins a connection.
func (k Kind) Opens() bool { return k == syn }

// Ends reports whether the packet ends a connection, or one direction of it.
func (k Kind) Ends() bool { return k == fin || k == rst }

// Packet is what travels: a flight of bytes, or a signal. Boxes may change From and To.
type Packet struct {
	From, To netip.AddrPort
	Kind     Kind
	Size     int // bytes of payload

	data   []byte
	seq    uint64        // offset of the first byte
	ack    uint64        // all bytes before it have arrived
	edge   uint64        // the receiver takes bytes before it
	stamp  time.Duration // when it was sent
	echo   time.Duration // the stamp that it answers
	stream uint64
	key    uint64
	sender *Conn // nil for a box
	side   int   // 0: the side that dialled sent it
	number uint64

	stays []stay // in wires that have a rate

	original netip.AddrPort // where it was meant to go before an Intercept
	sliced   bool           // its bytes are read one by one

	rewritten bool // on its way
	frame     int  // of the capture, from 1
}

// differs reports whether a box has rewritten what its host sent.
func (p *Packet) differs(sent *Packet) bool {
	return p.From != sent.From || p.To != sent.To || p.seq != sent.seq || p.ack != sent.ack || p.Size != sent.Size
}

// Direction is the way a packet takes through a box.
type Direction uint8

// The directions.
const (
	Outward Direction = iota // from the inner segment to the outer one
	Inward
)

// Action is what a box does with a packet.
type Action uint8

// The actions.
const (
	Pass        Action = iota
	Silence            // drop without a word
	Reset              // drop, and answer with RST
	Unreachable        // drop, and answer with ICMP "host unreachable"
)

// refusal is an action that does not let a packet pass: silence unless another was chosen.
func refusal(a Action) Action {
	if a == Pass {
		return Silence
	}
	return a
}

// Verdict is what a box decided. Why names the reason of anything but Pass, for the trace.
type Verdict struct {
	Action Action
	Why    string
	Delay  time.Duration

	hold *clog
}

// Box is a middlebox: a table that is told the time. It may change the packet's addresses. The
// world never calls it twice at once.
type Box interface {
	// Forward decides about a packet that arrives at now, since the world began. Times may go
	// back by as much as the latency of two paths differs.
	Forward(now time.Duration, d Direction, p *Packet) Verdict
	// Owns reports whether packets to the address are for the box.
	Owns(a netip.Addr) bool
}
