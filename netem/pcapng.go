// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
	"time"
)

// Numbers of the file format. Source: draft-ietf-opsawg-pcapng.
const (
	sectionBlock    = 0x0A0D0D0A
	interfaceBlock  = 1
	nameBlock       = 4
	packetBlock     = 6
	secretsBlock    = 10
	byteOrder       = 0x1A2B3C4D
	unknownLength   = math.MaxUint64
	linkRaw         = 101 // IPv4 without a link layer
	nanoseconds     = 9   // 10^-9 s
	keyLogSecrets   = 0x544c534b
	nameEnd         = 0
	nameIPv4        = 1
	optEnd          = 0
	optComment      = 1
	optHardware     = 2 // of a section
	optApplication  = 4
	optName         = 2 // of an interface
	optDescription  = 3
	optResolution   = 9
	optFlags        = 2 // of a packet
	flagInbound     = 1
	flagOutbound    = 2
	blockFrameBytes = 12 // type and both lengths
	packetHeadBytes = 20
	optionHeadBytes = 4
	flagsBytes      = optionHeadBytes + 4
	maxOptionBytes  = 4 << 10
	application     = "fairlead netem"
)

// pcapng writes blocks. The first error stops it.
type pcapng struct {
	out     *bufio.Writer
	epoch   time.Time
	scratch []byte
	payload []byte
	written int64
	err     error
}

func newPcapng(out io.Writer, epoch time.Time) *pcapng {
	return &pcapng{out: bufio.NewWriter(out), epoch: epoch}
}

func (f *pcapng) end() (int64, error) {
	if f.err == nil {
		f.err = f.out.Flush()
	}
	return f.written, f.err
}

// block writes what build appends to an empty body.
func (f *pcapng) block(kind uint32, build func(body []byte) []byte) {
	if f.err != nil {
		return
	}
	b := binary.LittleEndian.AppendUint32(f.scratch[:0], kind)
	b = pad(build(append(b, 0, 0, 0, 0)))
	size := uint32(len(b) + 4)
	binary.LittleEndian.PutUint32(b[4:], size)
	b = binary.LittleEndian.AppendUint32(b, size)
	f.scratch = b
	n, err := f.out.Write(b)
	f.written, f.err = f.written+int64(n), err
}

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// option appends an option; text that is too long is cut.
func option(b []byte, code uint16, value string) []byte {
	value = value[:min(len(value), maxOptionBytes)]
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

func endOfOptions(b []byte) []byte { return append(b, optEnd, 0, 0, 0) }

func (f *pcapng) section(comment string) {
	f.block(sectionBlock, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint32(b, byteOrder)
		b = append(b, 1, 0, 0, 0) // version 1.0
		b = binary.LittleEndian.AppendUint64(b, unknownLength)
		b = option(b, optComment, comment)
		b = option(b, optHardware, "virtual time")
		return endOfOptions(option(b, optApplication, application))
	})
}

func (f *pcapng) face(name, segment string) {
	f.block(interfaceBlock, func(b []byte) []byte {
		b = append(b, linkRaw, 0, 0, 0, 0, 0, 0, 0) // snapshots are not cut
		b = option(b, optName, name)
		b = option(b, optDescription, "on segment "+segment)
		return endOfOptions(option(b, optResolution, string([]byte{nanoseconds})))
	})
}

// names lets readers show names for addresses.
func (f *pcapng) names(hosts []captureHost) {
	f.block(nameBlock, func(b []byte) []byte {
		for _, h := range hosts {
			if h.named {
				b = option(b, nameIPv4, string(h.addr[:])+h.name+"\x00")
			}
		}
		return append(b, nameEnd, 0, 0, 0)
	})
}

func (f *pcapng) secrets(keyLog []byte) {
	if len(keyLog) == 0 {
		return
	}
	f.block(secretsBlock, func(b []byte) []byte {
		b = binary.LittleEndian.AppendUint32(b, keyLogSecrets)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(keyLog)))
		return append(b, keyLog...)
	})
}

// packet writes a block for each part of a frame.
func (f *pcapng) packet(one *frame, comment string) {
	for n := range one.parts() {
		f.payload = one.part(f.payload[:0], n)
		f.block(packetBlock, func(b []byte) []byte {
			at := uint64(f.epoch.UnixNano()) + uint64(one.at)
			b = binary.LittleEndian.AppendUint32(b, uint32(one.host))
			b = binary.LittleEndian.AppendUint32(b, uint32(at>>32))
			b = binary.LittleEndian.AppendUint32(b, uint32(at))
			b = binary.LittleEndian.AppendUint32(b, uint32(len(f.payload)))
			b = binary.LittleEndian.AppendUint32(b, uint32(len(f.payload)))
			b = pad(append(b, f.payload...))
			if comment != "" {
				b = option(b, optComment, comment)
			}
			way := byte(flagOutbound)
			if one.inbound {
				way = flagInbound
			}
			return endOfOptions(option(b, optFlags, string([]byte{way, 0, 0, 0})))
		})
	}
}

// blockBytes is at least what the frame takes in the file.
func (f *frame) blockBytes() int {
	headers := ipHeaderBytes + tcpHeaderBytes + len(f.options())
	each := blockFrameBytes + packetHeadBytes + headers + flagsBytes + 2*optionHeadBytes
	return f.parts()*(each+len(f.comment)+6) + len(f.data)
}
