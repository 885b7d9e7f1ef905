// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/binary"

	"fairlead/internal/errkind"
)

// Source says who wrote a record.
type Source uint8

// The sources.
const (
	Stdout Source = 1
	Stderr Source = 2
	Agent  Source = 3 // Fairlead's own remarks: waiting for a lock, cut logs, step progress
)

// Record flags.
const (
	// FlagMore marks a piece of a line that goes on in the next record of the same source.
	FlagMore uint8 = 1 << 0
	// flagLevel are the bits that hold the Level.
	flagLevel      uint8 = 7 << flagLevelShift
	flagLevelShift       = 1
)

// Level says how loud a record is meant to be, where a script has said so.
type Level uint8

// The levels.
const (
	LevelDefault   Level = 0 // what the source stands for
	LevelVerbose   Level = 1
	LevelHighlight Level = 2
	LevelWait      Level = 3
	LevelWarning   Level = 4
	LevelError     Level = 5
	// LevelProgress is no line of the log but how far the script has come, see ParseProgress.
	LevelProgress Level = 6
)

// LevelFlags are the flags of a record of a level.
func LevelFlags(l Level) uint8 { return uint8(l) << flagLevelShift }

// MaxRecordText is the longest text of one record, in bytes. A longer line comes in pieces.
const MaxRecordText = 64 << 10

// recordHeader is the fixed part:
//
//	offset size field
//	0      4    length of the text, big-endian, 0 … MaxRecordText
//	4      1    source
//	5      1    flags: 1 more, 2 … 8 the level
//	6      2    zero
//	8      8    wall clock, ms since 1970, big-endian
//	16     8    monotonic clock, us since the log was begun, big-endian, 0 … 2^63-1
//	24     …    text, without its newline
const recordHeader = 24

// Record is one line of output (or a piece of one) with its place in the ticket's log. On disk
// and on the wire it has the same bytes, so an offset in the file is an offset in the stream.
type Record struct {
	Offset int64 // of the first header byte in the ticket's log
	Source Source
	Flags  uint8
	WallMS int64
	// MonoUS orders and spaces records also where the wall clock was set in between.
	MonoUS int64
	Text   []byte
}

// Level is how loud the record is meant to be.
func (r Record) Level() Level { return Level(r.Flags & flagLevel >> flagLevelShift) }

// End is the offset of the record that follows.
func (r Record) End() int64 { return r.Offset + recordHeader + int64(len(r.Text)) }

// AppendRecord appends the bytes of r. The text must not be longer than MaxRecordText.
func AppendRecord(to []byte, r Record) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(r.Text)))
	to = append(to, byte(r.Source), r.Flags, 0, 0)
	to = binary.BigEndian.AppendUint64(to, uint64(r.WallMS))
	to = binary.BigEndian.AppendUint64(to, uint64(r.MonoUS))
	return append(to, r.Text...)
}

// ParseRecord reads the record at the start of b, which lies at offset. It returns the rest and
// false when b holds no whole record yet. The text shares b's memory. Errors: Corrupt.
func ParseRecord(b []byte, offset int64) (r Record, rest []byte, ok bool, err error) {
	if len(b) < recordHeader {
		return Record{}, b, false, nil
	}
	size := binary.BigEndian.Uint32(b)
	source := Source(b[4])
	if size > MaxRecordText || source < Stdout || source > Agent || b[5]&^(FlagMore|flagLevel) != 0 ||
		b[5]&flagLevel > LevelFlags(LevelProgress) || b[6] != 0 || b[7] != 0 ||
		b[16]&0x80 != 0 {
		err := errkind.Corrupt.Errorf("log record at offset %d: header % x is not one", offset, b[:recordHeader])
		return Record{}, b, false, err
	}
	end := recordHeader + int(size)
	if len(b) < end {
		return Record{}, b, false, nil
	}
	r = Record{
		Offset: offset, Source: source, Flags: b[5],
		WallMS: int64(binary.BigEndian.Uint64(b[8:])), MonoUS: int64(binary.BigEndian.Uint64(b[16:])),
		Text: b[recordHeader:end:end],
	}
	return r, b[end:], true, nil
}
