// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package proxy

import (
	"io"

	"fairlead/internal/diagnosis"
	"fairlead/internal/errkind"
)

// The bytes of SOCKS5. Source: RFC 1928, RFC 1929.
const (
	socksVersion    = 5
	passwordVersion = 1

	methodNone     = 0x00
	methodPassword = 0x02
	methodNoneOfUs = 0xff

	commandConnect = 1
	address4       = 1
	addressName    = 3
	address6       = 4
)

// socks asks a SOCKS5 proxy for a tunnel.
func (e exchange) socks() error {
	methods := []byte{socksVersion, 1, methodNone}
	if e.credentials.set() {
		methods = []byte{socksVersion, 2, methodNone, methodPassword}
	}
	answer, err := e.say(methods, 2)
	if err != nil {
		return err
	}
	if answer[0] != socksVersion {
		return e.refused(errkind.Corrupt, diagnosis.NotProxy, "did not answer as one of SOCKS5: it begins with %q", answer)
	}
	switch method := answer[1]; {
	case method == methodNone:
	case method == methodPassword && e.credentials.set():
		if err := e.signIn(); err != nil {
			return err
		}
	case method == methodNoneOfUs && e.credentials.set():
		return e.refused(errkind.Denied, diagnosis.ProxyAuth, "takes neither nobody nor user and password")
	case method == methodNoneOfUs:
		return e.refused(errkind.Denied, diagnosis.ProxyAuth, "wants credentials")
	default:
		return e.refused(errkind.Corrupt, diagnosis.NotProxy, "chose a way to authenticate that was not offered (%#02x)",
			method)
	}
	return e.request()
}

// signIn sends user and password.
func (e exchange) signIn() error {
	c := e.credentials
	message := []byte{passwordVersion, byte(len(c.user))}
	message = append(message, c.user...)
	message = append(message, byte(len(c.password)))
	message = append(message, c.password...)
	answer, err := e.say(message, 2)
	if err != nil {
		return err
	}
	if answer[1] != 0 {
		return e.refused(errkind.Denied, diagnosis.ProxyAuth, "refused the credentials")
	}
	return nil
}

func (e exchange) request() error {
	name, ip, port, err := splitTarget(e.address)
	if err != nil {
		return err
	}
	message := []byte{socksVersion, commandConnect, 0}
	switch {
	case ip.Is4():
		message = append(append(message, address4), ip.AsSlice()...)
	case ip.Is6():
		message = append(append(message, address6), ip.AsSlice()...)
	default:
		message = append(append(message, addressName, byte(len(name))), name...)
	}
	answer, err := e.say(append(message, byte(port>>8), byte(port)), 2)
	if err != nil {
		return err
	}
	if answer[0] != socksVersion {
		return e.refused(errkind.Corrupt, diagnosis.NotProxy, "did not answer as one of SOCKS5: %q", answer)
	}
	if answer[1] != 0 {
		return e.no(answer[1]) // some say no more than that
	}
	return e.skipBound()
}

// skipBound reads the end of a reply: the address that the proxy calls from, which nobody needs.
func (e exchange) skipBound() error {
	answer, err := e.say(nil, 3) // a reserved byte, the type, the first byte of the address
	if err != nil {
		return err
	}
	rest := 0 // of the address, and the port
	switch answer[1] {
	case address4:
		rest = 4 - 1 + 2
	case address6:
		rest = 16 - 1 + 2
	case addressName:
		rest = int(answer[2]) + 2
	default:
		return e.refused(errkind.Corrupt, diagnosis.NotProxy, "answered with an address of type %#02x", answer[1])
	}
	_, err = e.say(nil, rest)
	return err
}

// no explains a reply that is not success.
func (e exchange) no(reply byte) error {
	switch reply {
	case 1:
		return e.refused(errkind.Unavailable, diagnosis.ProxyUpstream, "says: general failure")
	case 2:
		return e.refused(errkind.Denied, diagnosis.ProxyRefused, "forbids it by its rules")
	case 3:
		return e.refused(errkind.Unavailable, diagnosis.ProxyUpstream, "says: network unreachable")
	case 4:
		return e.refused(errkind.Unavailable, diagnosis.ProxyUpstream, "says: host unreachable")
	case 5:
		return e.refused(errkind.Unavailable, diagnosis.ProxyUpstream, "says: connection refused")
	case 6:
		return e.refused(errkind.Unavailable, diagnosis.ProxyUpstream, "says: no answer from there in time")
	case 7, 8:
		return e.refused(errkind.Corrupt, diagnosis.NotProxy, "does not do CONNECT, or not to such an address (reply %d)",
			reply)
	}
	return e.refused(errkind.Corrupt, diagnosis.NotProxy, "answered with reply %d, which is none", reply)
}

// say sends a message, if any, and reads an answer of that many bytes.
func (e exchange) say(message []byte, size int) ([]byte, error) {
	if len(message) > 0 {
		if _, err := e.conn.Write(message); err != nil {
			return nil, e.ended(err)
		}
	}
	answer := make([]byte, size)
	if _, err := io.ReadFull(e.conn, answer); err != nil {
		return nil, e.ended(err)
	}
	return answer, nil
}
