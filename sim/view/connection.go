// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package view

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fairlead/sim/trace"
)

const (
	// buckets is into how many parts a run is divided to show when a connection carried bytes.
	buckets = 2000
	// maxBusy bounds the buckets of all connections: beyond it bars are drawn without.
	maxBusy = 400_000
)

// The ways in which a connection ends.
const (
	closed     = "fin"  // both ends said so
	reset      = "rst"  // one end, or a box, ended it
	timedOut   = "time" // one end got no answer any more
	refused    = "refused"
	unanswered = "none" // it was never open
	stillOpen  = "open" // when the trace ends
)

// connection is a bar.
type connection struct {
	Stream uint64 `json:"s"`
	From   int    `json:"f"` // lane of the end that dialled
	To     int    `json:"o"` // of the other; everywhere when none was reached
	Asked  string `json:"q"` // what was dialled
	Began  int64  `json:"a"`
	Opened int64  `json:"u"` // openEnd when it never was
	Ended  int64  `json:"b"` // for the end that knew first
	Noted  int64  `json:"c"` // for the end that knew last
	End    string `json:"e"`
	Up     uint64 `json:"x"` // bytes that arrived from the dialling end
	Down   uint64 `json:"y"` // and from the other
	Again  int    `json:"r"` // flights that arrived once more
	Lost   int    `json:"l"`
	Why    string `json:"w,omitempty"` // of what was lost, most frequent first
	Busy   []int  `json:"p,omitempty"` // buckets with bytes, each as the distance from the one before
}

// flow is a connection while the trace is read.
type flow struct {
	connection
	over  [2]int64  // when each end knew that it was over; openEnd for not yet
	fins  [2]int64  // when the last byte of each end arrived
	next  [2]uint64 // offset after the last byte of each end that arrived
	why   map[string]int
	bytes pulse
	last  int64
	how   string // of the first end
}

// pulse is the times with bytes, coarser the more there are, as the run's length is not known yet.
type pulse struct {
	times []int64
	grain int64
}

// finestGrain is how near two times may be at first: 1 ms.
const finestGrain = 1_000_000

func (p *pulse) add(at int64) {
	p.grain = max(p.grain, finestGrain)
	if n := len(p.times); n > 0 && at-p.times[n-1] < p.grain {
		return
	}
	if p.times = append(p.times, at); len(p.times) < 2*buckets {
		return
	}
	p.grain *= 2
	kept := p.times[:1]
	for _, one := range p.times[1:] {
		if one-kept[len(kept)-1] >= p.grain {
			kept = append(kept, one)
		}
	}
	p.times = kept
}

// packet takes an event of the network.
func (t *reading) packet(l trace.Line) {
	switch l.Kind {
	case trace.KindDial, "listen", "dns", "after":
		t.lane(l.From)
	case trace.KindSyn, trace.KindSynAck, trace.KindData, trace.KindFin, trace.KindReset, "probe":
		t.lane(l.To)
	}
	if l.Stream == 0 {
		return
	}
	f := t.streams[l.Stream]
	if f == nil {
		if !t.fits(len(t.streams), maxConnections, "connections") {
			return
		}
		f = &flow{
			connection: connection{
				Stream: l.Stream, From: everywhere, To: everywhere, Began: int64(l.At), Opened: openEnd, Ended: openEnd,
			},
			over: [2]int64{openEnd, openEnd}, fins: [2]int64{openEnd, openEnd}, why: map[string]int{},
		}
		t.streams[l.Stream] = f
		t.order = append(t.order, l.Stream)
	}
	f.last = int64(l.At)
	t.take(f, l)
}

