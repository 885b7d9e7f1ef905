// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"fairlead/internal/errkind"
)

// The PROXY protocol: a header in front of the bytes that a balancer passes on, with the address
// of the client. Source: HAProxy, doc/proxy-protocol.txt, sections 2.1 (text) and 2.2 (binary).
const (
	headerBegin1 = "PROXY "
	headerBegin2 = "\r\n\r\n\x00\r\nQUIT\n"
	// maxHeader1Bytes is the longest text, its end included.
	maxHeader1Bytes = 107
	fixedBytes      = 16 // of a binary header, before addresses and extras
	// maxHeader2Bytes bounds addresses and extras of a binary header. Balancers of clouds send some
	// 100 bytes of extras; a limit of the format is 65,535.
	maxHeader2Bytes = 2 << 10

	extraChecksum = 0x03 // PP2_TYPE_CRC32C
	addresses4    = 12   // bytes of two IPv4 addresses and ports
	addresses6    = 36
)

// readHeader reads the header of conn, and nothing behind it. The client is not valid when the
// balancer speaks for itself, as in its health checks. Errors: Corrupt, those of r.
func readHeader(r io.Reader) (client netip.AddrPort, err error) {
	head := make([]byte, len(headerBegin1), maxHeader1Bytes)
	if _, err := io.ReadFull(r, head); err != nil {
		return client, cutShort(err)
	}
	if string(head) != headerBegin1 {
		return readBinary(r, head)
	}
	for !strings.HasSuffix(string(head), "\r\n") {
		if len(head) == maxHeader1Bytes {
			return client, errkind.Corrupt.Errorf("PROXY header has no end within %d bytes", maxHeader1Bytes)
		}
		head = head[:len(head)+1]
		if _, err := io.ReadFull(r, head[len(head)-1:]); err != nil {
			return client, cutShort(err)
		}
	}
	return parseText(strings.TrimSuffix(string(head), "\r\n"))
}

func cutShort(err error) error { return errkind.Corrupt.Errorf("PROXY header is cut short: %w", err) }

// parseText takes "PROXY TCP4 192.0.2.1 198.51.100.9 50000 10943".
func parseText(line string) (client netip.AddrPort, err error) {
	words := strings.Split(line, " ")
	if words[1] == "UNKNOWN" {
		return client, nil // whatever else the line says
	}
	if len(words) != 6 || words[1] != "TCP4" && words[1] != "TCP6" {
		return client, errkind.Corrupt.Errorf("PROXY header %q: want TCP4, TCP6 or UNKNOWN, two addresses, two ports", line)
	}
	for i := 2; i < 4; i++ {
		ip, err := netip.ParseAddr(words[i])
		port, portErr := strconv.ParseUint(words[i+2], 10, 16)
		if err != nil || ip.Zone() != "" || ip.Is4() != (words[1] == "TCP4") ||
			portErr != nil || strconv.FormatUint(port, 10) != words[i+2] {
			return netip.AddrPort{}, errkind.Corrupt.Errorf("PROXY header %q: %q and %q are no address and port of %s",
				line, words[i], words[i+2], words[1])
		}
		if i == 2 {
			client = netip.AddrPortFrom(ip.Unmap(), uint16(port))
		}
	}
	return client, nil
}

// readBinary goes on behind the bytes that were read.
func readBinary(r io.Reader, begin []byte) (client netip.AddrPort, err error) {
	head := make([]byte, fixedBytes, fixedBytes+maxHeader2Bytes)
	if _, err := io.ReadFull(r, head[copy(head, begin):]); err != nil {
		return client, cutShort(err)
	}
	size := int(binary.BigEndian.Uint16(head[14:]))
	switch {
	case string(head[:len(headerBegin2)]) != headerBegin2:
		return client, errkind.Corrupt.Errorf("PROXY header begins with %q", head[:len(headerBegin2)])
	case head[12]>>4 != 2:
		return client, errkind.Corrupt.Errorf("PROXY header is of version %d: want 1 or 2", head[12]>>4)
	case size > maxHeader2Bytes:
		return client, errkind.Corrupt.Errorf("PROXY header announces %d bytes: limit is %d", size, maxHeader2Bytes)
	}
	head = head[:fixedBytes+size]
	if _, err := io.ReadFull(r, head[fixedBytes:]); err != nil {
		return client, cutShort(err)
	}
	return parseBinary(head)
}

func parseBinary(head []byte) (client netip.AddrPort, err error) {
	body, length := head[fixedBytes:], 0
	switch command, family := head[12]&0x0f, head[13]; {
	case command == 0: // LOCAL
		return client, nil
	case command != 1:
		return client, errkind.Corrupt.Errorf("PROXY header has command %d: want 0 or 1", command)
	case family == 0x00: // not said
	case family == 0x11:
		length = addresses4
	case family == 0x21:
		length = addresses6
	default:
		return client, errkind.Corrupt.Errorf("PROXY header is of family %#02x: want TCP over IPv4 or IPv6", family)
	}
	if len(body) < length {
		return client, errkind.Corrupt.Errorf("PROXY header has %d bytes of addresses: want %d", len(body), length)
	}
	if err := checkExtras(head, fixedBytes+length); err != nil || length == 0 {
		return client, err
	}
	size := (length - 4) / 2 // of one address; two ports follow both
	ip, _ := netip.AddrFromSlice(body[:size])
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(body[2*size:])), nil
}

// checkExtras walks the extras, which must fill the header, and checks the checksum if it is there.
func checkExtras(head []byte, at int) error {
	for at < len(head) {
		if at+3 > len(head) {
			return errkind.Corrupt.Errorf("PROXY header ends in the middle of an extra")
		}
		kind, value := head[at], at+3
		end := value + int(binary.BigEndian.Uint16(head[at+1:]))
		if end > len(head) {
			return errkind.Corrupt.Errorf("PROXY header ends in the middle of extra %#02x", kind)
		}
		if kind == extraChecksum {
			if end-value != 4 || checksum(head, value) != binary.BigEndian.Uint32(head[value:]) {
				return errkind.Corrupt.Errorf("PROXY header's checksum is wrong")
			}
		}
		at = end
	}
	return nil
}

// checksum is the CRC-32C of the header with zeros in the place of the four bytes at that offset.
func checksum(head []byte, at int) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, head[:at])
	sum = crc32.Update(sum, table, make([]byte, 4))
	return crc32.Update(sum, table, head[at+4:])
}

// passedOn is a connection that a balancer passed on: it has the client's address.
type passedOn struct {
	net.Conn
	client net.Addr
}

// RemoteAddr is the address of the client, as the balancer has told.
func (c passedOn) RemoteAddr() net.Addr { return c.client }

// NetConn returns the connection below, as tls.Conn does.
func (c passedOn) NetConn() net.Conn { return c.Conn }

// CloseWrite closes the writing half where the connection has halves.
func (c passedOn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
