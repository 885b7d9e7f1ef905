// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"syscall"
	"time"
)

// ackDelay is how long one flight waits for bytes that its acknowledgement could travel with:
// TCP_DELACK_MIN. A second flight, a gap or the end is acknowledged at once.
const ackDelay = 40 * time.Millisecond

// maxEarlyFlights bounds what is kept of bytes that arrived before earlier ones.
const maxEarlyFlights = 4096

// inbound is the receiving side of a connection.
type inbound struct {
	received  []byte // in order, not read yet
	next      uint64 // offset of the next byte
	early     map[uint64]Packet
	announced uint64        // the edge that the other end was told last
	answered  uint64        // what it was told last to have arrived
	recent    time.Duration // TS.Recent of RFC 7323: when the packet was sent that is to be answered next
	peerEnded bool
	sliced    bool  // what was received is read one by one
	owed      int   // flights that no packet has acknowledged yet
	ackDue    alarm // when that is made up for
	readGate  gate
}

// edgeLocked is how far the other end may send.
func (c *Conn) edgeLocked() uint64 {
	return c.next + uint64(max(0, c.w.o.ReceiveBuffer-len(c.received)))
}

// takeLocked gives bytes to the program, and tells the other end when a window that was shut has
// opened by half.
func (c *Conn) takeLocked(b []byte) int {
	if c.sliced {
		b = b[:1]
	}
	n := copy(b, c.received)
	if c.received = c.received[n:]; len(c.received) == 0 {
		c.received, c.sliced = nil, false
	}
	half := uint64(c.w.o.ReceiveBuffer / 2)
	if c.announced-min(c.announced, c.next) < half && c.edgeLocked()-c.next >= half && !c.peerEnded {
		c.announced = c.edgeLocked()
		c.askLocked(func() {
			if c.state == established {
				c.emitLocked(Packet{Kind: ack})
			}
		})
	}
	return n
}

// receiveLocked takes a packet that belongs to the connection.
func (c *Conn) receiveLocked(p *Packet) {
	if p.stream != c.id && p.Kind != syn && p.Kind != rst && c.state != synSent {
		c.strangeLocked(p)
		return
	}
	c.heard, c.probes = c.w.nowLocked(), 0
	if p.sender != nil {
		c.peer = p.sender
	}
	if c.keepDue.at > 0 {
		c.keepDue.setLocked(c.heard + c.keep.Idle)
	}
	switch {
	case p.Kind == rst:
		c.resetLocked()
		return
	case c.state == synSent && p.Kind == synAck:
		c.openedLocked(p)
		return
	case c.state == synSent:
		c.emitLocked(Packet{Kind: rst}) // the other end remembers an earlier connection: it is over
		return
	case p.Kind == syn && c.state == synReceived:
		c.emitLocked(Packet{Kind: synAck})
		return
	case p.Kind == syn:
		c.emitLocked(Packet{Kind: ack}) // RFC 5961's challenge: who has opened anew answers with RST
		return
	case c.state == synReceived:
		c.acceptedLocked()
		if c.state != established {
			return
		}
	case p.Kind == synAck: // our acknowledgement was lost
		c.emitLocked(Packet{Kind: ack})
		return
	}
	c.stampedLocked(p)
	c.acknowledgedLocked(p)
	if c.state == gone {
		return
	}
	switch p.Kind {
	case data, fin:
		c.arrivedLocked(p)
	case probe:
		c.emitLocked(Packet{Kind: ack})
	}
}

// stampedLocked keeps the time of the earliest packet that no answer has spoken of (RFC 7323 4.3).
func (c *Conn) stampedLocked(p *Packet) {
	if p.seq <= c.answered {
		c.recent = max(c.recent, p.stamp)
	}
}

// strangeLocked takes a packet of another connection that a box has given the addresses of this one. Its
// numbers lie outside of the window, for which RFC 9293 (3.10.7.4) wants an acknowledgement; one that is
// an acknowledgement itself gets none, as Linux limits these, so that two ends do not go on for ever.
func (c *Conn) strangeLocked(p *Packet) {
	c.host.dropLocked(p, "outside of the window")
	if p.Kind == data || p.Kind == fin || p.Kind == probe {
		c.emitLocked(Packet{Kind: ack})
	}
}

