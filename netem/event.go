// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"container/heap"
	"sync"
	"time"
)

// operation is something a program asked of the network within one instant.
type operation struct {
	host int
	conn uint64 // 0 for what is not about a connection yet
	side int
	key  string // target of a dial, name of a look-up, label of an At
	seq  uint64 // per connection, or per host
	run  func() // with the world's mutex held
}

func (o *operation) before(b *operation) bool {
	switch {
	case o.host != b.host:
		return o.host < b.host
	case o.conn != b.conn:
		return o.conn < b.conn
	case o.side != b.side:
		return o.side < b.side
	case o.key != b.key:
		return o.key < b.key
	}
	return o.seq < b.seq
}

// askLocked hands an operation to the loop. The queue holds at most a few for each connection.
func (w *World) askLocked(o *operation) {
	w.asked = append(w.asked, o)
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// event is something that happens at a host, or in the world when host is -1.
type event struct {
	at    time.Duration
	host  int
	conn  uint64
	order uint64
	index int // in the heap, below 0 outside of it
	run   func()
}

type eventHeap []*event

func (h eventHeap) Len() int { return len(h) }

func (h eventHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.host != b.host:
		return a.host < b.host
	case a.conn != b.conn:
		return a.conn < b.conn
	}
	return a.order < b.order
}

func (h eventHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *eventHeap) Push(x any) {
	e := x.(*event)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *eventHeap) Pop() any {
	old := *h
	last := len(old) - 1
	e := old[last]
	old[last], *h = nil, old[:last]
	e.index = -1
	return e
}

// scheduleLocked puts an event into the first nanosecond from at on that its host has free.
func (w *World) scheduleLocked(at time.Duration, host int, conn uint64, run func()) *event {
	if host >= 0 {
		taken := w.hosts[host].taken
		for taken[at] {
			at++
		}
		taken[at] = true
	}
	w.order++
	e := &event{at: at, host: host, conn: conn, order: w.order, run: run}
	heap.Push(&w.queue, e)
	return e
}

// unscheduleLocked takes an event back. One that has run is no error.
func (w *World) unscheduleLocked(e *event) {
	if e.index >= 0 {
		heap.Remove(&w.queue, e.index)
		w.freeLocked(e)
	}
}

func (w *World) freeLocked(e *event) {
	if e.host >= 0 {
		delete(w.hosts[e.host].taken, e.at)
	}
}

func (w *World) runLocked() {
	e := heap.Pop(&w.queue).(*event)
	w.freeLocked(e)
	w.counts.Events++
	e.run()
}

// gate is where goroutines of programs wait. It remembers whether anybody does, so that an event
// that wakes nobody costs no round.
type gate struct {
	cond    *sync.Cond
	waiting int
}

func newGate(w *World) gate { return gate{cond: sync.NewCond(&w.mu)} }

func (g *gate) wait() {
	g.waiting++
	g.cond.Wait()
	g.waiting--
}

func (g *gate) open(w *World) {
	if g.waiting > 0 {
		w.woke = true
		g.cond.Broadcast()
	}
}
