// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"fairlead/internal/errkind"
)

// The answer of script.follow is a sequence of frames until the verdict:
//
//	u8 kind (1 records, 2 status) | u32 length, big-endian | body
//
// A records frame holds whole records (see Record) that go on where the last frame ended; a
// status frame holds a TicketStatus in JSON.
const (
	followRecords = 1
	followStatus  = 2
	// MaxFollowFrame is the longest body of a frame: 256 KiB.
	MaxFollowFrame = 256 << 10
)

// FollowWriter writes follow frames.
type FollowWriter struct{ W io.Writer }

// Records sends whole records, at most MaxFollowFrame bytes.
func (f FollowWriter) Records(raw []byte) error { return f.frame(followRecords, raw) }

// Status sends a status.
func (f FollowWriter) Status(s TicketStatus) error {
	body, err := json.Marshal(s)
	if err != nil {
		return errkind.Internal.Errorf("encode status: %w", err)
	}
	return f.frame(followStatus, body)
}

func (f FollowWriter) frame(kind byte, body []byte) error {
	framed := make([]byte, 0, 5+len(body))
	framed = append(framed, kind)
	framed = binary.BigEndian.AppendUint32(framed, uint32(len(body)))
	_, err := f.W.Write(append(framed, body...))
	return err
}

// FollowReader reads follow frames; Offset is where the next records frame must begin.
type FollowReader struct {
	R      io.Reader
	Offset int64
}

// Next returns the records of the next frame, or its status. Errors: Corrupt; io.EOF after the
// last frame.
func (f *FollowReader) Next() ([]Record, *TicketStatus, error) {
	var prefix [5]byte
	if _, err := io.ReadFull(f.R, prefix[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil, io.EOF
		}
		return nil, nil, short("follow frame", err)
	}
	size := binary.BigEndian.Uint32(prefix[1:])
	if size > MaxFollowFrame {
		return nil, nil, errkind.Corrupt.Errorf("follow frame announces %d bytes: limit is %d", size, MaxFollowFrame)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(f.R, body); err != nil {
		return nil, nil, short("follow frame", err)
	}
	switch prefix[0] {
	case followRecords:
		records, err := f.records(body)
		return records, nil, err
	case followStatus:
		status := new(TicketStatus)
		return nil, status, Decode(body, status)
	}
	return nil, nil, errkind.Corrupt.Errorf("follow frame of kind %d", prefix[0])
}

func (f *FollowReader) records(body []byte) ([]Record, error) {
	var records []Record
	for len(body) > 0 {
		record, rest, ok, err := ParseRecord(body, f.Offset)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, errkind.Corrupt.Errorf("follow frame ends inside the record at offset %d", f.Offset)
		}
		records = append(records, record)
		f.Offset, body = record.End(), rest
	}
	return records, nil
}