// openedLocked is the dialling end's change to established.
func (c *Conn) openedLocked(p *Packet) {
	c.measureHandshakeLocked()
	c.state, c.tries = established, 0
	c.resend.at = 0
	c.limit, c.recent = p.edge, p.stamp
	c.emitLocked(Packet{Kind: ack})
	c.armKeepAliveLocked()
	d := c.dial
	c.dial = nil
	d.endLocked(c.w, nil)
}

// acceptedLocked is the listening end's change to established.
func (c *Conn) acceptedLocked() {
	l := c.listener
	c.listener = nil
	l.coming--
	if l.closed {
		c.abortLocked()
		return
	}
	c.measureHandshakeLocked()
	c.state, c.tries = established, 0
	c.resend.at = 0
	c.armKeepAliveLocked()
	l.queue = append(l.queue, c)
	l.gate.open(c.w)
}

// resetLocked is what RST means, by state.
func (c *Conn) resetLocked() {
	if c.state == synSent {
		c.failLocked(syscall.ECONNREFUSED)
		return
	}
	c.failLocked(syscall.ECONNRESET)
}

// arrivedLocked takes bytes, keeps those that came too early, and acknowledges.
func (c *Conn) arrivedLocked(p *Packet) {
	if c.closed && p.Kind == data {
		c.w.trace.add(record{at: c.w.nowLocked(), kind: "unwanted", from: c.host.name, stream: c.id, side: c.side})
		c.abortLocked() // nobody will read it: Linux answers with RST
		return
	}
	before := c.next
	switch {
	case p.seq == c.next:
		c.acceptLocked(p)
	case p.seq > c.next:
		c.keepLocked(p)
	}
	c.owed++
	if c.owed > 1 || p.Kind == fin || len(c.early) > 0 || p.seq < before || c.peerEnded {
		c.emitLocked(Packet{Kind: ack})
	} else {
		c.ackDue.quiet = c.peer.isCalm()
		c.ackDue.setLocked(c.w.nowLocked() + ackDelay)
	}
	if c.peerEnded {
		c.lingerLocked()
	}
}

// acceptLocked takes the next bytes of the stream, and those after them that came too early.
func (c *Conn) acceptLocked(p *Packet) {
	c.appendLocked(p)
	for {
		early, have := c.early[c.next]
		if !have {
			return
		}
		delete(c.early, c.next)
		c.appendLocked(&early)
	}
}

func (c *Conn) appendLocked(p *Packet) {
	if p.Kind == fin {
		c.next++
		c.peerEnded = true
	}
	c.next += uint64(len(p.data))
	c.received = joined(c.received, p.data)
	c.sliced = c.sliced || p.sliced
	c.readGate.open(c.w)
}

// keepLocked keeps what came too early.
func (c *Conn) keepLocked(p *Packet) {
	if c.early == nil {
		c.early = map[uint64]Packet{}
	}
	if _, have := c.early[p.seq]; !have && len(c.early) < maxEarlyFlights {
		c.early[p.seq] = *p
	}
}

// joined is what waits to be read with what has arrived, which nobody changes any more.
func joined(waits, arrived []byte) []byte {
	if len(waits) == 0 {
		return arrived[:len(arrived):len(arrived)]
	}
	return append(waits, arrived...)
}

// ackLocked makes up for a packet that could have taken the acknowledgement along and did not come.
func (c *Conn) ackLocked() {
	if c.owed > 0 {
		c.emitLocked(Packet{Kind: ack})
	}
}

// armKeepAliveLocked sets the timer of the next probe.
func (c *Conn) armKeepAliveLocked() {
	if c.state != established || !c.keep.Enable {
		c.keepDue.at = 0
		return
	}
	c.keepDue.setLocked(c.heard + c.keep.Idle + time.Duration(c.probes)*c.keep.Interval)
}

func (c *Conn) keepAliveLocked() {
	idle := c.w.nowLocked() - c.heard
	switch {
	case c.state != established || c.host.off:
		return
	case idle >= c.keep.Idle+time.Duration(c.probes)*c.keep.Interval && len(c.unacked) == 0:
		if c.probes >= c.keep.Count {
			c.w.trace.add(record{at: c.w.nowLocked(), kind: "keepalive", from: c.host.name, stream: c.id, side: c.side})
			c.failLocked(syscall.ETIMEDOUT)
			return
		}
		c.probes++
		c.emitLocked(Packet{Kind: probe, seq: c.sent})
	case len(c.unacked) > 0: // retransmission decides
		c.keepDue.setLocked(c.w.nowLocked() + c.keep.Interval)
		return
	}
	c.armKeepAliveLocked()
}
