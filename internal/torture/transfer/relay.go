// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// act is what a relay does to the bytes that go to the agent.
type act int

const (
	cut  act = iota // end the connection; what is under way is lost
	flip            // change one bit
	kill            // the agent dies
)

// cable carries bytes between one agent and the server, and asks what to do to those for the agent.
type cable struct {
	listener net.Listener
	target   string
	owned    sync.WaitGroup
	// next says after how many further bytes something happens to the cable, and what. dead is called
	// when the agent is to die.
	next func() (after int64, what act)
	dead func()

	mu     sync.Mutex
	closed bool
	calm   bool
	conns  map[net.Conn]struct{}
	left   int64
	what   act
	counts counts
}

// counts is what went through a cable and what happened to it.
type counts struct {
	toAgent  int64 // bytes
	acts     [kill + 1]int
	refused  int // connections that an end closed after a bit had changed
	accepted int // connections that went on for flipPatience
	damaged  int // beginnings on the disk that were damaged while the agent was dead
}

// flipPatience is how long an end may take to close a connection on which a bit was changed.
const flipPatience = 20 * time.Second

func newCable(target string, next func() (int64, act), dead func()) (*cable, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &cable{listener: listener, target: target, next: next, dead: dead, calm: true, conns: map[net.Conn]struct{}{}}
	c.left, c.what = next()
	c.owned.Go(c.accept)
	return c, nil
}

func (c *cable) address() string { return c.listener.Addr().String() }

func (c *cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.owned.Go(func() { c.carry(near) })
	}
}

// carry connects both ends until one of them, or the cable, closes.
func (c *cable) carry(near net.Conn) {
	defer near.Close()
	far, err := net.DialTimeout("tcp", c.target, flipPatience)
	if err != nil {
		return // nobody is there: the agent sees its connection end
	}
	defer far.Close()
	if !c.keep(near, far) {
		return
	}
	defer c.drop(near, far)
	var ways sync.WaitGroup
	ways.Go(func() {
		_, _ = io.Copy(far, near)
		hangUp(near, far)
	})
	flipped := c.toAgent(near, far)
	if flipped {
		c.await(near, far)
	}
	hangUp(near, far)
	ways.Wait()
}

// toAgent copies until the end, and reports whether a bit was changed.
func (c *cable) toAgent(near, far net.Conn) (flipped bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := far.Read(b)
		if err != nil {
			return false
		}
		due, what := c.count(int64(n))
		switch {
		case due && what == flip:
			b[n/2] ^= 1 << (n % 8)
		case due:
			hangUp(near, far)
			if what == kill {
				c.dead()
			}
			return false
		}
		if _, err := near.Write(b[:n]); err != nil {
			return false
		}
		if due {
			return true
		}
	}
}

// await lets the bytes go on behind a changed one, and sees who closes.
func (c *cable) await(near, far net.Conn) {
	_ = far.SetReadDeadline(time.Now().Add(flipPatience))
	_, err := io.Copy(near, far)
	late, is := err.(net.Error)
	c.mu.Lock()
	defer c.mu.Unlock()
	if is && late.Timeout() {
		c.counts.accepted++
	} else {
		c.counts.refused++
	}
}

// count adds n bytes and tells whether something is due.
func (c *cable) count(n int64) (due bool, what act) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.toAgent += n
	if c.left -= n; c.left > 0 || c.calm {
		return false, 0
	}
	what = c.what
	c.counts.acts[what]++
	c.left, c.what = c.next()
	return true, what
}

// storm begins or ends what happens to the cable.
func (c *cable) storm(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calm = !on
}

func (c *cable) counted() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

func (c *cable) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		c.conns[conn] = struct{}{}
	}
	return !c.closed
}

func (c *cable) drop(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		delete(c.conns, conn)
	}
}

// hangUp ends connections with a reset.
func hangUp(conns ...net.Conn) {
	for _, conn := range conns {
		if tcp, is := conn.(*net.TCPConn); is {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

func (c *cable) close() {
	c.mu.Lock()
	c.closed = true
	for conn := range c.conns {
		hangUp(conn)
	}
	c.mu.Unlock()
	_ = c.listener.Close()
	c.owned.Wait()
}
