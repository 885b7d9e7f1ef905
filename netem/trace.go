// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"time"
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

// line is a record as JSON: t is nanoseconds since the world began, k the kind of event, s the
// stream, d the side that sent (0 dialled), q the offset of the first byte.
type line struct {
	T    int64  `json:"t"`
	N    uint64 `json:"n"`
	K    string `json:"k"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	S    uint64 `json:"s,omitempty"`
	D    int    `json:"d,omitempty"`
	Q    uint64 `json:"q,omitempty"`
	Len  int    `json:"len,omitempty"`
	Why  string `json:"why,omitempty"`
}

// tracer keeps the digest of everything that happened and writes it down if asked to.
type tracer struct {
	out     io.Writer
	encoder *json.Encoder
	err     error
	lines   uint64
	sums    sums
	scratch []byte
}

func newTracer(out io.Writer) tracer {
	t := tracer{out: out, sums: newSums()}
	if out != nil {
		t.encoder = json.NewEncoder(out)
	}
	return t
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
	if t.encoder == nil || t.err != nil || r.kind == ack.String() {
		return // acknowledgements are in the digests; a reader of the lines has no use for them
	}
	t.err = t.encoder.Encode(line{
		T: int64(r.at), N: t.lines, K: r.kind, From: r.from, To: r.to, S: r.stream, D: r.side, Q: r.seq,
		Len: r.size, Why: r.why,
	})
}
