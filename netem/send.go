// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"syscall"
	"time"
)

// Linux's numbers. Sources: tcp(7), net/ipv4/tcp.h, RFC 6298.
const (
	maxSynRetries    = 6  // net.ipv4.tcp_syn_retries
	maxSynAckRetries = 5  // net.ipv4.tcp_synack_retries
	maxRetries       = 15 // net.ipv4.tcp_retries2
	maxOrphanRetries = 8  // net.ipv4.tcp_orphan_retries
	maxProbeBackoff  = 10 // of probes of a shut window that are answered
	firstTimeout     = time.Second
	minVariance      = 200 * time.Millisecond // TCP_RTO_MIN
	maxTimeout       = 120 * time.Second      // TCP_RTO_MAX
	// maxFlightBytes is the most that travels as one packet, as with segmentation offload.
	maxFlightBytes = 64 << 10
)

const errPipe = syscall.EPIPE

// flight is bytes on their way, or the end of the stream.
type flight struct {
	seq    uint64
	data   []byte
	fin    bool
	sentAt time.Duration
	again  bool // was sent more than once: no measure of the round trip
}

func (f *flight) end() uint64 {
	if f.fin {
		return f.seq + 1
	}
	return f.seq + uint64(len(f.data))
}

// outbound is the sending side of a connection.
type outbound struct {
	pending   []byte // written, not sent yet
	unacked   []flight
	sent      uint64 // offset of the first byte not sent yet
	acked     uint64 // all before it have arrived
	limit     uint64 // the other end takes bytes before it
	pushAsked bool   // the loop will look at pending
	finAsked  bool
	finSent   bool
	finAcked  bool
	lost      bool // a flight of unacked came nowhere
	tries     int
	since     time.Duration // when the first of the tries was
	roundTrip time.Duration
	variance  time.Duration
	resend    alarm
	writeGate gate
	turns     turns
	nextTurn  uint64
}

// turns lets writers go one after the other.
type turns struct {
	first uint64
	ended map[uint64]bool
}

func (t *turns) is(turn uint64) bool { return turn == t.first }

func (t *turns) done(turn uint64) {
	if turn == t.first && len(t.ended) == 0 {
		t.first++
		return
	}
	if t.ended == nil {
		t.ended = map[uint64]bool{}
	}
	for t.ended[turn] = true; t.ended[t.first]; t.first++ {
		delete(t.ended, t.first)
	}
}

func (c *Conn) roomLocked() int {
	return c.w.o.SendBuffer - len(c.pending) - int(c.sent-c.acked)
}

// queueLocked takes bytes of the program; the loop sends all of one instant together.
func (c *Conn) queueLocked(b []byte) {
	c.pending = append(c.pending, b...)
	c.askPushLocked()
}

func (c *Conn) askPushLocked() {
	if c.pushAsked {
		return
	}
	c.pushAsked = true
	c.asked++
	c.w.askLocked(operation{host: c.host.index, conn: c.id, side: c.side, seq: c.asked, push: c})
}

func (c *Conn) pushAskedLocked() {
	c.pushAsked = false
	c.pushLocked()
}

// pushLocked sends what the other end has room for.
func (c *Conn) pushLocked() {
	if c.state != established {
		return
	}
	for len(c.pending) > 0 && c.limit > c.sent {
		n := min(len(c.pending), maxFlightBytes, int(c.limit-c.sent))
		f := flight{seq: c.sent, data: c.pending[:n:n]}
		c.pending = c.pending[n:]
		c.sent += uint64(n)
		c.launchLocked(f)
	}
	if len(c.pending) == 0 {
		c.pending = nil
	}
	if c.finAsked && !c.finSent && len(c.pending) == 0 {
		c.finSent = true
		f := flight{seq: c.sent, fin: true}
		c.sent++
		c.launchLocked(f)
	}
	if !c.isCalm() {
		c.stirLocked()
	}
	c.armResendLocked()
}

func (c *Conn) launchLocked(f flight) {
	f.sentAt = c.w.nowLocked()
	c.unacked = append(c.unacked, f)
	if !c.transmitLocked(&f) {
		c.lost = true
	}
}

func (c *Conn) transmitLocked(f *flight) (arrives bool) {
	p := Packet{Kind: data, data: f.data, Size: len(f.data), seq: f.seq}
	if f.fin {
		p.Kind = fin
	}
	return c.emitLocked(p)
}

