// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"io"
	"slices"
	"sync"
	"time"
)

const (
	// defaultBufferBytes is what a connection holds for each direction on each side: 256 KiB.
	defaultBufferBytes = 256 << 10
	// idleLook is how long the loop sleeps when nothing is due.
	idleLook = time.Hour
)

// Options of a World. The zero value works in real time, without a trace.
type Options struct {
	// Seed decides all chance.
	Seed uint64
	// Wait returns when every other goroutine is blocked: synctest.Wait. Nil means real time.
	Wait func()
	// Idle is called by the loop when nothing is left to do at this instant, before time moves.
	Idle func()
	// Trace gets one JSON line for each event; nil for none. Writes come from the loop and from whoever
	// calls Say. Head is said in its first line. With MarksOnly that and the digest of every 1,000
	// events are all there is: enough to find between which two of them runs part.
	Trace     io.Writer
	Head      TraceHead
	MarksOnly bool
	// Capture collects the packets for Wireshark; nil for nobody.
	Capture *Capture
	// SendBuffer and ReceiveBuffer are bytes for each connection; 0 means 256 KiB.
	SendBuffer, ReceiveBuffer int
}

// World is one network. Make it with New, end it with Close.
type World struct {
	o     Options
	start time.Time
	kick  chan struct{}  // capacity 1: the loop has something to do before its time
	owned sync.WaitGroup // the loop, and what At started

	mu      sync.Mutex
	hosts   []*Host
	nets    []*Net
	edges   []*Edge
	zone    map[string]Answer
	wrong   map[string][]*wrongAnswer // what faults make of it
	clocks  []*boxClock
	blocked map[pair]int // partitions in force between two hosts, by direction
	queue   eventHeap
	quiet   eventHeap // events that no program notices
	wakeful bool      // there are none: in real time, and where a test compares
	running *event
	order   uint64 // breaks ties between events
	moves   uint64 // of events that were put off
	spare   []*parcel
	asked   []operation
	taken   []operation // room for what is asked next
	asleep  bool        // the loop waits for a kick, or until due
	due     time.Duration
	streams uint64
	woke    bool // the event that runs made somebody runnable
	closed  bool
	said    []saying // since the last round
	trace   tracer
	counts  Counts
}

// Counts tells what happened in a world so far.
type Counts struct {
	Events, Packets, Dropped, Retransmitted, Dials, Rounds uint64
}

// New makes a world and starts its loop. Inside a bubble it belongs to that bubble.
func New(o Options) *World {
	if o.SendBuffer <= 0 {
		o.SendBuffer = defaultBufferBytes
	}
	if o.ReceiveBuffer <= 0 {
		o.ReceiveBuffer = defaultBufferBytes
	}
	w := &World{
		o: o, start: time.Now().Add(0), kick: make(chan struct{}, 1),
		zone: map[string]Answer{}, wrong: map[string][]*wrongAnswer{}, blocked: map[pair]int{},
	}
	w.wakeful = o.Wait == nil
	w.trace = newTracer(o, w.start)
	if o.Capture != nil {
		o.Capture.world = w
	}
	w.owned.Go(w.loop)
	return w
}

// Now is the time since the world began.
func (w *World) Now() time.Duration { return time.Since(w.start) }

// Counts returns the counters.
func (w *World) Counts() Counts {
	w.lock()
	defer w.mu.Unlock()
	return w.counts
}

// Do runs f while nothing else in the world moves; f must not call the world or wait. It is the
// way to change a box table or a link.
func (w *World) Do(f func()) {
	w.lock()
	defer w.mu.Unlock()
	w.alertLocked()
	f()
	w.askClocksLocked()
}

// At runs f in a goroutine of its own at t since the beginning; at once if that is past. Close
// waits for it. Of two with the same t the label that sorts first runs first.
func (w *World) At(t time.Duration, label string, f func()) {
	w.lock()
	defer w.mu.Unlock()
	w.askLocked(operation{host: -1, key: label, run: func() {
		w.scheduleLocked(max(t, w.nowLocked()), -1, 0, func() {
			w.woke = true
			w.sayLocked(Entry{Kind: "at", What: label})
			w.owned.Go(f)
		})
	}})
}

// Note puts a line of the program into trace and digest.
func (w *World) Note(who, what string) { w.Say(Entry{Kind: "note", Who: who, What: what}) }

// Leaks lists what programs left open when a world was closed.
type Leaks struct {
	Listeners, Conns int
}

// Close breaks what is still open, stops the loop and waits for what At started. A second call
// does nothing.
func (w *World) Close() Leaks {
	w.lock()
	if w.closed {
		w.mu.Unlock()
		return Leaks{}
	}
	w.closed = true
	var leaks Leaks
	for _, h := range w.hosts {
		leaks.Listeners += len(h.listeners)
		for _, c := range h.connsLocked() {
			if !c.closed {
				leaks.Conns++
			}
		}
		h.dropAllLocked()
	}
	w.kickLocked()
	w.mu.Unlock()
	w.owned.Wait()
	return leaks
}

// loop is the only caller of Options.Wait.
func (w *World) loop() {
	timer := time.NewTimer(idleLook)
	defer timer.Stop()
	armed := w.Now() + idleLook // when the timer goes off
	for {
		if w.o.Wait != nil {
			w.o.Wait()
		}
		due, isOver := w.round()
		if isOver {
			return
		}
		if due == 0 {
			continue
		}
		if w.o.Idle != nil {
			w.o.Idle()
		}
		if due != armed {
			armed = due
			timer.Reset(armed - w.Now())
		}
		select {
		case <-w.kick:
		case <-timer.C:
			armed = 0
		}
	}
}

// round takes what was asked for and runs due events until one wakes somebody. It returns when the
// next event is due, or 0 after one that woke somebody.
func (w *World) round() (due time.Duration, isOver bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.awakeLocked()
	w.counts.Rounds++
	w.hearLocked()
	w.catchUpLocked(w.Now())
	w.takeLocked()
	for !w.closed {
		e := w.nextLocked()
		if e == nil || e.at > w.Now() {
			w.asleep, w.due = true, w.Now()+idleLook
			if loud := w.frontLocked(&w.queue); loud != nil {
				w.due = loud.at
			}
			return w.due, false
		}
		w.woke = false
		w.runLocked(e)
		w.takeLocked() // an event may ask for more: a reply, a window that opened
		if w.woke {
			return 0, false
		}
	}
	return 0, true
}

// awakeLocked takes back a kick that came while the loop was on its feet again.
func (w *World) awakeLocked() {
	w.asleep = false
	select {
	case <-w.kick:
	default:
	}
}

func (w *World) takeLocked() {
	for len(w.asked) > 0 {
		asked := w.asked
		w.asked = w.taken[:0]
		if len(asked) > 1 {
			slices.SortStableFunc(asked, func(a, b operation) int { return a.compare(&b) })
		}
		for i := range asked {
			asked[i].carryOut()
		}
		clear(asked)
		w.taken = asked
	}
}
