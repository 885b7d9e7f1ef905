// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
	"net/netip"
	"time"
)

// loopbackDelay is what a packet takes from a host to itself.
const loopbackDelay = 20 * time.Microsecond

// pair is two hosts in the order of a packet between them.
type pair struct{ from, to int }

// fate is what becomes of a packet.
type fate struct {
	host   *Host // where it arrives, nil when it does not
	at     time.Duration
	action Action // what a box answers when it does not
	why    string
	hold   *clog // keeps it for later instead
}

// outcome is what becomes of a packet as far as its host's model knows when it is sent.
type outcome uint8

const (
	lost    outcome = iota
	held            // until a clog is freed
	arrives         // on the wire of the other end
)

// sendLocked puts a packet on its way. Boxes and links decide now; what arrives, arrives later,
// and after last, when the packet before it arrives: a direction of a connection keeps its order.
func (h *Host) sendLocked(sent Packet, last *time.Duration) outcome {
	w := h.w
	w.counts.Packets++
	travels := w.parcelLocked()
	travels.packet = sent
	p := &travels.packet
	p.frame = w.o.Capture.sent(h, p)
	sent.frame = p.frame
	f := w.pathLocked(h, p)
	p.rewritten = p.differs(&sent)
	if f.host != nil {
		w.arriveLocked(travels, f.host, f.at, last)
		return arrives
	}
	defer w.recycleLocked(travels)
	if f.hold.holdLocked(h, sent, last) {
		w.o.Capture.remark(&sent, "held back: "+f.why)
		w.trace.add(record{
			at: w.nowLocked(), kind: "held", from: h.name, stream: p.stream, side: p.side, seq: p.seq, why: f.why,
		})
		return held
	}
	w.counts.Dropped++
	w.o.Capture.remark(&sent, "dropped: "+f.why)
	w.trace.add(record{
		at: w.nowLocked(), kind: "drop", from: h.name, stream: p.stream, side: p.side, seq: p.seq, size: p.Size,
		why: p.Kind.String() + " " + f.why,
	})
	if f.action != Silence && p.Kind != rst {
		sent.stays = p.stays
		h.refusedLocked(sent, f)
	}
	return lost
}

// refusedLocked tells the host that a box did not let its packet pass.
func (h *Host) refusedLocked(sent Packet, f fate) {
	w := h.w
	answer := Packet{
		From: sent.To, To: sent.From, Kind: rst, stream: sent.stream, key: sent.key, side: 1 - sent.side,
		number: sent.number, seq: sent.ack, ack: sent.seq, stays: sent.stays,
	}
	w.meetLocked(answer, h, max(f.at, w.nowLocked()), func() {
		if f.action == Unreachable {
			w.o.Capture.boxed(h, &sent, true, f.why)
			h.unreachableLocked(&answer)
			return
		}
		w.o.Capture.boxed(h, &answer, false, f.why)
		h.arriveLocked(&answer)
	})
}

// pathLocked leads a packet from h to where it goes.
func (w *World) pathLocked(h *Host, p *Packet) fate {
	now := w.nowLocked()
	c := chance(w.o.Seed, p.key, uint64(p.side), p.number)
	if p.To.Addr().IsLoopback() {
		return fate{host: h, at: now + loopbackDelay}
	}
	if h.net == nil {
		return fate{at: now, action: Unreachable, why: "no network"}
	}
	now, v := h.up.carry(now, p, chance(c, 10))
	if v.Action != Pass {
		return fate{at: now, action: v.Action, why: h.name + " " + v.Why, hold: v.hold}
	}
	return w.walkLocked(h, h.net, p, now, c)
}

// walkLocked leads a packet on from a segment. It comes from h, or from a box when h is nil.
func (w *World) walkLocked(h *Host, at *Net, p *Packet, now time.Duration, c uint64) fate {
	for hop := range maxHops {
		claimed := at.claimed(p)
		if dst := at.hosts[p.To.Addr()]; dst != nil && claimed == nil {
			return w.lastMile(h, dst, p, now, c)
		}
		e := cmp.Or(claimed, at.ownerEdge(p.To.Addr()))
		if e == nil {
			e = w.toward(at, p.To.Addr())
		}
		if e == nil {
			return fate{at: now, action: Unreachable, why: "no host " + p.To.Addr().String() + " in " + at.name}
		}
		var v Verdict
		if now, v = e.cross(at, now, p, chance(c, 20+uint64(hop))); v.Action != Pass {
			return fate{at: now, action: v.Action, why: e.name + " " + v.Why, hold: v.hold}
		}
		at = e.far(at)
	}
	return fate{at: now, action: Silence, why: "too many hops"}
}

func (w *World) lastMile(from, dst *Host, p *Packet, now time.Duration, c uint64) fate {
	if from != nil && w.blocked[pair{from.index, dst.index}] > 0 {
		return fate{at: now, action: Silence, why: "partition"}
	}
	at, v := dst.down.carry(now, p, chance(c, 11))
	if v.Action != Pass {
		return fate{at: now, action: v.Action, why: dst.name + " " + v.Why, hold: v.hold}
	}
	return fate{host: dst, at: at}
}

func (n *Net) ownerEdge(a netip.Addr) *Edge {
	for _, e := range n.edges {
		if e.owns(a) {
			return e
		}
	}
	return nil
}

// claimed is the edge whose box takes the packet although it goes to a host of the segment, or nil.
func (n *Net) claimed(p *Packet) *Edge {
	for _, e := range n.claims {
		for _, b := range e.boxes {
			if c, is := b.(claimer); is && c.claims(p) {
				return e
			}
		}
	}
	return nil
}

// cross takes a packet over an edge: boxes, then the wire when it goes out, the other way round
// when it comes in.
func (e *Edge) cross(from *Net, now time.Duration, p *Packet, c uint64) (time.Duration, Verdict) {
	if from == e.inner {
		now, v := e.ask(now, Outward, p, 0)
		if v.Action != Pass {
			return now, v
		}
		return e.up.carry(now, p, c)
	}
	now, v := e.down.carry(now, p, c)
	if v.Action != Pass {
		return now, v
	}
	return e.ask(now, Inward, p, 0)
}

// ask asks the boxes in the packet's order, but for those that it has passed already.
func (e *Edge) ask(now time.Duration, d Direction, p *Packet, passed int) (time.Duration, Verdict) {
	defer e.setClocksLocked()
	for i := passed; i < len(e.boxes); i++ {
		b := e.boxes[i]
		if d == Inward {
			b = e.boxes[len(e.boxes)-1-i]
		}
		v := b.Forward(now, d, p)
		now += v.Delay
		if v.Action != Pass {
			return now, v
		}
	}
	return now, Verdict{}
}
