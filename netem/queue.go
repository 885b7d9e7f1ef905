// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
	"slices"
	"time"
)

const defaultQueueBytes = 1 << 20

// stay is a packet's time in a wire that has a rate.
type stay struct {
	wire   *wire
	rate   int64         // bits per second; 0 once it is unlimited
	enters time.Duration // the queue
	begins time.Duration // to go out, after the packets before it
	leaves time.Duration
}

// queue says when a packet has left a wire with a rate; 0 when the queue is full.
func (l *wire) queue(spec *LinkSpec, now time.Duration, p *Packet) time.Duration {
	limit := cmp.Or(spec.Queue, defaultQueueBytes)
	begin := max(now, l.busy)
	if waiting := float64(begin-now) / float64(time.Second) * float64(spec.Rate) / 8; waiting > float64(limit) {
		return 0
	}
	l.busy = begin + serving(p.Size, spec.Rate)
	p.stays = append(p.stays, stay{wire: l, rate: spec.Rate, enters: now, begins: begin, leaves: l.busy})
	return l.busy
}

// serving is how long a packet of size payload bytes takes to go out.
func serving(size int, rate int64) time.Duration {
	return time.Duration(float64(size+headerBytes) * 8 / float64(rate) * float64(time.Second))
}

// rate is what faults have left of the wire's bits per second; 0 is unlimited.
func (l *wire) rate() int64 {
	least := l.spec.Rate
	for _, h := range l.harm {
		if h.Rate > 0 && (least == 0 || h.Rate < least) {
			least = h.Rate
		}
	}
	return least
}

// drain lets what waits in wires go out by the rates that they have now. It takes the packets as they
// were sent, so that each wire keeps their order. One that is lost behind the wire no longer takes room.
type drain struct {
	now   time.Duration
	busy  map[*wire]time.Duration // as far as the drain has come
	moved map[*wire]bool          // some packet leaves it at another time than it would have
}

// drainLocked is for wires that a fault has left.
func (w *World) drainLocked(healed []*wire) {
	d := drain{now: w.nowLocked(), busy: map[*wire]time.Duration{}, moved: map[*wire]bool{}}
	for _, l := range healed {
		d.moved[l] = true
	}
	travelling := w.travellingLocked()
	moved := map[*time.Duration]bool{} // directions of connections
	for _, t := range travelling {
		if saved := d.pass(&t.packet); saved != 0 {
			t.due -= saved
			moved[t.last] = true
		}
	}
	for l := range d.moved {
		l.busy = max(d.busy[l], d.now)
	}
	for last := range moved {
		*last = d.now
	}
	for _, t := range travelling {
		if moved[t.last] {
			*t.last = max(t.due, *t.last+1)
			w.postponeLocked(&t.event, *t.last)
		}
	}
}

// travellingLocked lists the packets under way in the order in which they were sent.
func (w *World) travellingLocked() (list []*parcel) {
	for _, queue := range []eventHeap{w.queue, w.quiet} {
		for _, e := range queue {
			if e.parcel != nil {
				list = append(list, e.parcel)
			}
		}
	}
	slices.SortFunc(list, func(a, b *parcel) int { return cmp.Compare(a.event.order, b.event.order) })
	return list
}

// pass leads a packet once more through the wires that it has not left, and says how much earlier it
// has left the last one.
func (d *drain) pass(p *Packet) (saved time.Duration) {
	for i := range p.stays {
		s := &p.stays[i]
		if s.leaves <= d.now {
			continue
		}
		s.enters -= saved
		if d.moved[s.wire] || saved != 0 {
			d.moved[s.wire] = true
			before := s.leaves
			s.serve(d.now, d.busy[s.wire], p.Size)
			saved = before - s.leaves
		}
		d.busy[s.wire] = s.leaves
	}
	return saved
}

// serve finds out anew when a packet leaves a wire that is busy until then. A fault that went makes it
// no slower than it was.
func (s *stay) serve(now, busy time.Duration, size int) {
	left := 1.0
	if s.begins < now { // some of it is out
		left = float64(s.leaves-now) / float64(s.leaves-s.begins)
	}
	s.begins = max(s.enters, now, busy)
	s.leaves = s.begins
	if rate := s.wire.rate(); rate == 0 || s.rate == 0 {
		s.rate = 0
	} else {
		s.rate = max(s.rate, rate)
		s.leaves += time.Duration(left * float64(serving(size, s.rate)))
	}
}
