// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import "syscall"

// Fault is something that can go wrong, and be healed.
type Fault interface {
	// applyLocked breaks it and returns what heals it.
	applyLocked(w *World) (heal func())
	label() string
}

// Inject breaks something now. The function that it returns heals it; a second call of that does
// nothing.
func (w *World) Inject(f Fault) (heal func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noteLocked("fault.on", f.label())
	undo := f.applyLocked(w)
	healed := false
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !healed {
			healed = true
			w.noteLocked("fault.off", f.label())
			undo()
		}
	}
}

// Cut drops all packets over an edge or a machine's access, both ways unless told otherwise.
type Cut struct {
	Edge *Edge // or
	Host *Host
	// OnlyUp and OnlyDown leave the other direction alone.
	OnlyUp, OnlyDown bool
}

func (f Cut) label() string { return "cut " + wireName(f.Edge, f.Host) }

func (f Cut) applyLocked(*World) func() {
	up, down := wires(f.Edge, f.Host)
	var cut []*wire
	if !f.OnlyDown {
		cut = append(cut, up)
	}
	if !f.OnlyUp {
		cut = append(cut, down)
	}
	for _, l := range cut {
		l.cut++
	}
	return func() {
		for _, l := range cut {
			l.cut--
		}
	}
}

// Degrade makes an edge or a machine's access worse, both ways.
type Degrade struct {
	Edge *Edge // or
	Host *Host
	// Extra comes on top of the latency; large values clog.
	Extra Dist
	// Loss, Rate and MTU replace the link's when they are not zero.
	Loss float64
	Rate int64
	MTU  int
}

func (f Degrade) label() string { return "degrade " + wireName(f.Edge, f.Host) }

func (f Degrade) applyLocked(*World) func() {
	up, down := wires(f.Edge, f.Host)
	oldUp, oldDown := *up, *down
	for _, l := range []*wire{up, down} {
		l.extra = f.Extra
		if f.Loss > 0 {
			l.spec.Loss = f.Loss
		}
		if f.Rate > 0 {
			l.spec.Rate = f.Rate
		}
		if f.MTU > 0 {
			l.spec.MTU = f.MTU
		}
	}
	return func() {
		up.extra, up.spec = oldUp.extra, oldUp.spec
		down.extra, down.spec = oldDown.extra, oldDown.spec
	}
}

func wires(e *Edge, h *Host) (up, down *wire) {
	if e != nil {
		return &e.up, &e.down
	}
	return &h.up, &h.down
}

func wireName(e *Edge, h *Host) string {
	if e != nil {
		return e.name
	}
	return h.name
}

// Partition drops all packets between two groups of machines, wherever their paths lead.
type Partition struct {
	Name string
	A, B []*Host
	// OneWay drops only what A sends to B.
	OneWay bool
}

func (f Partition) label() string { return "partition " + f.Name }

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

func (f Freeze) label() string { return "freeze " + f.Host.name }

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
			w.scheduleLocked(w.Now(), h.index, p.stream, func() { h.arriveLocked(p) })
		}
		w.askLocked(&operation{host: h.index, key: "thaw", run: func() {}})
	}
}

// Off takes the power away: connections vanish without a word to their other ends, listeners
// close, packets find nobody. Healing boots the machine; its programs are for others to start.
type Off struct{ Host *Host }

func (f Off) label() string { return "off " + f.Host.name }

func (f Off) applyLocked(*World) func() {
	f.Host.dropAllLocked()
	f.Host.off = true
	return func() { f.Host.off = false }
}

// Kill ends the machine's programs as far as the network sees: listeners close, and the kernel
// resets the connections.
func (h *Host) Kill() {
	w := h.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noteLocked("kill", h.name)
	for _, c := range h.connsLocked() {
		c.emitLocked(Packet{Kind: rst, seq: c.sent})
	}
	h.dropAllLocked()
	w.askLocked(&operation{host: h.index, key: "kill", run: func() {}})
}

// Reset ends every connection of the host with RST to its own programs only, as a box does that
// answers with RST after it has forgotten them.
func (h *Host) Reset() {
	w := h.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noteLocked("reset", h.name)
	for _, c := range h.connsLocked() {
		c.failLocked(syscall.ECONNRESET)
	}
}
