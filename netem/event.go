// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
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
	push *Conn  // whose written bytes are to be sent, instead of run
}

func (o *operation) compare(b *operation) int {
	return cmp.Or(
		cmp.Compare(o.host, b.host), cmp.Compare(o.conn, b.conn), cmp.Compare(o.side, b.side),
		cmp.Compare(o.key, b.key), cmp.Compare(o.seq, b.seq),
	)
}

func (o *operation) carryOut() {
	if o.push != nil {
		o.push.pushAskedLocked()
		return
	}
	o.run()
}

// askLocked hands an operation to the loop. The queue holds at most a few for each connection.
func (w *World) askLocked(o operation) {
	w.asked = append(w.asked, o)
	w.kickLocked()
}

// kickLocked wakes the loop if it sleeps.
func (w *World) kickLocked() {
	if w.asleep {
		w.asleep = false
		w.kick <- struct{}{}
	}
}

// event is something that happens at a host, or in the world when host is -1: a packet arrives, an
// alarm looks at its time, or run.
type event struct {
	at     time.Duration
	host   int
	conn   uint64
	order  uint64
	place  int // in its queue, from 1; 0 outside of it
	quiet  bool
	parcel *parcel
	alarm  *alarm
	run    func()
}

func (e *event) before(b *event) bool {
	switch {
	case e.at != b.at:
		return e.at < b.at
	case e.host != b.host:
		return e.host < b.host
	case e.conn != b.conn:
		return e.conn < b.conn
	}
	return e.order < b.order
}

// parcel is a packet on its way to a host.
type parcel struct {
	event  event
	packet Packet
	to     *Host
	due    time.Duration  // when its path leads it there; it arrives after the one before it
	last   *time.Duration // when the latest of its direction arrives
	meets  func()         // happens there instead of its arrival
}

// maxSpareParcels bounds what is kept for reuse.
const maxSpareParcels = 1024

func (w *World) parcelLocked() *parcel {
	last := len(w.spare) - 1
	if last < 0 {
		return new(parcel)
	}
	p := w.spare[last]
	w.spare = w.spare[:last]
	return p
}

func (w *World) recycleLocked(p *parcel) {
	if len(w.spare) < maxSpareParcels {
		*p = parcel{}
		w.spare = append(w.spare, p)
	}
}

// meetLocked lets a packet that belongs to no direction of a connection end in something else than its arrival.
func (w *World) meetLocked(p Packet, at *Host, due time.Duration, meets func()) {
	t := w.parcelLocked()
	t.packet, t.meets = p, meets
	before := due - 1
	w.arriveLocked(t, at, due, &before)
}

// arriveLocked lets a packet arrive at a host at the time to which its path leads it, and after last, when
// the packet before it arrives.
func (w *World) arriveLocked(p *parcel, to *Host, due time.Duration, last *time.Duration) {
	*last = max(due, *last+1)
	p.to, p.due, p.last = to, due, last
	p.event = event{at: *last, host: to.index, conn: p.packet.stream, parcel: p}
	p.event.quiet = p.packet.Kind == ack && p.meets == nil && to.conns[tuple{p.packet.To, p.packet.From}].isCalm()
	w.queueLocked(&p.event)
}

// eventHeap is a heap, the earliest event first.
type eventHeap []*event

func (h *eventHeap) push(e *event) {
	*h = append(*h, e)
	h.up(len(*h) - 1)
}

func (h *eventHeap) remove(e *event) {
	i, last := e.place-1, len(*h)-1
	moved := (*h)[last]
	(*h)[last], *h = nil, (*h)[:last]
	e.place = 0
	if i == last {
		return
	}
	(*h)[i], moved.place = moved, i+1
	h.down(i)
	h.up(moved.place - 1)
}

func (h eventHeap) up(i int) {
	e := h[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		h[i].place = i + 1
		i = parent
	}
	h[i], e.place = e, i+1
}

func (h eventHeap) down(i int) {
	e := h[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if right := child + 1; right < len(h) && h[right].before(h[child]) {
			child = right
		}
		if !h[child].before(e) {
			break
		}
		h[i] = h[child]
		h[i].place = i + 1
		i = child
	}
	h[i], e.place = e, i+1
}

// scheduleLocked makes an event of run.
func (w *World) scheduleLocked(at time.Duration, host int, conn uint64, run func()) *event {
	e := &event{at: at, host: host, conn: conn, run: run}
	w.queueLocked(e)
	return e
}

func (w *World) queueLocked(e *event) {
	w.order++
	e.order = w.order
	w.pushLocked(e)
}

func (w *World) pushLocked(e *event) {
	if e.quiet {
		w.quiet.push(e)
		return
	}
	w.queue.push(e)
	if w.asleep && e.at < w.due {
		w.kickLocked()
	}
}

func (w *World) removeLocked(e *event) {
	if e.quiet {
		w.quiet.remove(e)
	} else {
		w.queue.remove(e)
	}
}

// unscheduleLocked takes an event back. One that has run is no error.
func (w *World) unscheduleLocked(e *event) {
	if e.place > 0 {
		w.removeLocked(e)
	}
}

// nextLocked returns the earliest event, or nil.
func (w *World) nextLocked() *event {
	for {
		moves := w.moves
		loud, quiet := w.frontLocked(&w.queue), w.frontLocked(&w.quiet)
		switch {
		case w.moves != moves: // one was moved, perhaps to the other queue
		case quiet == nil, loud != nil && loud.before(quiet):
			return loud
		default:
			return quiet
		}
	}
}

// frontLocked returns the earliest event of a queue, or nil. An alarm that was put off is moved first,
// and an event of a host that shares its instant with the one before goes to the next nanosecond.
func (w *World) frontLocked(queue *eventHeap) *event {
	for len(*queue) > 0 {
		e := (*queue)[0]
		switch {
		case e.alarm != nil && e.alarm.at == 0:
			queue.remove(e)
		case e.alarm != nil && e.alarm.at > e.at:
			w.postponeLocked(e, e.alarm.at)
		case e.host >= 0 && e.at <= w.hosts[e.host].latest:
			w.postponeLocked(e, w.hosts[e.host].latest+1)
		default:
			return e
		}
	}
	return nil
}

// postponeLocked moves an event. Its order stays, so that of two packets of one direction the first
// does not fall behind the second.
func (w *World) postponeLocked(e *event, at time.Duration) {
	w.removeLocked(e)
	if e.at = at; e.alarm != nil {
		e.quiet = e.alarm.quiet
	}
	w.moves++
	w.pushLocked(e)
}

// runLocked carries out the earliest event.
func (w *World) runLocked(e *event) {
	w.removeLocked(e)
	w.counts.Events++
	if e.host >= 0 {
		w.hosts[e.host].latest = e.at
	} else {
		w.alertLocked()
	}
	w.running = e
	w.carryOutLocked(e)
	w.running = nil
}

func (w *World) carryOutLocked(e *event) {
	switch {
	case e.parcel != nil && e.parcel.meets != nil:
		e.parcel.meets()
		w.recycleLocked(e.parcel)
	case e.parcel != nil:
		e.parcel.to.arriveLocked(&e.parcel.packet)
		w.recycleLocked(e.parcel)
	case e.alarm != nil:
		e.alarm.at = 0
		e.alarm.ring(e.alarm.conn)
	default:
		e.run()
	}
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
