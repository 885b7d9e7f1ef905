// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"fmt"
)

// Type says what a frame is.
type Type uint8

// The types.
const (
	TypeHello Type = iota + 1
	TypeOpen
	TypeData
	TypeCredit
	TypeEnd
	TypeReset
	TypePing
	TypePong
	TypeDrain
	TypeGoodbye
	typeCount
)

// String is the type's name as the documents write it.
func (t Type) String() string {
	names := [typeCount]string{
		"type-0", "hello", "open", "data", "credit", "end", "reset", "ping", "pong", "drain", "goodbye",
	}
	if t > 0 && t < typeCount {
		return names[t]
	}
	return fmt.Sprintf("type-%d", uint8(t))
}

// Flags modify a frame.
type Flags uint8

const (
	// FlagBulk on an open frame makes a bulk stream.
	FlagBulk Flags = 0x01
	// FlagIgnorable on a type that the receiver does not know lets it skip the frame.
	FlagIgnorable Flags = 0x80
)

// Sizes of frames in bytes.
const (
	HeaderBytes = 16
	// RecordBytes is the longest plaintext of one TLS record; one transport write carries no more.
	RecordBytes = 16 << 10
	// MaxDataBytes makes header and payload fill one TLS record.
	MaxDataBytes    = RecordBytes - HeaderBytes
	MaxHelloBytes   = 1 << 10
	MaxControlBytes = 512
	// MaxTextBytes is the longest text in reset, drain and goodbye.
	MaxTextBytes = 256
)

// Header is the fixed part of a frame, big-endian:
//
//	offset size field
//	0      4    length of the payload that follows the header
//	4      1    type
//	5      1    flags
//	6      2    zero
//	8      4    stream, 0 for frames of the session
//	12     4    sequence: 0 for hello, then one more for each frame of the direction, modulo 2^32
type Header struct {
	Length   uint32
	Type     Type
	Flags    Flags
	Stream   uint32
	Sequence uint32
}

// Put writes the header to the first HeaderBytes of b.
func (h Header) Put(b []byte) {
	binary.BigEndian.PutUint32(b, h.Length)
	b[4], b[5], b[6], b[7] = byte(h.Type), byte(h.Flags), 0, 0
	binary.BigEndian.PutUint32(b[8:], h.Stream)
	binary.BigEndian.PutUint32(b[12:], h.Sequence)
}

// known reports whether this version of the line defines the type.
func (h Header) known() bool { return h.Type > 0 && h.Type < typeCount }

// shape is what a header of one type may say.
type shape struct {
	minBytes, maxBytes uint32
	flags              Flags
	onStream           bool
}

func shapeOf(t Type) shape {
	switch t {
	case TypeHello:
		return shape{minBytes: helloBytes, maxBytes: MaxHelloBytes}
	case TypeOpen:
		return shape{flags: FlagBulk, onStream: true}
	case TypeData:
		return shape{minBytes: 1, maxBytes: MaxDataBytes, onStream: true}
	case TypeCredit:
		return shape{minBytes: creditBytes, maxBytes: creditBytes, onStream: true}
	case TypeEnd:
		return shape{onStream: true}
	case TypeReset:
		return shape{minBytes: resetBytes, maxBytes: resetBytes + MaxTextBytes, onStream: true}
	case TypePing, TypePong:
		return shape{minBytes: tokenBytes, maxBytes: tokenBytes}
	case TypeDrain:
		return shape{maxBytes: MaxTextBytes}
	case TypeGoodbye:
		return shape{minBytes: goodbyeBytes, maxBytes: goodbyeBytes + MaxTextBytes}
	}
	return shape{maxBytes: MaxControlBytes}
}

// ParseHeader reads a header and checks everything that can be known before the payload is read:
// nothing may be allocated for a frame that it refuses. Errors: *ProtocolError (kind Corrupt).
func ParseHeader(b *[HeaderBytes]byte) (Header, error) {
	h := Header{
		Length: binary.BigEndian.Uint32(b[:]), Type: Type(b[4]), Flags: Flags(b[5]),
		Stream: binary.BigEndian.Uint32(b[8:]), Sequence: binary.BigEndian.Uint32(b[12:]),
	}
	if b[6] != 0 || b[7] != 0 {
		return Header{}, FaultReserved.errorf("%s frame: reserved bytes are % x", h.Type, b[6:8])
	}
	s := shapeOf(h.Type)
	if !h.known() {
		if h.Flags&FlagIgnorable == 0 {
			return Header{}, FaultUnknownType.errorf("%s is not known here and not marked as ignorable", h.Type)
		}
		if h.Length > s.maxBytes {
			return Header{}, FaultLength.errorf("%s frame announces %d bytes: limit is %d", h.Type, h.Length, s.maxBytes)
		}
		return h, nil
	}
	if h.Flags&^s.flags != 0 {
		return Header{}, FaultFlags.errorf("%s frame has flags %#02x", h.Type, uint8(h.Flags))
	}
	if h.Length < s.minBytes || h.Length > s.maxBytes {
		return Header{}, FaultLength.errorf("%s frame announces %d bytes: want %d to %d",
			h.Type, h.Length, s.minBytes, s.maxBytes)
	}
	if s.onStream != (h.Stream != 0) {
		return Header{}, FaultStreamID.errorf("%s frame names stream %d", h.Type, h.Stream)
	}
	return h, nil
}
