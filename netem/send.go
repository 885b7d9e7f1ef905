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
	seq  uint64
	data []byte
	fin  bool
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
	absent    bool // a flight of unacked has come nowhere
	holed     bool // and was lost, as SACK would tell
	recovery
	tries     int
	since     time.Duration // when the first of the tries was
	roundTrip time.Duration
	variance  time.Duration
	resend    alarm
	writeGate gate
	turns     turns
	nextTurn  uint64
}

// recovery is what follows a timeout: what was under way is taken for lost and sent again, one flight first
// and one more for each that is acknowledged (slow start, RFC 5681 3.1). Otherwise no window but the other
// end's holds a sender back.
type recovery struct {
	away   int           // how many flights of unacked, the first ones, are under way
	window int           // how many may be
	until  uint64        // offset whose acknowledgement ends it
	began  time.Duration // when the first of them was sent again
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
	c.repeatLocked()
	for len(c.pending) > 0 && c.limit > c.sent && c.mayLaunchLocked() {
		n := min(len(c.pending), maxFlightBytes, int(c.limit-c.sent))
		f := flight{seq: c.sent, data: c.pending[:n:n]}
		c.pending = c.pending[n:]
		c.sent += uint64(n)
		c.launchLocked(f)
	}
	if len(c.pending) == 0 {
		c.pending = nil
	}
	if c.finAsked && !c.finSent && len(c.pending) == 0 && c.mayLaunchLocked() {
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

func (c *Conn) recovers() bool { return c.acked < c.until }

func (c *Conn) mayLaunchLocked() bool {
	return !c.recovers() || c.away == len(c.unacked) && c.away < c.window
}

func (c *Conn) launchLocked(f flight) {
	c.unacked = append(c.unacked, f)
	c.away++
	c.transmitLocked(&f)
}

// repeatLocked sends again what a timeout has taken for lost, as far as the window goes.
func (c *Conn) repeatLocked() {
	for c.away < len(c.unacked) && c.away < c.window {
		c.w.counts.Retransmitted++
		c.away++
		c.transmitLocked(&c.unacked[c.away-1])
	}
}

func (c *Conn) transmitLocked(f *flight) {
	p := Packet{Kind: data, data: f.data, Size: len(f.data), seq: f.seq}
	if f.fin {
		p.Kind = fin
	}
	became := c.emitLocked(p)
	c.absent = c.absent || became != arrives
	c.holed = c.holed || became == lost
}

// emitLocked sends one packet of the connection, with what was received so far on its back.
func (c *Conn) emitLocked(p Packet) outcome {
	c.numbered++
	p.From, p.To = c.local, c.remote
	p.stream, p.key, p.side, p.number, p.sender = c.id, c.key, c.side, c.numbered, c
	p.ack, p.edge = c.next, c.edgeLocked()
	p.stamp, p.echo = c.w.nowLocked(), c.recent
	if p.Kind == ack {
		p.seq = c.sent
	}
	c.announced, c.answered = p.edge, p.ack
	c.owed = 0
	c.ackDue.at = 0
	return c.host.emitLocked(p, &c.arrival)
}

// emitLocked sends unless the machine is off; one that is frozen sends nothing either.
func (h *Host) emitLocked(p Packet, last *time.Duration) outcome {
	if h.off || h.frozen > 0 {
		return lost
	}
	return h.sendLocked(p, last)
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
		c.tries, c.absent, c.holed = 0, false, false
	case c.resend.at == 0:
		if c.tries == 0 {
			c.since = c.w.nowLocked()
		}
		c.resend.quiet = c.tries == 0 && !c.absent && c.isCalm()
		c.resend.setLocked(c.w.nowLocked() + c.timeoutLocked())
	case c.resend.quiet && (c.absent || !c.isCalm()):
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
	switch {
	case c.state == established && len(c.unacked) > 0:
		c.recoverLocked()
		return
	case c.state == synSent:
		c.emitLocked(Packet{Kind: syn})
	case c.state == synReceived:
		c.emitLocked(Packet{Kind: synAck})
	default:
		c.emitLocked(Packet{Kind: probe, seq: c.sent}) // the window is shut
	}
	c.w.counts.Retransmitted++
	c.armResendLocked()
}

// recoverLocked takes what is under way for lost.
func (c *Conn) recoverLocked() {
	c.recovery = recovery{window: 1, until: c.sent, began: c.w.nowLocked()}
	c.pushLocked()
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
	opened := p.edge > c.limit
	c.limit = max(c.limit, p.edge)
	progress := c.settleLocked(p.ack)
	if progress {
		c.measureLocked(c.w.nowLocked() - p.echo)
	}
	if progress && p.echo < c.began && !c.holed { // the timeout was too early: RFC 3522
		c.away, c.until = len(c.unacked), c.acked
	}
	switch {
	case progress, opened && len(c.unacked) == 0:
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

// settleLocked forgets what has arrived.
func (c *Conn) settleLocked(ack uint64) (progress bool) {
	for len(c.unacked) > 0 && c.unacked[0].end() <= ack {
		f := &c.unacked[0]
		c.acked = f.end()
		c.finAcked = c.finAcked || f.fin
		c.unacked[0] = flight{}
		c.unacked = c.unacked[1:]
		c.away = max(0, c.away-1)
		c.window++
		progress = true
	}
	return progress
}

// measureLocked is RFC 6298's estimate. The other end returns the time at which a packet was sent
// (timestamps, RFC 7323), so that one that was sent again is a measure as well.
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
