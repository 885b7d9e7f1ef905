// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net"
	"syscall"
	"time"
)

// finWait is how long a closed connection waits for the other end's FIN: net.ipv4.tcp_fin_timeout.
const finWait = 60 * time.Second

// Close ends both directions. Bytes that were written still go out, unless SetLinger(0) was called
// or received bytes were not read: then the other end gets RST, as from Linux.
func (c *Conn) Close() error {
	c.w.lock()
	defer c.w.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.closed = true
	c.readGate.open(c.w)
	c.writeGate.open(c.w)
	if c.state == gone {
		return nil
	}
	rude := c.linger == 0 || len(c.received) > 0
	c.finAsked = true
	c.askLocked(func() {
		if rude {
			c.abortLocked()
			return
		}
		c.pushLocked()
		c.lingerLocked()
	})
	return nil
}

// CloseWrite ends the direction to the other end, which reads io.EOF after the last byte.
func (c *Conn) CloseWrite() error {
	c.w.lock()
	defer c.w.mu.Unlock()
	switch {
	case c.closed:
		return c.opError("shutdown", net.ErrClosed)
	case c.err != nil:
		return c.opError("shutdown", syscall.ENOTCONN)
	case c.finAsked:
		return nil
	}
	c.finAsked = true
	c.writeGate.open(c.w)
	c.askPushLocked()
	return nil
}

// lingerLocked looks whether a connection that the program closed is over.
func (c *Conn) lingerLocked() {
	if !c.closed || !c.finAcked || c.state == gone {
		return
	}
	if c.peerEnded {
		c.overLocked()
		return
	}
	c.lastRites.setLocked(c.w.nowLocked() + finWait)
}

// overLocked takes the connection out of the host's table.
func (c *Conn) overLocked() {
	if c.state == gone {
		return
	}
	if c.state == synReceived && c.listener != nil {
		c.listener.coming--
	}
	c.state = gone
	c.stirLocked()
	for _, a := range []*alarm{&c.resend, &c.keepDue, &c.lastRites, &c.ackDue, &c.reading.due, &c.writing.due} {
		a.dropLocked()
	}
	c.pending, c.unacked, c.early, c.peer = nil, nil, nil, nil
	delete(c.host.conns, tuple{c.local, c.remote})
}

// failLocked ends the connection with an error for whoever reads and writes, without a word to
// the other end. Reads and writes go on saying it.
func (c *Conn) failLocked(err error) {
	if c.state == gone {
		return
	}
	c.overLocked()
	c.err = err
	if d := c.dial; d != nil {
		c.dial = nil
		d.endLocked(c.w, err)
	}
	c.readGate.open(c.w)
	c.writeGate.open(c.w)
}

// abortLocked ends the connection with RST.
func (c *Conn) abortLocked() {
	if c.state == gone {
		return
	}
	c.emitLocked(Packet{Kind: rst, seq: c.sent})
	c.failLocked(syscall.ECONNRESET)
}
