// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"net"
	"sync"
	"time"
)

// The two sides of a visit.
const (
	fromClient = iota
	fromServer
)

// watch ends something that is quiet for too long.
type watch struct {
	mu     sync.Mutex
	idle   time.Duration // 0 is for ever
	tunnel time.Duration // takes its place once both sides have spoken
	spoken [2]bool
	timer  *time.Timer // nil while nothing limits
	end    func()
	over   bool
}

func newWatch(idle, tunnel time.Duration, end func()) *watch {
	w := &watch{idle: idle, tunnel: tunnel, end: end}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armLocked()
	return w
}

func (w *watch) armLocked() {
	limit := w.idle
	if w.tunnel > 0 && w.spoken[fromClient] && w.spoken[fromServer] {
		limit = w.tunnel
	}
	switch {
	case w.over || limit == 0:
	case w.timer == nil:
		w.timer = time.AfterFunc(limit, w.fire)
	default:
		w.timer.Reset(limit)
	}
}

func (w *watch) fire() {
	w.mu.Lock()
	late := w.over
	w.over = true
	w.mu.Unlock()
	if !late {
		w.end()
	}
}

// touch says that bytes came from a side.
func (w *watch) touch(side int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spoken[side] = true
	w.armLocked()
}

// stop ends the watch without ending what it watches.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// watched tells a watch of each byte that goes over a connection.
type watched struct {
	net.Conn
	w    *watch
	side int
}

func (c *watched) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.w.touch(c.side)
	}
	return n, err
}

func (c *watched) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if n > 0 {
		c.w.touch(1 - c.side)
	}
	return n, err
}
