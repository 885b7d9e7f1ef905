// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"strings"
	"syscall"
	"time"
)

// Fault is something that can go wrong, and be healed. The types of this package are all there are;
// Custom makes one of anything else.
type Fault interface {
	// Kind names what goes wrong, the same for all values of a type: "link.cut".
	Kind() string
	// where names what it happens to.
	where(w *World) string
	// applyLocked breaks it and returns what heals it.
	applyLocked(w *World) (heal func())
}

// Inject breaks something now. The function that it returns heals it; a second call of that does
// nothing.
func (w *World) Inject(f Fault) (heal func()) {
	w.lock()
	defer w.mu.Unlock()
	kind, where := f.Kind(), f.where(w)
	w.sayLocked(Entry{Kind: "fault.on", Who: where, What: kind})
	w.alertLocked()
	undo := f.applyLocked(w)
	w.askClocksLocked()
	healed := false
	return func() {
		w.lock()
		defer w.mu.Unlock()
		if !healed {
			healed = true
			w.sayLocked(Entry{Kind: "fault.off", Who: where, What: kind})
			w.alertLocked()
			undo()
			w.askClocksLocked()
		}
	}
}

// Custom is a fault of the caller's own: Break is run as by World.Do and returns what heals it, run
// as by World.Do too.
type Custom struct {
	Name, Where string
	Break       func() (heal func())
}

// Kind implements Fault.
func (f Custom) Kind() string { return f.Name }

func (f Custom) where(*World) string { return f.Where }

func (f Custom) applyLocked(*World) func() { return f.Break() }

// laterLocked runs f as an event of the world, d from now.
func (w *World) laterLocked(d time.Duration, label string, f func()) {
	at := w.nowLocked() + d
	w.askLocked(operation{host: -1, key: label, run: func() { w.scheduleLocked(max(at, w.nowLocked()), -1, 0, f) }})
}

// Partition drops all packets between two groups of machines, wherever their paths lead.
type Partition struct {
	Name string
	A, B []*Host
	// OneWay drops only what A sends to B.
	OneWay bool
}

// Kind implements Fault.
func (f Partition) Kind() string { return "partition" }

func (f Partition) where(*World) string { return f.Name }

func (f Partition) applyLocked(w *World) func() {
	change := func(by int) {
		for _, a := range f.A {
			for _, b := range f.B {
				w.blocked[pair{a.index, b.index}] += by
				if !f.OneWay {
					w.blocked[pair{b.index, a.index}] += by
				}
			}
		}
	}
	change(1)
	return func() { change(-1) }
}

// Freeze stops a machine's network, as when its hypervisor pauses it: what arrives is kept for
// later, what it sends is lost. Its programs go on, as time is common to all machines.
type Freeze struct{ Host *Host }

// Kind implements Fault.
func (f Freeze) Kind() string { return "host.freeze" }

func (f Freeze) where(*World) string { return f.Host.name }

func (f Freeze) applyLocked(w *World) func() {
	h := f.Host
	h.frozen++
	return func() {
		if h.frozen--; h.frozen > 0 {
			return
		}
		held := h.held
		h.held = nil
		for _, p := range held {
			w.scheduleLocked(w.nowLocked(), h.index, p.stream, func() { h.arriveLocked(p) })
		}
		w.askLocked(operation{host: h.index, key: "thaw", run: func() {}})
	}
}

// Off takes the power away: connections vanish without a word to their other ends, listeners
// close, packets find nobody. Healing boots the machine; its programs are for others to start.
type Off struct{ Host *Host }

// Kind implements Fault.
func (f Off) Kind() string { return "host.off" }

func (f Off) where(*World) string { return f.Host.name }

func (f Off) applyLocked(*World) func() {
	f.Host.dropAllLocked()
	f.Host.off = true
	return func() { f.Host.off = false }
}

// Kill ends the machine's programs as far as the network sees: listeners close, and the kernel
// resets the connections.
func (h *Host) Kill() {
	w := h.w
	w.lock()
	defer w.mu.Unlock()
	w.alertLocked()
	w.sayLocked(Entry{Kind: "kill", Who: h.name})
	for _, c := range h.connsLocked() {
		c.emitLocked(Packet{Kind: rst, seq: c.sent})
	}
	h.dropAllLocked()
	w.askLocked(operation{host: h.index, key: "kill", run: func() {}})
}

// Reset ends every connection of the host with RST to its own programs only, as a box does that
// answers with RST after it has forgotten them.
func (h *Host) Reset() {
	w := h.w
	w.lock()
	defer w.mu.Unlock()
	w.alertLocked()
	w.sayLocked(Entry{Kind: "reset", Who: h.name})
	for _, c := range h.connsLocked() {
		c.failLocked(syscall.ECONNRESET)
	}
}

func hostNames(hosts []*Host) string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.name
	}
	return strings.Join(names, " ")
}

// Forget ends the connection without a word to the other end, as a box does that lets a quiet one
// slip its mind: what still comes is answered with RST.
func (c *Conn) Forget() {
	c.w.lock()
	defer c.w.mu.Unlock()
	c.askLocked(func() { c.failLocked(syscall.ECONNRESET) })
}
