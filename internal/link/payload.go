// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Sizes of the fixed parts of payloads in bytes.
const (
	helloBytes   = 64
	creditBytes  = 4
	resetBytes   = 2
	tokenBytes   = 8
	goodbyeBytes = 8
	// BindingBytes is the length of a session binding.
	BindingBytes = 32
)

// Ranges that a hello may state.
const (
	minPing, maxPing        = time.Second, 10 * time.Minute
	minDead, maxDead        = 2 * time.Second, time.Hour
	minWindowBytes          = RecordBytes
	maxWindowBytes          = 64 << 20
	maxStreamCount   uint16 = 1024
)

// hello introduces one side:
//
//	offset size field
//	0      2    newest version
//	2      2    oldest version
//	4      1    role: 1 caller, 2 servant
//	5      3    zero
//	8      4    ping after so much silence, ms, 1,000 to 600,000
//	12     4    dead after so much silence, ms, 2,000 to 3,600,000
//	16     2    streams accepted at once, 1 to 1,024
//	18     2    of which bulk, 0 to 1,024
//	20     4    window of a control stream, bytes, 16 KiB to 64 MiB
//	24     4    window of a bulk stream, bytes, 16 KiB to 64 MiB
//	28     4    features, a set of bits; unknown ones are ignored (none are defined)
//	32     32   session binding
//	64     …    ignored; room for later versions, up to 1 KiB in all
type hello struct {
	newest, oldest uint16
	role           Role
	ping, dead     time.Duration
	streams, bulk  uint16
	windows        [classCount]uint32
	binding        [BindingBytes]byte
}

func (h hello) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, h.newest)
	b = binary.BigEndian.AppendUint16(b, h.oldest)
	b = append(b, byte(h.role), 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(h.ping.Milliseconds()))
	b = binary.BigEndian.AppendUint32(b, uint32(h.dead.Milliseconds()))
	b = binary.BigEndian.AppendUint16(b, h.streams)
	b = binary.BigEndian.AppendUint16(b, h.bulk)
	b = binary.BigEndian.AppendUint32(b, h.windows[control])
	b = binary.BigEndian.AppendUint32(b, h.windows[bulk])
	b = binary.BigEndian.AppendUint32(b, 0)
	return append(b, h.binding[:]...)
}

func parseHello(b []byte) (hello, error) {
	if len(b) < helloBytes {
		return hello{}, FaultLength.errorf("hello has %d bytes: want %d at least", len(b), helloBytes)
	}
	h := hello{
		newest: binary.BigEndian.Uint16(b), oldest: binary.BigEndian.Uint16(b[2:]), role: Role(b[4]),
		ping:    time.Duration(binary.BigEndian.Uint32(b[8:])) * time.Millisecond,
		dead:    time.Duration(binary.BigEndian.Uint32(b[12:])) * time.Millisecond,
		streams: binary.BigEndian.Uint16(b[16:]), bulk: binary.BigEndian.Uint16(b[18:]),
		windows: [classCount]uint32{binary.BigEndian.Uint32(b[20:]), binary.BigEndian.Uint32(b[24:])},
		binding: [BindingBytes]byte(b[32:]),
	}
	if b[5] != 0 || b[6] != 0 || b[7] != 0 {
		return hello{}, FaultReserved.errorf("hello: reserved bytes are % x", b[5:8])
	}
	return h, h.check()
}

func (h hello) check() error {
	if h.newest < h.oldest || h.oldest == 0 {
		return FaultHello.errorf("versions %d to %d", h.oldest, h.newest)
	}
	if h.ping < minPing || h.ping > maxPing || h.dead < minDead || h.dead > maxDead {
		return FaultHello.errorf("ping after %v, dead after %v: want %v to %v and %v to %v",
			h.ping, h.dead, minPing, maxPing, minDead, maxDead)
	}
	if h.streams == 0 || h.streams > maxStreamCount || h.bulk > maxStreamCount {
		return FaultHello.errorf("%d streams, %d bulk: want 1 to %d", h.streams, h.bulk, maxStreamCount)
	}
	for _, window := range h.windows {
		if window < minWindowBytes || window > maxWindowBytes {
			return FaultHello.errorf("window of %d bytes: want %d to %d", window, minWindowBytes, maxWindowBytes)
		}
	}
	return nil
}

