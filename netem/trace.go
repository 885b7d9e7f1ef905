// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"runtime"
	"slices"
	"time"
)

const (
	// traceFormat is the version of the lines, as docs/trace-format.md describes them.
	traceFormat = 1
	// markEvery is how many events lie between two marks.
	markEvery = 1000
)

// record is one line of the trace.
type record struct {
	at       time.Duration
	kind     string
	from, to string
	stream   uint64
	side     int
	seq      uint64
	data     []byte
	size     int
	why      string
}

// line is a record as JSON: t is nanoseconds since the world began, n the number of the event, k its
// kind, s the stream, d the side that sent (0 dialled), q the offset of the first byte.
type line struct {
	T     int64  `json:"t"`
	N     uint64 `json:"n"`
	K     string `json:"k"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	S     uint64 `json:"s,omitempty"`
	D     int    `json:"d,omitempty"`
	Q     uint64 `json:"q,omitempty"`
	Len   int    `json:"len,omitempty"`
	Level string `json:"level,omitempty"`
	Why   string `json:"why,omitempty"`
}

// head is the first line.
type head struct {
	K       string `json:"k"` // "head"
	Format  int    `json:"format"`
	Name    string `json:"name,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Seed    uint64 `json:"seed"`
	Program string `json:"program,omitempty"`
	Go      string `json:"go"`
	Wall    string `json:"wall"`
}

// mark is the digests of all events up to number n.
type mark struct {
	T       int64  `json:"t"`
	N       uint64 `json:"n"`
	K       string `json:"k"` // "mark"
	Shape   string `json:"shape"`
	Meta    string `json:"meta"`
	Content string `json:"content"`
}

// TraceHead says in the first line of a trace what was run: the scenario's name, the hash of its
// description, and the version of the programs in it.
type TraceHead struct{ Name, Hash, Program string }

// Entry is a line that a program of the world puts into the trace.
type Entry struct {
	Kind string // "note", "log", "proc.start" and so on: docs/trace-format.md
	Who  string // the host that it is about
	What string
	// Level is that of a "log" entry, as log/slog names it.
	Level string
}

// Say puts an entry into trace and digest. What programs log stands in the trace alone, as a message
// may name a folder of the machine that runs the simulation.
//
// What several hosts say at one instant has no order among them, as timers of one instant run in any:
// it is put down by host when the instant is over.
func (w *World) Say(e Entry) {
	w.lock()
	defer w.mu.Unlock()
	w.said = append(w.said, saying{w.Now(), e})
}

// saying is an entry that is not put down yet.
type saying struct {
	at time.Duration
	Entry
}

// hearLocked puts down what was said since the last round.
func (w *World) hearLocked() {
	if len(w.said) == 0 {
		return
	}
	slices.SortStableFunc(w.said, func(a, b saying) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.Who, b.Who))
	})
	for _, one := range w.said {
		w.putLocked(one)
	}
	w.said = w.said[:0]
}

func (w *World) sayLocked(e Entry) {
	w.hearLocked()
	w.putLocked(saying{w.Now(), e})
}

func (w *World) putLocked(e saying) {
	if e.Kind == "log" {
		w.trace.write(line{T: int64(e.at), N: w.trace.lines, K: e.Kind, From: e.Who, Level: e.Level, Why: e.What})
		return
	}
	w.trace.add(record{at: e.at, kind: e.Kind, from: e.Who, why: e.What})
}

// tracer keeps the digest of everything that happened and writes it down if asked to.
type tracer struct {
	encoder   *json.Encoder // nil for nobody
	marksOnly bool
	err       error
	lines     uint64
	sums      sums
	scratch   []byte
}

func newTracer(o Options, wall time.Time) tracer {
	t := tracer{marksOnly: o.MarksOnly, sums: newSums()}
	if o.Trace != nil {
		t.encoder = json.NewEncoder(o.Trace)
		t.put(head{
			K: "head", Format: traceFormat, Name: o.Head.Name, Hash: o.Head.Hash, Seed: o.Seed, Program: o.Head.Program,
			Go: runtime.Version(), Wall: wall.UTC().Format(time.RFC3339Nano),
		})
	}
	return t
}

// put writes one line. The first error stops it.
func (t *tracer) put(v any) {
	if t.encoder != nil && t.err == nil {
		t.err = t.encoder.Encode(v)
	}
}

// write writes the line of an event.
func (t *tracer) write(l line) {
	if t.encoder != nil && !t.marksOnly {
		t.put(l)
	}
}

func (t *tracer) add(r record) {
	t.lines++
	b := t.scratch[:0]
	b = binary.LittleEndian.AppendUint64(b, uint64(r.at))
	for _, text := range []string{r.kind, r.from, r.to, r.why} {
		b = append(append(b, text...), 0)
	}
	b = binary.LittleEndian.AppendUint64(b, r.stream)
	b = append(b, byte(r.side))
	t.sums.shape.add(b)
	b = binary.LittleEndian.AppendUint64(b, r.seq)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.size))
	t.scratch = b
	t.sums.meta.add(b)
	t.sums.content.add(b)
	t.sums.content.add(r.data)
	if t.encoder == nil {
		return
	}
	if r.kind != ack.String() { // acknowledgements are in the digests; a reader of the lines has no use for them
		t.write(line{
			T: int64(r.at), N: t.lines, K: r.kind, From: r.from, To: r.to, S: r.stream, D: r.side, Q: r.seq,
			Len: r.size, Why: r.why,
		})
	}
	if t.lines%markEvery == 0 {
		t.put(mark{
			T: int64(r.at), N: t.lines, K: "mark", Shape: t.sums.shape.text(), Meta: t.sums.meta.text(),
			Content: t.sums.content.text(),
		})
	}
}
