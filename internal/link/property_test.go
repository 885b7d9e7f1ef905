// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// actor drives one machine by hand and keeps the bytes that the machine does not hold.
type actor struct {
	t        *rapid.T
	m        *Machine
	peer     *actor
	wire     []byte // sent and not yet arrived at the peer
	inbox    []byte // arrived, less than a frame
	offers   map[uint32][]byte
	sent     map[uint32][]byte // everything written by the application
	got      map[uint32][]byte // everything delivered
	unread   map[uint32]int
	open     map[uint32]bool
	ended    map[uint32]bool // the peer's end arrived
	wroteEnd map[uint32]bool
	cut      map[uint32]bool // reset by anybody
	closed   *CloseError
	isCut    bool
	hushed   bool
	wakeDue  bool
	bulkOf   map[uint32]bool
}

func newActor(t *rapid.T, role Role) *actor {
	a := &actor{t: t, m: New(role, Settings{})}
	a.offers, a.sent, a.got = map[uint32][]byte{}, map[uint32][]byte{}, map[uint32][]byte{}
	a.unread, a.open, a.ended = map[uint32]int{}, map[uint32]bool{}, map[uint32]bool{}
	a.wroteEnd, a.cut, a.bulkOf = map[uint32]bool{}, map[uint32]bool{}, map[uint32]bool{}
	return a
}

func (a *actor) step(now time.Time, in Input) error {
	outs, err := a.m.Step(now, in)
	a.m.check(a.t)
	var payload []byte
	if r, ok := in.(Received); ok {
		payload = r.Payload
	}
	sawBulk := false
	for _, out := range outs {
		switch o := out.(type) {
		case Wake:
			a.wakeDue = true
		case Send:
			a.put(o, &sawBulk)
		case StreamOpened:
			a.open[o.Stream], a.bulkOf[o.Stream] = true, o.Bulk
		case Deliver:
			if a.ended[o.Stream] {
				a.t.Fatalf("bytes after the end of stream %d", o.Stream)
			}
			a.got[o.Stream] = append(a.got[o.Stream], payload...)
			a.unread[o.Stream] += o.Bytes
		case StreamEnded:
			a.ended[o.Stream] = true
		case StreamReset:
			a.peer.cut[o.Stream] = true
			a.cut[o.Stream] = a.cut[o.Stream] || !a.ended[o.Stream]
		case Forgotten:
			delete(a.open, o.Stream)
		case Close:
			a.closed = o.Err
		case Cut:
			a.isCut = true
		}
	}
	return err
}

// put writes a frame to the wire. In one write, no bulk data may stand before control data; once hushed, no frame of
// a stream may come.
func (a *actor) put(o Send, sawBulk *bool) {
	h := o.Header
	if a.hushed && h.Stream != 0 {
		a.t.Fatalf("%v frame of stream %d was sent by a hushed side", h.Type, h.Stream)
	}
	var b [HeaderBytes]byte
	h.Put(b[:])
	a.wire = append(a.wire, b[:]...)
	if h.Type != TypeData {
		a.wire = append(a.wire, o.Payload...)
		return
	}
	if *sawBulk && !a.bulkOf[h.Stream] {
		a.t.Fatalf("control data of stream %d comes after bulk data", h.Stream)
	}
	*sawBulk = *sawBulk || a.bulkOf[h.Stream]
	if *sawBulk {
		for _, f := range a.m.flows {
			if !f.bulk && f.sendable() && f.pending > 0 {
				a.t.Fatalf("bulk data goes while control stream %d waits", f.id)
			}
		}
	}
	a.wire = append(a.wire, a.offers[h.Stream][:h.Length]...)
	a.offers[h.Stream] = a.offers[h.Stream][h.Length:]
}

// carry lets n bytes arrive at the peer.
func (a *actor) carry(now time.Time, n int) {
	n = min(n, len(a.wire))
	a.peer.inbox = append(a.peer.inbox, a.wire[:n]...)
	a.wire = a.wire[n:]
	a.peer.parse(now)
}

func (a *actor) parse(now time.Time) {
	for len(a.inbox) >= HeaderBytes {
		h, err := ParseHeader((*[HeaderBytes]byte)(a.inbox))
		if err != nil {
			a.t.Fatalf("our own frame is refused: %v", err)
		}
		size := HeaderBytes + int(h.Length)
		if len(a.inbox) < size {
			return
		}
		frame := a.inbox[HeaderBytes:size:size]
		a.inbox = a.inbox[size:]
		if err := a.step(now, Received{Header: h, Payload: frame}); err != nil {
			a.t.Fatal(err)
		}
	}
}

