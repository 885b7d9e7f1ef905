// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package box

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"fairlead/netem"
)

// What SOCKS says. Sources: RFC 1928, RFC 1929.
const (
	socksVersion   = 5
	socksNoAuth    = 0x00
	socksPassword  = 0x02
	socksNoMethod  = 0xff
	passwordFormat = 1
	socksConnect   = 1
	socksIPv4      = 1
	socksName      = 3
	socksIPv6      = 4

	socksDone        = 0
	socksFailure     = 1
	socksNotAllowed  = 2
	socksNetwork     = 3
	socksHost        = 4
	socksRefused     = 5
	socksExpired     = 6
	socksCommand     = 7
	socksAddressType = 8
)

var errSOCKS = errors.New("the client does not speak SOCKS 5 as RFC 1928 says")

// SOCKS5 is a SOCKS proxy for TCP connections. Names are resolved on its machine.
type SOCKS5 struct {
	// User and Password are asked for when User is not empty.
	User, Password string
	// Allow lists the ports that may be dialled; others are refused by the rules. None means all.
	Allow []uint16
	// Idle ends a connection without bytes; 0 is never. Connect bounds the way to the server, 0: 60 s.
	Idle, Connect time.Duration
	Trouble
}

func (p *SOCKS5) serve(v *visit) {
	within(v.client, greetingWait)
	if p.authenticate(v.client) != nil {
		return
	}
	address, status, err := p.request(v.client)
	if err != nil {
		return
	}
	trouble := p.now()
	v.pause(trouble.Delay)
	if trouble.Status != 0 {
		status = socksFailure
	}
	if status != socksDone {
		_ = answerSOCKS(v.client, status, nil) // the connection ends either way
		return
	}
	server, err := v.dial(cmp.Or(trouble.WrongHost, address), p.Connect)
	if err != nil {
		_ = answerSOCKS(v.client, socksStatus(err), nil)
		return
	}
	if answerSOCKS(v.client, socksDone, server.LocalAddr()) != nil {
		return
	}
	within(v.client, 0)
	v.carry(v.client, server, terms{idle: p.Idle, expiry: netem.EndsBoth, trouble: trouble})
}

// authenticate agrees on a method and carries it out.
func (p *SOCKS5) authenticate(c io.ReadWriter) error {
	version, methods, err := readCounted(c)
	if err != nil || version != socksVersion {
		return cmp.Or(err, errSOCKS)
	}
	method := byte(socksNoAuth)
	if p.User != "" {
		method = socksPassword
	}
	if !slices.Contains(methods, method) {
		_, _ = c.Write([]byte{socksVersion, socksNoMethod}) // the connection ends either way
		return errSOCKS
	}
	if _, err := c.Write([]byte{socksVersion, method}); err != nil || method == socksNoAuth {
		return err
	}
	format, user, err := readCounted(c)
	if err != nil || format != passwordFormat {
		return cmp.Or(err, errSOCKS)
	}
	password, err := readString(c)
	if err != nil {
		return err
	}
	if string(user) != p.User || string(password) != p.Password {
		_, _ = c.Write([]byte{passwordFormat, socksFailure})
		return errSOCKS
	}
	_, err = c.Write([]byte{passwordFormat, socksDone})
	return err
}

// readCounted reads a byte, a length and so many bytes.
func readCounted(r io.Reader) (first byte, rest []byte, err error) {
	var b [1]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, nil, err
	}
	rest, err = readString(r)
	return b[0], rest, err
}

func readString(r io.Reader) ([]byte, error) {
	var size [1]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	b := make([]byte, size[0])
	_, err := io.ReadFull(r, b)
	return b, err
}

// request reads where the client wants to go. status is why it may not.
func (p *SOCKS5) request(r io.Reader) (address string, status byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", 0, err
	}
	if head[0] != socksVersion {
		return "", 0, errSOCKS
	}
	host, err := readHost(r, head[3])
	if err != nil {
		return "", 0, err
	}
	if host == "" {
		return "", socksAddressType, nil
	}
	var port [2]byte
	if _, err := io.ReadFull(r, port[:]); err != nil {
		return "", 0, err
	}
	number := uint16(port[0])<<8 | uint16(port[1])
	switch {
	case head[1] != socksConnect:
		status = socksCommand
	case len(p.Allow) > 0 && !slices.Contains(p.Allow, number):
		status = socksNotAllowed
	}
	return net.JoinHostPort(host, strconv.Itoa(int(number))), status, nil
}

// readHost reads an address of a type; "" for a type that there is not.
func readHost(r io.Reader, kind byte) (string, error) {
	var b []byte
	switch kind {
	case socksName:
		name, err := readString(r)
		return string(name), err
	case socksIPv4:
		b = make([]byte, net.IPv4len)
	case socksIPv6:
		b = make([]byte, net.IPv6len)
	default:
		return "", nil
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return "", err
	}
	a, _ := netip.AddrFromSlice(b) // of a right length
	return a.String(), nil
}

// answerSOCKS tells the client what came of it, and from which address.
func answerSOCKS(w io.Writer, status byte, from net.Addr) error {
	at := netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	if t, is := from.(*net.TCPAddr); is {
		at = t.AddrPort()
	}
	kind := byte(socksIPv4)
	a := at.Addr().Unmap()
	if a.Is6() {
		kind = socksIPv6
	}
	b := append([]byte{socksVersion, status, 0, kind}, a.AsSlice()...)
	_, err := w.Write(append(b, byte(at.Port()>>8), byte(at.Port())))
	return err
}

// socksStatus is what a dial's error is called.
func socksStatus(err error) byte {
	timeout, is := errors.AsType[net.Error](err)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return socksRefused
	case errors.Is(err, syscall.ENETUNREACH):
		return socksNetwork
	case errors.Is(err, syscall.EHOSTUNREACH), isDNS && dns.IsNotFound:
		return socksHost
	case is && timeout.Timeout():
		return socksExpired
	}
	return socksFailure
}
