// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package delta

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"

	"fairlead/internal/errkind"
)

const (
	magic = "FLD1"
	// blockBytes of the new are described by one block.
	blockBytes = 4 << 20
	// joinBytes equal bytes between two places that differ are cheaper as zeros than as a gap.
	joinBytes = 2
)

// The streams of a block.
const (
	opsStream = iota
	gapsStream
	diffsStream
	plainStream
	streams
)

// encoder writes a delta block by block.
type encoder struct {
	w          io.Writer
	old, fresh []byte
	left       int64 // bytes that may still be written
	done       int   // bytes of the new that are described
	copied     int   // end of the last copy in the old
	began      int   // first byte of the block in the new
	run        int   // bytes at the end of plain that no op has named yet
	raw        [streams][]byte
	packed     [streams]bytes.Buffer
	deflater   *flate.Writer
}

func newEncoder(w io.Writer, old, fresh []byte, limit int64) *encoder {
	deflater, _ := flate.NewWriter(io.Discard, flate.BestCompression) // the level is one there is
	return &encoder{w: w, old: old, fresh: fresh, left: limit, deflater: deflater}
}

func (e *encoder) head() error {
	head := binary.AppendUvarint([]byte(magic), uint64(len(e.old)))
	return e.write(binary.AppendUvarint(head, uint64(len(e.fresh))))
}

func (e *encoder) write(p []byte) error {
	if e.left -= int64(len(p)); e.left < 0 {
		return errkind.Exhausted.Errorf("delta is longer than it may be after %d of %d bytes", e.began, len(e.fresh))
	}
	_, err := e.w.Write(p)
	return err
}

// room is how many bytes the block still takes.
func (e *encoder) room() int { return e.began + blockBytes - e.done }

// copy describes everything up to the end of a match.
func (e *encoder) copy(c match) error {
	if err := e.literal(c.to); err != nil {
		return err
	}
	for c.n > 0 {
		n := min(c.n, e.room())
		e.part(match{c.to, c.from, n})
		c = match{c.to + n, c.from + n, c.n - n}
		if err := e.flushFull(); err != nil {
			return err
		}
	}
	return nil
}

// literal describes everything up to to as it is.
func (e *encoder) literal(to int) error {
	for e.done < to {
		n := min(to-e.done, e.room())
		e.raw[plainStream] = append(e.raw[plainStream], e.fresh[e.done:e.done+n]...)
		e.run += n
		e.done += n
		if err := e.flushFull(); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) op(n int) { e.raw[opsStream] = binary.AppendUvarint(e.raw[opsStream], uint64(n)) }

// part describes a copy within the block.
func (e *encoder) part(c match) {
	e.op(e.run)
	e.raw[opsStream] = binary.AppendVarint(e.raw[opsStream], int64(c.from-e.copied))
	e.op(c.n)
	e.op(e.places(e.old[c.from:c.from+c.n], e.fresh[c.to:c.to+c.n]))
	e.run, e.copied, e.done = 0, c.from+c.n, e.done+c.n
}

// places describes where two equally long contents differ, and how often.
func (e *encoder) places(old, fresh []byte) (count int) {
	last := 0
	for i := 0; i < len(fresh); i++ {
		if old[i] == fresh[i] {
			continue
		}
		end, equal := i+1, 0
		for k := i + 1; k < len(fresh) && equal <= joinBytes; k++ {
			if equal++; old[k] != fresh[k] {
				end, equal = k+1, 0
			}
		}
		e.raw[gapsStream] = binary.AppendUvarint(e.raw[gapsStream], uint64(i-last))
		e.raw[gapsStream] = binary.AppendUvarint(e.raw[gapsStream], uint64(end-i))
		for k := i; k < end; k++ {
			e.raw[diffsStream] = append(e.raw[diffsStream], fresh[k]-old[k])
		}
		i, last = end-1, end
		count++
	}
	return count
}

func (e *encoder) finish() error {
	if err := e.literal(len(e.fresh)); err != nil || e.done == e.began {
		return err
	}
	return e.flush()
}

func (e *encoder) flushFull() error {
	if e.room() > 0 {
		return nil
	}
	return e.flush()
}

// flush ends the block.
func (e *encoder) flush() error {
	if e.run > 0 {
		e.op(e.run)
	}
	head := binary.AppendUvarint(nil, uint64(e.done-e.began))
	for i := range e.raw {
		e.packed[i].Reset()
		e.deflater.Reset(&e.packed[i])
		if _, err := e.deflater.Write(e.raw[i]); err != nil {
			return err
		}
		if err := e.deflater.Close(); err != nil {
			return err
		}
		head = binary.AppendUvarint(head, uint64(e.packed[i].Len()))
		e.raw[i] = e.raw[i][:0]
	}
	e.run, e.began = 0, e.done
	if err := e.write(head); err != nil {
		return err
	}
	for i := range e.packed {
		if err := e.write(e.packed[i].Bytes()); err != nil {
			return err
		}
	}
	return nil
}
