// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"slices"
	"time"
)

// maxHeldPackets is what one direction of a clogged wire holds. More is dropped.
const maxHeldPackets = 65536

// impairment is what one fault does to one direction of a wire.
type impairment struct {
	Degrade // without its wires
	flap    Flap
	cut     bool
	clog    *clog
	since   time.Duration
	key     uint64
}

// stops says whether a packet passes at all.
func (h *impairment) stops(now time.Duration, c uint64) Verdict {
	switch {
	case h.cut:
		return Verdict{Action: Silence, Why: "cut"}
	case h.clog != nil:
		return Verdict{Action: Silence, Why: "clog", hold: h.clog}
	case h.flap.Down > 0 && (now-h.since)%(h.flap.Down+h.flap.Up) < h.flap.Down:
		return Verdict{Action: Silence, Why: "flap"}
	case h.Burst.hits(now, h.key):
		return Verdict{Action: Silence, Why: "burst"}
	case h.Loss > 0 && fraction(chance(c, 6, h.key)) < h.Loss:
		return Verdict{Action: Silence, Why: "loss"}
	}
	return Verdict{}
}

// worsen takes what is left of the wire's quality, and returns what comes on top of the latency.
func (h *impairment) worsen(s *LinkSpec, p *Packet, c uint64) (extra time.Duration) {
	if h.Rate > 0 && (s.Rate == 0 || h.Rate < s.Rate) {
		s.Rate = h.Rate
	}
	if h.Queue > 0 {
		s.Queue = h.Queue
	}
	if h.MTU > 0 && (s.MTU == 0 || h.MTU < s.MTU) {
		s.MTU = h.MTU
	}
	p.sliced = p.sliced || h.Slice
	return h.Extra.draw(chance(c, 5, h.key))
}

// Burst is loss that comes in bursts: of each period of Every the share Share has one, of Length, in
// which everything is lost. The zero value has none.
type Burst struct {
	Every, Length time.Duration
	Share         float64 // 0 to 1
}

// hits reports whether a burst is on. Chance chooses the periods, and the place within them.
func (b Burst) hits(now time.Duration, key uint64) bool {
	if b.Every <= 0 || b.Share <= 0 {
		return false
	}
	period := uint64(now / b.Every)
	if fraction(chance(key, period, 1)) >= b.Share {
		return false
	}
	room := max(0, b.Every-b.Length)
	begin := time.Duration(fraction(chance(key, period, 2)) * float64(room))
	return now%b.Every >= begin && now%b.Every < begin+b.Length
}

// Cut drops all packets over an edge or a machine's access, both ways unless told otherwise.
type Cut struct {
	Edge *Edge // or
	Host *Host
	// OnlyUp and OnlyDown leave the other direction alone.
	OnlyUp, OnlyDown bool
}

// Kind implements Fault.
func (f Cut) Kind() string { return "link.cut" }

func (f Cut) where(*World) string { return wireName(f.Edge, f.Host, f.OnlyUp, f.OnlyDown) }

func (f Cut) applyLocked(w *World) func() {
	return w.harmLocked(f, wires(f.Edge, f.Host, f.OnlyUp, f.OnlyDown), impairment{cut: true})
}

// Degrade makes an edge or a machine's access worse, both ways unless told otherwise.
type Degrade struct {
	Edge *Edge // or
	Host *Host
	// OnlyUp and OnlyDown leave the other direction alone.
	OnlyUp, OnlyDown bool
	// Extra comes on top of the latency: Least is a step, Spread and Tail are jitter.
	Extra Dist
	// Loss is the share of packets that vanish beside those that the link loses already, Burst bursts.
	Loss  float64
	Burst Burst
	// Rate caps the bits per second, MTU the payload of a packet. Queue, in bytes, takes the place of
	// the link's; a large one before a small Rate bloats.
	Rate  int64
	Queue int
	MTU   int
	// Slice makes bytes arrive one by one: each read of the receiving program gets a single one.
	Slice bool
}

// Kind implements Fault.
func (f Degrade) Kind() string { return "link.degrade" }

func (f Degrade) where(*World) string { return wireName(f.Edge, f.Host, f.OnlyUp, f.OnlyDown) }

func (f Degrade) applyLocked(w *World) func() {
	return w.harmLocked(f, wires(f.Edge, f.Host, f.OnlyUp, f.OnlyDown), impairment{Degrade: f})
}

// Flap cuts an edge or a machine's access for Down, leaves it whole for Up, and so on.
type Flap struct {
	Edge     *Edge // or
	Host     *Host
	Down, Up time.Duration
}

// Kind implements Fault.
func (f Flap) Kind() string { return "link.flap" }

