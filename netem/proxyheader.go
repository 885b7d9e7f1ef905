// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// proxySignature begins each header of version 2. Source: HAProxy, doc/proxy-protocol.txt.
const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

const (
	proxyCommandLocal = 0x20 // version 2: the balancer's own connection
	proxyCommandProxy = 0x21
	proxyTCPv4        = 0x11
	proxyTCPv6        = 0x21
)

// ProxyHeader is what a balancer puts before the bytes of a connection from one address to another
// so that the server knows them: version 1, a line of text, or 2, 28 bytes for IPv4 and 52 for IPv6.
func ProxyHeader(version int, from, to netip.AddrPort) []byte {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	family, text := byte(proxyTCPv4), "TCP4"
	if from.Addr().Is6() {
		family, text = proxyTCPv6, "TCP6"
	}
	if version == 1 {
		return fmt.Appendf(nil, "PROXY %s %s %s %d %d\r\n", text, from.Addr(), to.Addr(), from.Port(), to.Port())
	}
	addrs := append(from.Addr().AsSlice(), to.Addr().AsSlice()...)
	b := append([]byte(proxySignature), proxyCommandProxy, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(addrs)+4)) // and two ports
	b = append(b, addrs...)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	return binary.BigEndian.AppendUint16(b, to.Port())
}

// LocalProxyHeader is what a balancer puts before a connection of its own, as a health check: 16
// bytes of version 2, or version 1's word for an unknown one.
func LocalProxyHeader(version int) []byte {
	if version == 1 {
		return []byte("PROXY UNKNOWN\r\n")
	}
	return append([]byte(proxySignature), proxyCommandLocal, 0, 0, 0)
}