// TestTwoMachines joins two machines by a lossless pipe that carries any number of bytes at a time:
// bytes arrive once and in order, credit is never exceeded, control overtakes bulk, a drain ends, a hushed side says
// nothing of its streams.
func TestTwoMachines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		caller, servant := newActor(t, Caller), newActor(t, Servant)
		caller.peer, servant.peer = servant, caller
		sides := []*actor{caller, servant}
		now := scriptStart
		for _, a := range sides {
			if err := a.step(now, Start{}); err != nil {
				t.Fatal(err)
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "greeted") > 0 {
			for _, a := range sides {
				a.readyWith(now, RecordBytes)
				a.carry(now, math.MaxInt)
			}
		}
		drained := false
		for range rapid.IntRange(20, 150).Draw(t, "steps") {
			a := sides[rapid.IntRange(0, 1).Draw(t, "side")]
			now = now.Add(time.Millisecond)
			switch rapid.SampledFrom([]string{
				"open", "write", "write", "write", "end", "abort", "read", "read", "ready", "ready", "ready",
				"carry", "carry", "carry", "drain", "ping", "hush",
			}).Draw(t, "act") {
			case "open":
				_ = a.step(now, Open{Bulk: rapid.Bool().Draw(t, "bulk")})
			case "write":
				a.write(now)
			case "end":
				if id := a.pick(); id != 0 && a.step(now, Ended{Stream: id}) == nil {
					a.wroteEnd[id] = true
				}
			case "abort":
				if id := a.pick(); id != 0 && rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					keep := rapid.Bool().Draw(t, "keep")
					a.peer.cut[id] = a.peer.cut[id] || !keep || !a.wroteEnd[id]
					a.cut[id] = true
					_ = a.step(now, Abort{Stream: id, Text: "enough", Keep: keep})
				}
			case "read":
				if id := a.pick(); id != 0 {
					n := rapid.IntRange(0, a.unread[id]).Draw(t, "read")
					if err := a.step(now, ReadSome{Stream: id, Bytes: n}); err != nil {
						t.Fatal(err)
					}
					a.unread[id] -= n
				}
			case "ready":
				a.ready(now)
			case "carry":
				a.carry(now, rapid.IntRange(1, 40000).Draw(t, "bytes"))
			case "drain":
				if rapid.IntRange(0, 20).Draw(t, "really") == 0 {
					drained = a.step(now, Drain{}) == nil || drained
				}
			case "hush":
				if rapid.IntRange(0, 20).Draw(t, "really") == 0 {
					a.hushed = a.step(now, Hush{Goodbye: stopping()}) == nil || a.hushed
				}
			case "ping":
				if caller.m.state == working && servant.m.state == working {
					now = now.Add(20 * time.Second)
					_ = a.step(now, Tick{})
				}
			}
			caller.compare()
			servant.compare()
			if caller.gone() || servant.gone() {
				return
			}
		}
		settleBoth(t, now, sides, drained)
	})
}

func (a *actor) pick() uint32 {
	if len(a.m.flows) == 0 {
		return 0
	}
	id := a.m.flows[rapid.IntRange(0, len(a.m.flows)-1).Draw(a.t, "stream")].id
	if !a.open[id] {
		return 0
	}
	return id
}

func (a *actor) write(now time.Time) {
	id := a.pick()
	if id == 0 {
		return
	}
	b := make([]byte, rapid.IntRange(1, 200000).Draw(a.t, "size"))
	for i := range b {
		b[i] = byte(len(a.sent[id]) + i)
	}
	a.offers[id] = append(a.offers[id], b...)
	if a.step(now, Wrote{Stream: id, Bytes: len(b)}) == nil {
		a.sent[id] = append(a.sent[id], b...)
	}
}

func (a *actor) ready(now time.Time) {
	if a.wakeDue {
		a.readyWith(now, rapid.SampledFrom([]int{MinRoomBytes, 4000, RecordBytes}).Draw(a.t, "room"))
	}
}

func (a *actor) readyWith(now time.Time, room int) {
	before := len(a.wire)
	if err := a.step(now, WriteReady{Room: room}); err != nil {
		a.t.Fatal(err)
	}
	if len(a.wire) == before && !a.m.waking {
		a.wakeDue = false
	}
}

