// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"io"
	"net"
	"net/netip"
	"os"
	"time"
)

type connState uint8

const (
	synSent connState = iota + 1
	synReceived
	established
	gone // no packet of it is welcome any more
)

// Conn is one end of a TCP connection. It implements net.Conn and the methods of *net.TCPConn
// that programs use.
type Conn struct {
	w             *World
	host          *Host
	id, key       uint64
	side          int   // 0 for the end that dialled
	peer          *Conn // the other end, once it was heard
	local, remote netip.AddrPort
	original      netip.AddrPort // see OriginalDst
	state         connState
	dial          *dialling // while state is synSent
	listener      *Listener // while state is synReceived
	numbered      uint64    // packets sent
	asked         uint64    // operations of the program
	err           error     // what reads and writes say from now on
	closed        bool
	linger        int // seconds, below 0 for Linux's default
	arrival       time.Duration

	outbound
	inbound
	reading, writing deadline

	heard     time.Duration
	keep      net.KeepAliveConfig
	probes    int
	keepDue   alarm
	patience  time.Duration // TCP_USER_TIMEOUT
	lastRites alarm         // FIN_WAIT2
}

func (h *Host) newConnLocked(local, remote netip.AddrPort, id uint64, side int, key uint64) *Conn {
	w := h.w
	c := &Conn{
		w: w, host: h, id: id, key: key, side: side, local: local, remote: remote, linger: -1, keep: h.keepAlive,
		heard: w.nowLocked(),
	}
	c.readGate, c.writeGate = newGate(w), newGate(w)
	c.resend, c.ackDue = newAlarm(c, (*Conn).resendLocked), newAlarm(c, (*Conn).ackLocked)
	c.keepDue, c.lastRites = newAlarm(c, (*Conn).keepAliveLocked), newAlarm(c, (*Conn).overLocked)
	c.reading.due, c.writing.due = newAlarm(c, (*Conn).readLateLocked), newAlarm(c, (*Conn).writeLateLocked)
	h.conns[tuple{local, remote}] = c
	return c
}

// deadline is one of the two of a net.Conn.
type deadline struct {
	at  time.Time
	due alarm
}

func (d *deadline) passed() bool { return !d.at.IsZero() && time.Until(d.at) <= 0 }

// waitLocked waits at a gate until something happens there or the deadline passes.
func (c *Conn) waitLocked(d *deadline, g *gate) {
	if !d.at.IsZero() {
		c.armLocked(d)
	}
	g.wait()
}

// armLocked sees to it that the deadline opens the gate.
func (c *Conn) armLocked(d *deadline) {
	if d.due.at == d.at.Sub(c.w.start) {
		return
	}
	c.askLocked(func() {
		if !d.at.IsZero() && !c.closed {
			d.due.setLocked(max(c.w.nowLocked(), d.at.Sub(c.w.start)))
		}
	})
}

func (c *Conn) readLateLocked() {
	if c.reading.passed() {
		c.readGate.open(c.w)
	}
}

func (c *Conn) writeLateLocked() {
	if c.writing.passed() {
		c.writeGate.open(c.w)
	}
}

// askLocked hands an operation of the program to the loop.
func (c *Conn) askLocked(run func()) {
	c.asked++
	c.w.askLocked(operation{host: c.host.index, conn: c.id, side: c.side, seq: c.asked, run: run})
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// Read waits for bytes, the end of the stream (io.EOF), an error or the deadline.
func (c *Conn) Read(b []byte) (int, error) {
	c.w.lock()
	defer c.w.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.opError("read", net.ErrClosed)
		case c.reading.passed():
			return 0, c.opError("read", os.ErrDeadlineExceeded)
		case len(b) == 0:
			return 0, nil
		case len(c.received) > 0:
			return c.takeLocked(b), nil
		case c.peerEnded:
			return 0, io.EOF
		case c.err != nil:
			return 0, c.opError("read", c.err)
		}
		c.waitLocked(&c.reading, &c.readGate)
	}
}

// Write waits for room in the send buffer. Writes of several goroutines do not mix.
func (c *Conn) Write(b []byte) (n int, err error) {
	c.w.lock()
	defer c.w.mu.Unlock()
	turn := c.nextTurn
	c.nextTurn++
	defer c.writtenLocked(turn)
	for {
		switch {
		case c.closed:
			return n, c.opError("write", net.ErrClosed)
		case c.writing.passed():
			return n, c.opError("write", os.ErrDeadlineExceeded)
		case c.err != nil:
			return n, c.opError("write", c.err)
		case c.finAsked:
			return n, c.opError("write", errPipe)
		case len(b) == 0:
			return n, nil
		}
		if room := c.roomLocked(); room > 0 && c.turns.is(turn) {
			took := min(room, len(b))
			c.queueLocked(b[:took])
			n, b = n+took, b[took:]
			continue
		}
		c.stirLocked()
		c.waitLocked(&c.writing, &c.writeGate)
	}
}

// writtenLocked lets the next writer have its turn.
func (c *Conn) writtenLocked(turn uint64) {
	c.turns.done(turn)
	c.writeGate.open(c.w)
}

// LocalAddr returns the address of this end.
func (c *Conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr returns the address of the other end, as this one sees it.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadlines(t, true, true)
}

// SetReadDeadline sets the deadline of Read; zero for none.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(t, true, false)
}

// SetWriteDeadline sets the deadline of Write; zero for none.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(t, false, true)
}

func (c *Conn) setDeadlines(t time.Time, read, write bool) error {
	c.w.lock()
	defer c.w.mu.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	set := func(d *deadline, g *gate) {
		if d.at = t; t.IsZero() {
			d.due.at = 0
		}
		switch {
		case d.passed():
			g.open(c.w)
		case g.waiting > 0 && !t.IsZero():
			c.armLocked(d)
		}
	}
	if read {
		set(&c.reading, &c.readGate)
	}
	if write {
		set(&c.writing, &c.writeGate)
	}
	return nil
}

// SetNoDelay does nothing: all that is written within one instant travels together anyway.
func (c *Conn) SetNoDelay(bool) error { return nil }

// SetLinger with 0 makes Close reset the connection, below 0 close it as usual. Close never waits.
func (c *Conn) SetLinger(seconds int) error {
	c.w.lock()
	defer c.w.mu.Unlock()
	c.linger = seconds
	return nil
}

// SetUserTimeout is TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged; 0 for the
// system's 15 retries.
func (c *Conn) SetUserTimeout(d time.Duration) error {
	c.w.lock()
	defer c.w.mu.Unlock()
	c.patience = d
	return nil
}

// SetKeepAliveConfig changes the probes of an idle connection. Zero fields mean 15 s, 15 s and 9.
func (c *Conn) SetKeepAliveConfig(k net.KeepAliveConfig) error {
	c.w.lock()
	defer c.w.mu.Unlock()
	if k.Idle == 0 {
		k.Idle = 15 * time.Second
	}
	if k.Interval == 0 {
		k.Interval = 15 * time.Second
	}
	if k.Count == 0 {
		k.Count = 9
	}
	c.keep = k
	c.askLocked(c.armKeepAliveLocked)
	return nil
}