// emitLocked sends one packet of the connection, with what was received so far on its back. It
// reports whether it will arrive.
func (c *Conn) emitLocked(p Packet) (arrives bool) {
	c.numbered++
	p.From, p.To = c.local, c.remote
	p.stream, p.key, p.side, p.number, p.sender = c.id, c.key, c.side, c.numbered, c
	p.ack, p.edge = c.next, c.edgeLocked()
	if p.Kind == ack {
		p.seq = c.sent
	}
	c.announced = p.edge
	c.owed = 0
	c.ackDue.at = 0
	return c.host.emitLocked(p, &c.arrival)
}

// emitLocked sends unless the machine is off; one that is frozen sends nothing either.
func (h *Host) emitLocked(p Packet, last *time.Duration) (arrives bool) {
	return !h.off && h.frozen == 0 && h.sendLocked(p, last)
}

func (c *Conn) timeoutLocked() time.Duration {
	t := firstTimeout
	if c.roundTrip > 0 {
		t = c.roundTrip + max(minVariance, 4*c.variance)
	}
	return min(t<<min(c.tries, 20), maxTimeout)
}

// armResendLocked sets the timer for what is not acknowledged, or for a window that stays shut.
func (c *Conn) armResendLocked() {
	switch {
	case c.state == gone, len(c.unacked) == 0 && len(c.pending) == 0 && c.state == established:
		c.resend.at = 0
		c.tries, c.lost = 0, false
	case c.resend.at == 0:
		if c.tries == 0 {
			c.since = c.w.nowLocked()
		}
		c.resend.quiet = c.tries == 0 && !c.lost && c.isCalm()
		c.resend.setLocked(c.w.nowLocked() + c.timeoutLocked())
	case c.resend.quiet && (c.lost || !c.isCalm()):
		c.resend.quiet = false
		c.resend.setLocked(c.resend.at)
	}
}

// resendLocked is what happens when no answer came in time.
func (c *Conn) resendLocked() {
	if c.state == gone || c.host.off {
		return
	}
	c.tries++
	if c.givesUpLocked() {
		c.w.trace.add(record{at: c.w.nowLocked(), kind: "giveup", from: c.host.name, stream: c.id, side: c.side})
		c.failLocked(syscall.ETIMEDOUT)
		return
	}
	c.w.counts.Retransmitted++
	switch {
	case c.state == synSent:
		c.sendSynLocked()
		return
	case c.state == synReceived:
		c.answerSynLocked()
		return
	case len(c.unacked) == 0:
		c.emitLocked(Packet{Kind: probe, seq: c.sent}) // the window is shut
	}
	for i := range c.unacked {
		c.unacked[i].again = true
		c.transmitLocked(&c.unacked[i])
	}
	c.armResendLocked()
}

func (c *Conn) givesUpLocked() bool {
	switch {
	case c.state == synSent:
		return c.tries > maxSynRetries
	case c.state == synReceived:
		return c.tries > maxSynAckRetries
	case c.patience > 0 && c.w.nowLocked()-c.since >= c.patience:
		return true
	case c.closed:
		return c.tries > maxOrphanRetries
	}
	return c.tries > maxRetries
}

func (c *Conn) sendSynLocked() {
	c.emitLocked(Packet{Kind: syn})
	c.armResendLocked()
}

func (c *Conn) answerSynLocked() {
	c.emitLocked(Packet{Kind: synAck})
	c.armResendLocked()
}

// acknowledgedLocked takes what a packet says about our own bytes.
func (c *Conn) acknowledgedLocked(p *Packet) {
	now := c.w.nowLocked()
	opened := p.edge > c.limit
	c.limit = max(c.limit, p.edge)
	progress := false
	for len(c.unacked) > 0 && c.unacked[0].end() <= p.ack {
		f := &c.unacked[0]
		if !f.again {
			c.measureLocked(now - f.sentAt)
		}
		c.acked = f.end()
		c.finAcked = c.finAcked || f.fin
		c.unacked[0] = flight{}
		c.unacked = c.unacked[1:]
		progress = true
	}
	switch {
	case progress, opened:
		c.tries = 0
		c.resend.at = 0
	case len(c.unacked) == 0: // the window stays shut, and the other end lives
		c.tries = min(c.tries, maxProbeBackoff)
	}
	if progress && c.roomLocked() > 0 {
		c.writeGate.open(c.w)
	}
	c.pushLocked()
	if c.finAcked {
		c.lingerLocked()
	}
}

// measureLocked is RFC 6298's estimate.
func (c *Conn) measureLocked(sample time.Duration) {
	if c.roundTrip == 0 {
		c.roundTrip, c.variance = sample, sample/2
		return
	}
	c.variance += ((c.roundTrip - sample).Abs() - c.variance) / 4
	c.roundTrip += (sample - c.roundTrip) / 8
}

func (c *Conn) measureHandshakeLocked() {
	if c.tries == 0 {
		c.measureLocked(c.w.nowLocked() - c.since)
	}
}
