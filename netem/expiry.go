// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import "time"

// spokenNumber is the packet number of what a box sends by itself: no host counts that far.
const spokenNumber = 1 << 63

// Speech is a packet that a box sends by itself, and the way it takes from there.
type Speech struct {
	Packet    Packet
	Direction Direction
}

// Timed is a Box that has something to do without a packet, as one that tells both ends when it
// forgets them.
type Timed interface {
	Box
	// Next is when Expire wants to be called, and whether at all. It may be too early, never too
	// late. It is asked after each packet, World.Do and fault, and must be cheap.
	Next() (at time.Duration, ok bool)
	// Expire does what is due at now and returns what the box says. Afterwards Next must be later.
	Expire(now time.Duration) []Speech
}

// boxClock wakes a Timed box on an edge.
type boxClock struct {
	edge  *Edge
	place int // among the boxes of the edge
	box   Timed
	at    time.Duration
	look  *event // nil when none is scheduled
}

// clocksOf makes the clocks of an edge's boxes.
func clocksOf(e *Edge) (clocks []*boxClock) {
	for i, b := range e.boxes {
		if t, is := b.(Timed); is {
			clocks = append(clocks, &boxClock{edge: e, place: i, box: t})
		}
	}
	return clocks
}

// early reports whether the box wants to be woken before it will be.
func (k *boxClock) early() bool {
	at, ok := k.box.Next()
	return ok && (k.look == nil || at < k.at)
}

func (k *boxClock) setLocked() {
	if !k.early() {
		return
	}
	w := k.edge.w
	if k.look != nil {
		w.unscheduleLocked(k.look)
	}
	at, _ := k.box.Next()
	k.at = max(at, w.nowLocked()+1)
	k.look = w.scheduleLocked(k.at, -1, 0, k.ringLocked)
}

func (e *Edge) setClocksLocked() {
	for _, k := range e.clocks {
		k.setLocked()
	}
}

func (k *boxClock) ringLocked() {
	k.look = nil
	for _, s := range k.box.Expire(k.edge.w.nowLocked()) {
		k.edge.speakLocked(k.place, s)
	}
	k.setLocked()
}

// askClocksLocked is for tables that were changed outside of a packet.
func (w *World) askClocksLocked() {
	for _, k := range w.clocks {
		if k.early() {
			w.askLocked(operation{host: -1, key: "boxes", run: func() {
				for _, e := range w.edges {
					e.setClocksLocked()
				}
			}})
			return
		}
	}
}

// speakLocked puts a box's own packet on its way: through the boxes that lie before it, and on.
func (e *Edge) speakLocked(place int, s Speech) {
	w := e.w
	w.counts.Packets++
	p := s.Packet
	c := chance(w.o.Seed, p.key, uint64(p.side), p.number)
	now, at, passed := w.nowLocked(), e.outer, place+1
	if s.Direction == Inward {
		at, passed = e.inner, len(e.boxes)-place
	}
	now, v := e.ask(now, s.Direction, &p, passed)
	if v.Action == Pass && s.Direction == Outward {
		now, v = e.up.carry(now, &p, c)
	}
	f := fate{at: now, action: v.Action, why: e.name + " " + v.Why}
	if v.Action == Pass {
		f = w.walkLocked(nil, at, &p, now, c)
	}
	if f.host != nil {
		w.meetLocked(p, f.host, f.at, func() {
			w.o.Capture.boxed(f.host, &p, false, e.name)
			f.host.arriveLocked(&p)
		})
		return
	}
	w.counts.Dropped++
	w.trace.add(record{
		at: w.nowLocked(), kind: "drop", from: e.name, stream: p.stream, side: p.side, why: p.Kind.String() + " " + f.why,
	})
}