// take adds an event to its connection.
func (t *reading) take(f *flow, l trace.Line) {
	at, side := int64(l.At), l.Side&1
	switch l.Kind {
	case trace.KindDial:
		f.From, f.Asked = t.lane(l.From), l.To
	case trace.KindSyn, trace.KindSynAck, trace.KindData, trace.KindFin, trace.KindReset, "probe":
		if side == 0 {
			f.To = t.lane(l.To)
		} else {
			f.From = t.lane(l.To)
		}
	case trace.KindDrop:
		f.lose(l)
	case trace.KindGiveUp, trace.KindSilent:
		f.end(side, at, timedOut)
	}
	switch l.Kind {
	case trace.KindSynAck:
		f.Opened = at
	case trace.KindData:
		f.carry(l, side)
	case trace.KindFin:
		f.fins[side] = at
		if f.fins[1-side] != openEnd {
			f.end(0, at, closed)
			f.end(1, at, closed)
		}
	case trace.KindReset:
		if side == 0 && f.Opened == openEnd {
			return // it ends what the far end remembers of an earlier connection
		}
		f.end(1-side, at, reset)
		f.end(side, at, reset)
	}
}

func (f *flow) carry(l trace.Line, side int) {
	if l.Offset < f.next[side] {
		f.Again++
		return
	}
	f.next[side] = l.Offset + uint64(l.Size)
	f.bytes.add(int64(l.At))
	if side == 0 {
		f.Up += uint64(l.Size)
	} else {
		f.Down += uint64(l.Size)
	}
}

// lose counts a packet that came nowhere. Who sent RST is over it, whoever hears of that.
func (f *flow) lose(l trace.Line) {
	kind, why, _ := strings.Cut(l.Why, " ")
	f.Lost++
	f.why[why]++
	if kind == trace.KindReset {
		f.end(l.Side&1, int64(l.At), reset)
	}
}

// end notes that an end knows; the first decides what the connection died of.
func (f *flow) end(side int, at int64, how string) {
	if f.over[side] == openEnd {
		f.over[side] = at
	}
	f.how = cmp.Or(f.how, how)
}

// connect makes bars of all connections.
func (t *reading) connect() {
	t.Bucket = max(1, (t.End+buckets-1)/buckets)
	left := maxBusy
	for _, stream := range t.order {
		f := t.streams[stream]
		f.settle(t.End)
		f.Why = f.reasons()
		if f.Busy = f.busy(t.Bucket); len(f.Busy) > left {
			f.Busy = nil
		}
		left -= len(f.Busy)
		t.Connections = append(t.Connections, f.connection)
	}
	if left < maxBusy/100 {
		t.LeftOut = append(t.LeftOut, "some bars do not show when they carried bytes: the page holds no more")
	}
}

// settle decides when and how a connection ended.
func (f *flow) settle(end int64) {
	first, last := f.over[0], f.over[1]
	if first == openEnd || last != openEnd && last < first {
		first, last = last, first
	}
	switch {
	case f.Opened == openEnd && f.how == reset:
		f.End, f.Ended, f.Noted = refused, first, first
	case f.Opened == openEnd:
		f.End, f.Ended, f.Noted = unanswered, f.last, f.last
	case first == openEnd:
		f.End, f.Ended, f.Noted = stillOpen, end, end
	default:
		f.End, f.Ended, f.Noted = f.how, first, max(first, last)
	}
}

// shownReasons is how many reasons for losses a bar tells.
const shownReasons = 3

func (f *flow) reasons() string {
	names := slices.SortedFunc(maps.Keys(f.why), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.why[b], f.why[a]), cmp.Compare(a, b))
	})
	var told []string
	for _, name := range names[:min(len(names), shownReasons)] {
		told = append(told, strconv.Itoa(f.why[name])+" × "+name)
	}
	return strings.Join(told, ", ")
}

// busy lists the buckets with bytes, each as the distance from the one before.
func (f *flow) busy(bucket int64) (list []int) {
	before := 0
	for _, at := range f.bytes.times {
		if n := int(at / bucket); len(list) == 0 || n > before {
			list = append(list, n-before)
			before = n
		}
	}
	return list
}