// compare holds what arrived against what was written.
func (a *actor) compare() {
	if a.closed != nil && a.closed.Reason == ReasonFault {
		a.t.Fatalf("two honest machines broke up: %v", a.closed)
	}
	for id, got := range a.got {
		sent := a.peer.sent[id]
		if len(got) > len(sent) || string(got) != string(sent[:len(got)]) {
			a.t.Fatalf("stream %d: %d bytes arrived, %d were written, or others", id, len(got), len(sent))
		}
		if a.ended[id] && !a.cut[id] && len(got) != len(sent) {
			a.t.Fatalf("stream %d ended whole with %d of %d bytes", id, len(got), len(sent))
		}
	}
}

// gone reports that time ran out: nothing was carried for too long.
func (a *actor) gone() bool {
	return a.isCut && !a.closed.ByPeer
}

// settleBoth lets everything that is under way arrive, reads and ends all streams, and asks that
// nothing remains. A hushed side leaves.
func settleBoth(t *rapid.T, now time.Time, sides []*actor, drained bool) {
	for _, a := range sides {
		if a.hushed {
			_ = a.step(now, Leave{Goodbye: stopping()})
		}
	}
	for busy := true; busy; {
		busy = false
		for _, a := range sides {
			for _, f := range append([]*flow(nil), a.m.flows...) {
				if a.open[f.id] {
					_ = a.step(now, ReadSome{Stream: f.id, Bytes: a.unread[f.id]})
					a.unread[f.id] = 0
					if a.step(now, Ended{Stream: f.id}) == nil {
						a.wroteEnd[f.id] = true
					}
				}
			}
			for a.wakeDue {
				a.readyWith(now, RecordBytes)
			}
			busy = busy || len(a.wire) > 0
			a.carry(now, math.MaxInt)
			a.compare()
		}
	}
	for _, a := range sides {
		if n := len(a.m.flows); n > 0 {
			t.Fatalf("the %v keeps %d streams after all ended, state %v", a.m.role, n, a.m.state)
		}
		for id := range a.peer.sent {
			if !a.cut[id] && a.closed == nil && len(a.got[id]) != len(a.peer.sent[id]) {
				t.Fatalf("stream %d: %d of %d bytes arrived", id, len(a.got[id]), len(a.peer.sent[id]))
			}
		}
		if drained && a.closed == nil {
			t.Fatalf("the drain did not end the session: the %v is %v, the other is %v", a.m.role, a.m.state, a.peer.m.state)
		}
	}
}

// TestAnyFramesEndNamed feeds a machine frames that are well formed alone and senseless together.
func TestAnyFramesEndNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		role := rapid.SampledFrom([]Role{Caller, Servant}).Draw(t, "role")
		a := newActor(t, role)
		a.peer = newActor(t, Caller+Servant-role)
		now := scriptStart
		_ = a.step(now, Start{})
		greeting := a.peer.m.hello().append(nil)
		_ = a.step(now, Received{Header: Header{Length: uint32(len(greeting)), Type: TypeHello}, Payload: greeting})
		for i := range rapid.IntRange(1, 200).Draw(t, "frames") {
			now = now.Add(time.Second)
			h := Header{
				Type:     Type(rapid.IntRange(1, int(typeCount)-1).Draw(t, "type")),
				Stream:   uint32(rapid.IntRange(1, 5).Draw(t, "stream")),
				Sequence: uint32(i + 1),
			}
			s := shapeOf(h.Type)
			if !s.onStream {
				h.Stream = 0
			}
			payload := make([]byte, rapid.IntRange(int(s.minBytes), min(int(s.maxBytes), 2000)).Draw(t, "length"))
			if len(payload) >= 4 {
				binary.BigEndian.PutUint32(payload, rapid.Uint32().Draw(t, "word"))
			}
			h.Length = uint32(len(payload))
			_ = a.step(now, Received{Header: h, Payload: payload})
			if rapid.Bool().Draw(t, "open") {
				_ = a.step(now, Open{Bulk: rapid.Bool().Draw(t, "bulk")})
			}
			a.ready(now)
			_ = a.step(now, Tick{})
		}
		if a.m.state == over && a.closed == nil {
			t.Fatal("the session is over without a reason")
		}
		if a.closed != nil && a.closed.Reason == ReasonFault {
			if e, ok := a.closed.Err.(*ProtocolError); !ok || e.Fault == "" {
				t.Fatalf("a fault without a name: %v", a.closed.Err)
			}
		}
	})
}
