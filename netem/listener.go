// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Listener is a net.Listener of a Host.
type Listener struct {
	host   *Host
	at     netip.AddrPort // the unspecified address for all of the host's
	gate   gate
	queue  []*Conn
	coming int // connections whose handshake goes on
	closed bool
}

// Listen opens a port. The address is "ip:port", ":port" or "name:port"; port 0 takes a free one.
// Errors are *net.OpError with EADDRINUSE or EADDRNOTAVAIL.
func (h *Host) Listen(_ context.Context, network, address string) (net.Listener, error) {
	wrap := func(err error) error { return &net.OpError{Op: "listen", Net: network, Err: err} }
	at, err := h.bindAddress(network, address)
	if err != nil {
		return nil, wrap(err)
	}
	w := h.w
	w.lock()
	defer w.mu.Unlock()
	if h.off {
		return nil, wrap(syscall.ENETDOWN)
	}
	if at.Port() == 0 {
		p, err := h.portLocked(netip.AddrPort{}, h.addr)
		if err != nil {
			return nil, wrap(err)
		}
		at = netip.AddrPortFrom(at.Addr(), p)
	}
	for _, other := range h.listeners[at.Port()] {
		if other.at == at || other.at.Addr().IsUnspecified() || at.Addr().IsUnspecified() {
			return nil, &net.OpError{Op: "listen", Net: network, Addr: net.TCPAddrFromAddrPort(at), Err: syscall.EADDRINUSE}
		}
	}
	l := &Listener{host: h, at: at, gate: newGate(w)}
	h.listeners[at.Port()] = append(h.listeners[at.Port()], l)
	w.trace.add(record{at: w.nowLocked(), kind: "listen", from: h.name, to: at.String()})
	return l, nil
}

func (h *Host) bindAddress(network, address string) (netip.AddrPort, error) {
	if network != "tcp" && network != "tcp4" {
		return netip.AddrPort{}, net.UnknownNetworkError(network)
	}
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := portNumber(service)
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr := netip.IPv4Unspecified()
	switch parsed, err := netip.ParseAddr(name); {
	case name == "" || err == nil && parsed.IsUnspecified():
	case err == nil:
		addr = parsed
	case name == "localhost":
		addr = loopback()
	case name == h.name:
		addr = h.Addr()
	default:
		return netip.AddrPort{}, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	if !addr.IsUnspecified() && !addr.IsLoopback() && addr != h.Addr() {
		return netip.AddrPort{}, syscall.EADDRNOTAVAIL
	}
	return netip.AddrPortFrom(addr, number), nil
}

// welcomeLocked answers a SYN: with SYNACK and a connection that waits for Accept, with RST, or
// not at all when the backlog is full.
func (h *Host) welcomeLocked(p *Packet) {
	l := h.listenerLocked(p.To)
	if l == nil {
		h.refuseLocked(p)
		return
	}
	if len(l.queue)+l.coming >= h.backlog {
		h.dropLocked(p, "backlog")
		return
	}
	c := h.newConnLocked(p.To, p.From, p.stream, 1, p.key)
	c.state, c.listener, c.original = synReceived, l, p.original
	c.limit, c.recent = p.edge, p.stamp
	l.coming++
	c.answerSynLocked()
}

func (h *Host) listenerLocked(to netip.AddrPort) *Listener {
	for _, l := range h.listeners[to.Port()] {
		if l.at.Addr() == to.Addr() || l.at.Addr().IsUnspecified() {
			return l
		}
	}
	return nil
}

// Accept waits for the next connection. It ends with net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	w := l.host.w
	w.lock()
	defer w.mu.Unlock()
	for {
		if l.closed {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
		}
		if len(l.queue) > 0 {
			c := l.queue[0]
			l.queue = slices.Delete(l.queue, 0, 1)
			return c, nil
		}
		l.gate.wait()
	}
}

// Close ends Accept and resets the connections that nobody accepted.
func (l *Listener) Close() error {
	w := l.host.w
	w.lock()
	defer w.mu.Unlock()
	if l.closed {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
	l.closeLocked()
	return nil
}

func (l *Listener) closeLocked() {
	if l.closed {
		return
	}
	l.closed = true
	h := l.host
	list := h.listeners[l.at.Port()]
	list = slices.DeleteFunc(slices.Clone(list), func(o *Listener) bool { return o == l })
	if h.listeners[l.at.Port()] = list; len(list) == 0 {
		delete(h.listeners, l.at.Port())
	}
	for _, c := range l.queue {
		c.abortLocked()
	}
	l.queue = nil
	for _, c := range h.connsLocked() {
		if c.listener == l && c.state == synReceived {
			c.abortLocked()
		}
	}
	l.gate.open(h.w)
}

// Addr returns the address with the port that was taken.
func (l *Listener) Addr() net.Addr {
	if l.at.Addr().IsUnspecified() {
		return &net.TCPAddr{IP: net.IPv6unspecified, Port: int(l.at.Port())} // as Go shows a wildcard
	}
	return net.TCPAddrFromAddrPort(l.at)
}
