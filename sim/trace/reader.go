// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"fairlead/internal/errkind"
)

// maxLineBytes is the longest line that is read: 1 MiB.
const maxLineBytes = 1 << 20

// ErrCutOff is the end of a trace whose last line is not whole: its writer died.
var ErrCutOff = errkind.Corrupt.Errorf("the trace ends in the middle of a line")

// Reader reads a trace.
type Reader struct {
	// Head is the first line.
	Head Head

	in     *bufio.Reader
	raw    []byte
	number int
}

// NewReader reads the head of a trace. Errors: Corrupt, when it is none; Invalid, when this program is
// too old for it; the reader's.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, maxLineBytes)}
	err := r.scan()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errkind.Corrupt.Errorf("read a trace: it is empty")
	case err != nil:
		return nil, err
	}
	if json.Unmarshal(r.raw, &r.Head) != nil || r.Head.Kind != KindHead {
		return nil, errkind.Corrupt.Errorf("read a trace: line 1 is %.60q, want the head: is this a trace?", r.raw)
	}
	if r.Head.Format > Format {
		return nil, errkind.Invalid.Errorf(
			"read a trace: it has format %d, this program knows %d and below", r.Head.Format, Format)
	}
	return r, nil
}

// Next reads a line. Errors: io.EOF at the end; ErrCutOff; Corrupt for what is no line; the reader's.
func (r *Reader) Next() (Line, error) {
	var l Line
	if err := r.scan(); err != nil {
		return l, err
	}
	if err := json.Unmarshal(r.raw, &l); err != nil || l.Kind == "" {
		return l, errkind.Corrupt.Errorf("line %d of the trace: %.60q is no event", r.number, r.raw)
	}
	return l, nil
}

// scan reads a line into raw, without its end.
func (r *Reader) scan() error {
	raw, err := r.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return errkind.Corrupt.Errorf("line %d of the trace is longer than %d bytes", r.number+1, maxLineBytes)
	case errors.Is(err, io.EOF) && len(raw) > 0:
		return ErrCutOff
	case err != nil:
		return err
	}
	r.number++
	r.raw = bytes.TrimSuffix(raw, []byte("\n"))
	return nil
}