// ResetCode says why a stream was reset.
type ResetCode uint16

// The codes. An unknown one counts as ResetByApplication.
const (
	ResetByApplication ResetCode = 1
	ResetDraining      ResetCode = 2 // the stream was never served: open it elsewhere
	ResetTooSlow       ResetCode = 3 // a bulk stream fell below the rate floor
)

// appendReset writes code (2 bytes) and text.
func appendReset(b []byte, code ResetCode, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(code)), text...)
}

func parseReset(b []byte) (ResetCode, string, error) {
	if len(b) < resetBytes {
		return 0, "", FaultLength.errorf("reset has %d bytes: want %d at least", len(b), resetBytes)
	}
	text, err := parseText(b[resetBytes:])
	return ResetCode(binary.BigEndian.Uint16(b)), text, err
}

// GoodbyeCode says why a session ends on purpose.
type GoodbyeCode uint16

// The codes. An unknown one is kept as its number.
const (
	GoodbyeStopping GoodbyeCode = 1 // the program stops or restarts
	GoodbyeDrained  GoodbyeCode = 2 // the drain that was announced is complete
	GoodbyeReplaced GoodbyeCode = 3 // a newer session of the same agent took over
	GoodbyeBusy     GoodbyeCode = 4 // too many at once: come back after the stated time
	GoodbyeRevoked  GoodbyeCode = 5 // this identity is not trusted any more
	GoodbyeFault    GoodbyeCode = 6 // the peer broke the protocol; the text names the fault
	GoodbyeVersion  GoodbyeCode = 7 // no version in common
)

// Goodbye is the payload of the frame that ends a session:
//
//	offset size field
//	0      2    code
//	2      2    zero
//	4      4    come back after so many ms, 0 for no wish
//	8      …    text for people, UTF-8 without control characters, up to 256 bytes
type Goodbye struct {
	Code       GoodbyeCode
	RetryAfter time.Duration // ms precision, 0 to 49 days
	Text       string
}

func (g Goodbye) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(g.Code))
	b = append(b, 0, 0)
	ms := min(max(g.RetryAfter.Milliseconds(), 0), 1<<32-1)
	b = binary.BigEndian.AppendUint32(b, uint32(ms))
	return append(b, g.Text...)
}

func parseGoodbye(b []byte) (Goodbye, error) {
	if len(b) < goodbyeBytes {
		return Goodbye{}, FaultLength.errorf("goodbye has %d bytes: want %d at least", len(b), goodbyeBytes)
	}
	if b[2] != 0 || b[3] != 0 {
		return Goodbye{}, FaultReserved.errorf("goodbye: reserved bytes are % x", b[2:4])
	}
	text, err := parseText(b[goodbyeBytes:])
	return Goodbye{
		Code:       GoodbyeCode(binary.BigEndian.Uint16(b)),
		RetryAfter: time.Duration(binary.BigEndian.Uint32(b[4:])) * time.Millisecond,
		Text:       text,
	}, err
}

// parseText refuses what would be dangerous in a log: it is shown to people as it is.
func parseText(b []byte) (string, error) {
	if len(b) > MaxTextBytes {
		return "", FaultLength.errorf("text has %d bytes: limit is %d", len(b), MaxTextBytes)
	}
	if !utf8.Valid(b) {
		return "", FaultText.errorf("text is not UTF-8: %.32x", b)
	}
	text := string(b)
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", FaultText.errorf("text has control characters: %.80q", text)
	}
	return text, nil
}

// cleanText makes any text one that parseText takes.
func cleanText(text string) string {
	clean := func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}
	text = strings.Map(clean, strings.ToValidUTF8(text, "?"))
	if len(text) <= MaxTextBytes {
		return text
	}
	text = text[:MaxTextBytes]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text
}
