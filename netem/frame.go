// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"encoding/binary"
	"math"
	"net/netip"
)

// Numbers of the headers. Sources: RFC 791, 792, 1122, 7323, 9293.
const (
	ipHeaderBytes   = 20
	tcpHeaderBytes  = 20
	icmpHeaderBytes = 8
	protocolICMP    = 1
	protocolTCP     = 6
	timeToLive      = 64
	dontFragment    = 0x4000
	// maxFrameBytes is the most payload of one IPv4 packet here: 44 segments of 1,460 bytes.
	maxFrameBytes = 44 * 1460
	// windowShift is the scale that both ends offer: windows count in 128 bytes.
	windowShift = 7
	// quotedBytes is how much of a packet's TCP header ICMP repeats.
	quotedBytes = 8

	destinationUnreachable = 3
	hostUnreachable        = 1

	finFlag, synFlag, rstFlag, pushFlag, ackFlag = 1, 2, 4, 8, 16
)

// nameless is whose name ICMP bears here, as boxes have no addresses of their own: the IPv4 dummy
// address of RFC 7600.
func nameless() netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 0, 8}) }

// flags are the TCP flags of a kind of packet.
func (k Kind) flags() byte {
	switch k {
	case syn:
		return synFlag
	case synAck:
		return synFlag | ackFlag
	case data:
		return pushFlag | ackFlag
	case fin:
		return finFlag | ackFlag
	case rst:
		return rstFlag | ackFlag
	}
	return ackFlag
}

// firstNumber is the initial sequence number of one side of a connection.
func firstNumber(key uint64, side int) uint32 { return uint32(chance(key, uint64(side), 7919)) }

// numbers are the sequence and acknowledgement numbers as they stand in a header: SYN takes one
// number, so the first byte has the next.
func (p *Packet) numbers() (sequence, acknowledged uint32) {
	sequence = firstNumber(p.key, p.side)
	switch p.Kind {
	case syn:
		return sequence, 0
	case synAck:
	case probe:
		sequence += uint32(p.seq) // of a byte that has arrived long ago, so that there is an answer
	default:
		sequence += 1 + uint32(p.seq)
	}
	return sequence, firstNumber(p.key, 1-p.side) + 1 + uint32(p.ack)
}

// window is what the header says that the receiver still takes.
func (p *Packet) window() uint16 {
	room := p.edge - min(p.edge, p.ack)
	switch p.Kind {
	case rst:
		return 0
	case syn, synAck:
		return uint16(min(room, math.MaxUint16)) // not scaled yet
	}
	return uint16(min(room>>windowShift, math.MaxUint16))
}

// options are maximum segment size 1,460 and the window scale, where they are allowed.
func (p *Packet) options() []byte {
	if p.Kind != syn && p.Kind != synAck {
		return nil
	}
	return []byte{2, 4, 1460 >> 8, 1460 & 0xff, 1, 3, 3, windowShift}
}

// parts is how many IPv4 packets a flight becomes.
func (f *frame) parts() int { return max(1, (len(f.data)+maxFrameBytes-1)/maxFrameBytes) }

// part appends one of them.
func (f *frame) part(b []byte, n int) []byte {
	if f.icmp {
		return f.appendUnreachable(b)
	}
	first := n * maxFrameBytes
	return f.appendTCP(b, f.data[min(first, len(f.data)):min(first+maxFrameBytes, len(f.data))], first)
}

// appendTCP appends a packet whose payload begins offset bytes after the flight's first byte.
func (f *frame) appendTCP(b, payload []byte, offset int) []byte {
	options := f.options()
	segment := tcpHeaderBytes + len(options) + len(payload)
	start := len(b)
	b = appendIPv4(b, protocolTCP, f.From.Addr(), f.To.Addr(), segment)
	header := len(b)
	sequence, acknowledged := f.numbers()
	b = binary.BigEndian.AppendUint16(b, f.From.Port())
	b = binary.BigEndian.AppendUint16(b, f.To.Port())
	b = binary.BigEndian.AppendUint32(b, sequence+uint32(offset))
	b = binary.BigEndian.AppendUint32(b, acknowledged)
	b = append(b, byte(tcpHeaderBytes+len(options))<<2, f.Kind.flags())
	b = binary.BigEndian.AppendUint16(b, f.window())
	b = append(b, 0, 0, 0, 0) // checksum, urgent pointer
	b = append(append(b, options...), payload...)
	pseudo := sum16(b[start+12:start+ipHeaderBytes], 0) + protocolTCP + uint32(segment)
	binary.BigEndian.PutUint16(b[header+16:], checksum(b[header:], pseudo))
	return b
}

// appendUnreachable appends ICMP "host unreachable" about the packet.
func (f *frame) appendUnreachable(b []byte) []byte {
	about := frame{Packet: f.Packet}
	quoted := about.appendTCP(nil, f.data[:min(len(f.data), maxFrameBytes)], 0)[:ipHeaderBytes+quotedBytes]
	b = appendIPv4(b, protocolICMP, nameless(), f.From.Addr(), icmpHeaderBytes+len(quoted))
	header := len(b)
	b = append(b, destinationUnreachable, hostUnreachable, 0, 0, 0, 0, 0, 0)
	b = append(b, quoted...)
	binary.BigEndian.PutUint16(b[header+2:], checksum(b[header:], 0))
	return b
}

func appendIPv4(b []byte, protocol byte, from, to netip.Addr, payload int) []byte {
	start := len(b)
	b = append(b, 4<<4|ipHeaderBytes/4, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(ipHeaderBytes+payload))
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, dontFragment)
	b = append(b, timeToLive, protocol, 0, 0)
	source, target := four(from), four(to)
	b = append(append(b, source[:]...), target[:]...)
	binary.BigEndian.PutUint16(b[start+10:], checksum(b[start:start+ipHeaderBytes], 0))
	return b
}

// four is an address as IPv4 has it. The network dials no other; one that a program made up is shown
// as 0.0.0.0.
func four(a netip.Addr) [4]byte {
	if a = a.Unmap(); a.Is4() {
		return a.As4()
	}
	return [4]byte{}
}

// sum16 is the sum of RFC 1071 before its complement.
func sum16(b []byte, sum uint32) uint32 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func checksum(b []byte, sum uint32) uint16 {
	sum = sum16(b, sum)
	for sum > math.MaxUint16 {
		sum = sum&math.MaxUint16 + sum>>16
	}
	return ^uint16(sum)
}
