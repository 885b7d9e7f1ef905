// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// minDialShare is the least time one of several addresses gets, as in package net.
const minDialShare = 2 * time.Second

// timeoutError is what package net makes of a deadline that passed while dialling.
type timeoutError struct{}

func (timeoutError) Error() string { return "i/o timeout" }

// Timeout implements net.Error.
func (timeoutError) Timeout() bool { return true }

// Temporary implements net.Error.
func (timeoutError) Temporary() bool { return true }

// Is makes the error a context.DeadlineExceeded, as package net does.
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// canceledError is what package net makes of a context that was canceled.
type canceledError struct{}

func (canceledError) Error() string { return "operation was canceled" }

// Is makes the error a context.Canceled, as package net does.
func (canceledError) Is(target error) bool { return target == context.Canceled }

func ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return timeoutError{}
	}
	return canceledError{}
}

func isTimeout(err error) bool {
	timeout, is := err.(interface{ Timeout() bool })
	return is && timeout.Timeout()
}

// DialContext opens a connection to "host:port". Addresses of a name are tried one after the
// other. Errors are *net.OpError with ECONNREFUSED, ECONNRESET, ETIMEDOUT (after six retries of the
// SYN, 127 s), EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL or a *net.DNSError in it, or the end of ctx.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	wrap := func(err error) error { return &net.OpError{Op: "dial", Net: network, Err: err} }
	if network != "tcp" && network != "tcp4" {
		return nil, wrap(net.UnknownNetworkError(network))
	}
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, wrap(err)
	}
	number, err := portNumber(service)
	if err != nil {
		return nil, wrap(err)
	}
	addrs, err := h.LookupNetIP(ctx, "ip4", name)
	if err != nil {
		return nil, wrap(err)
	}
	var first error
	for i, a := range addrs {
		to := netip.AddrPortFrom(a, number)
		c, err := h.dialOne(ctx, to, len(addrs)-i)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(to), Err: err}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// dialOne dials one address, with a fair share of what is left of the time.
func (h *Host) dialOne(ctx context.Context, to netip.AddrPort, left int) (net.Conn, error) {
	if at, ok := ctx.Deadline(); ok && left > 1 {
		share := max(time.Until(at)/time.Duration(left), minDialShare)
		limited, cancel := context.WithTimeout(ctx, share)
		defer cancel()
		ctx = limited
	}
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	w := h.w
	d := &dialling{ready: make(chan struct{})}
	w.lock()
	key := to.String()
	h.dials[key]++
	number := h.dials[key]
	w.askLocked(operation{host: h.index, key: "dial " + key, seq: number, run: func() { h.dialLocked(d, to, number) }})
	w.mu.Unlock()
	select {
	case <-d.ready:
	case <-ctx.Done():
	}
	w.lock()
	defer w.mu.Unlock()
	switch {
	case d.err != nil:
		return nil, d.err
	case d.conn != nil && d.conn.state == established:
		return d.conn, nil
	}
	d.abandoned = true
	if d.conn != nil {
		d.conn.failLocked(net.ErrClosed) // a SYNACK that still comes is answered with RST
	}
	return nil, ended(ctx)
}

// dialling is a dial under way.
type dialling struct {
	conn      *Conn
	err       error
	ready     chan struct{} // closed with conn established, or err set
	abandoned bool
}

func (d *dialling) endLocked(w *World, err error) {
	if !d.abandoned {
		d.err = err
		w.woke = true
		close(d.ready)
	}
}

func (h *Host) dialLocked(d *dialling, to netip.AddrPort, number uint64) {
	w := h.w
	w.counts.Dials++
	if d.abandoned {
		return
	}
	from := h.addr
	if to.Addr().IsLoopback() || to.Addr() == from {
		from = to.Addr()
	}
	p, err := h.portLocked(to, from)
	if h.off {
		err = syscall.ENETUNREACH
	}
	if err != nil {
		// The dialler waits already: it is woken by an event as any other.
		w.scheduleLocked(w.nowLocked(), h.index, 0, func() { d.endLocked(w, err) })
		return
	}
	w.streams++
	c := h.newConnLocked(netip.AddrPortFrom(from, p), to, w.streams, 0, nameKey(h.name, to.String())^chance(number))
	c.state, c.dial, d.conn = synSent, d, c
	w.trace.add(record{at: w.nowLocked(), kind: "dial", from: h.name, to: to.String(), stream: c.id})
	c.sendSynLocked()
}