func (f Flap) where(*World) string { return wireName(f.Edge, f.Host, false, false) }

func (f Flap) applyLocked(w *World) func() {
	return w.harmLocked(f, wires(f.Edge, f.Host, false, false), impairment{flap: f})
}

// Clog holds all packets back until it heals; then they go on, in their order.
type Clog struct {
	Edge *Edge // or
	Host *Host
	// OnlyUp and OnlyDown leave the other direction alone.
	OnlyUp, OnlyDown bool
}

// Kind implements Fault.
func (f Clog) Kind() string { return "link.clog" }

func (f Clog) where(*World) string { return wireName(f.Edge, f.Host, f.OnlyUp, f.OnlyDown) }

func (f Clog) applyLocked(w *World) func() {
	c := &clog{}
	undo := w.harmLocked(f, wires(f.Edge, f.Host, f.OnlyUp, f.OnlyDown), impairment{clog: c})
	return func() {
		undo()
		w.askLocked(operation{host: -1, key: "unclog " + f.where(w), run: c.releaseLocked})
	}
}

// clog is what packets wait for.
type clog struct{ held []heldPacket }

type heldPacket struct {
	host *Host
	p    Packet
	last *time.Duration
}

// holdLocked keeps a packet as its host sent it. It returns false when the clog is full.
func (c *clog) holdLocked(h *Host, p Packet, last *time.Duration) bool {
	if c == nil || len(c.held) == maxHeldPackets {
		return false
	}
	c.held = append(c.held, heldPacket{h, p, last})
	return true
}

// releaseLocked sends what waited. Boxes on the way are asked again, as for a retransmission.
func (c *clog) releaseLocked() {
	held := c.held
	c.held = nil
	for _, k := range held {
		k.host.sendLocked(k.p, k.last)
	}
}

// SwizzleClog clogs half of the hosts one by one, Step apart, and heals by freeing them one by one
// in another order. Chance chooses half and orders.
type SwizzleClog struct {
	Hosts []*Host
	Step  time.Duration
}

// Kind implements Fault.
func (f SwizzleClog) Kind() string { return "swizzle-clog" }

func (f SwizzleClog) where(*World) string { return hostNames(f.Hosts) }

func (f SwizzleClog) applyLocked(w *World) func() {
	half := f.shuffled(w, 1, f.Hosts)[:(len(f.Hosts)+1)/2]
	healing := false
	undo := map[*Host]func(){}
	for i, h := range half {
		w.laterLocked(time.Duration(i)*f.Step, "clog "+h.name, func() {
			if !healing {
				undo[h] = Clog{Host: h}.applyLocked(w)
			}
		})
	}
	return func() {
		healing = true
		for i, h := range f.shuffled(w, 2, half) {
			w.laterLocked(time.Duration(i)*f.Step, "free "+h.name, func() {
				if undo[h] != nil {
					undo[h]()
				}
			})
		}
	}
}

func (f SwizzleClog) shuffled(w *World, turn uint64, hosts []*Host) []*Host {
	list := slices.Clone(hosts)
	for i := len(list) - 1; i > 0; i-- {
		j := chance(w.o.Seed, nameKey(f.Kind()), turn, uint64(i)) % uint64(i+1)
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// wires are the directions of an edge, or of a machine's access, that a fault is about.
func wires(e *Edge, h *Host, onlyUp, onlyDown bool) (list []*wire) {
	var up, down *wire
	if e != nil {
		up, down = &e.up, &e.down
	} else {
		up, down = &h.up, &h.down
	}
	if !onlyDown {
		list = append(list, up)
	}
	if !onlyUp {
		list = append(list, down)
	}
	return list
}

func wireName(e *Edge, h *Host, onlyUp, onlyDown bool) string {
	name := ""
	if e != nil {
		name = e.name
	} else {
		name = h.name
	}
	switch {
	case onlyUp:
		name += " up"
	case onlyDown:
		name += " down"
	}
	return name
}

// harmLocked puts an impairment on wires.
func (w *World) harmLocked(f Fault, list []*wire, h impairment) (heal func()) {
	h.since = w.nowLocked()
	var mine []*impairment
	for i, l := range list {
		one := h
		one.key = chance(w.o.Seed, nameKey(f.Kind(), f.where(w)), uint64(i))
		l.harm = append(l.harm, &one)
		mine = append(mine, &one)
	}
	return func() {
		for i, l := range list {
			l.harm = slices.DeleteFunc(l.harm, func(h *impairment) bool { return h == mine[i] })
		}
		if h.Rate > 0 {
			w.drainLocked(list)
		}
	}
}
