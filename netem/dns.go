// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Answer is what DNS says of a name. The zero value is an answer without addresses.
type Answer struct {
	Addrs []netip.Addr
	// Delay comes on top of the resolver's own.
	Delay time.Duration
	// Broken is SERVFAIL. Silent means that no answer comes: the look-up ends after 10 s.
	Broken, Silent bool
}

// silentLookup is how long Go's resolver waits in all: two tries of 5 s.
const silentLookup = 10 * time.Second

// Resolve makes DNS give this answer for a name from now on, to everybody. Machines' names are
// there already.
func (w *World) Resolve(name string, a Answer) {
	w.lock()
	defer w.mu.Unlock()
	w.zone[strings.ToLower(name)] = a
}

// Forget takes a name out of DNS.
func (w *World) Forget(name string) {
	w.lock()
	defer w.mu.Unlock()
	delete(w.zone, strings.ToLower(name))
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

func portNumber(service string) (uint16, error) {
	n, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return 0, &net.DNSError{Err: "unknown port", Name: "tcp/" + service, IsNotFound: true}
	}
	return uint16(n), nil
}

// LookupNetIP resolves a name. Errors are *net.DNSError: IsNotFound, IsTemporary or IsTimeout; or
// what ctx's end maps to.
func (h *Host) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}, nil
	}
	if name == "localhost" {
		return []netip.Addr{loopback()}, nil
	}
	if network == "ip6" {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	type reply struct {
		addrs []netip.Addr
		err   error
	}
	done := make(chan reply, 1)
	w := h.w
	w.lock()
	h.calls++
	w.askLocked(operation{host: h.index, key: "dns " + name, seq: h.calls, run: func() {
		wait := h.resolver
		if a, _ := w.answerLocked(name); a.Silent {
			wait = silentLookup
		} else {
			wait += a.Delay
		}
		w.scheduleLocked(w.nowLocked()+wait, h.index, 0, func() {
			w.woke = true
			a, known := w.answerLocked(name)
			err := a.failure(name, known)
			w.trace.add(record{at: w.nowLocked(), kind: "dns", from: h.name, to: name, size: len(a.Addrs), why: said(err)})
			done <- reply{slices.Clone(a.Addrs), err}
		})
	}})
	w.mu.Unlock()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, r.err
		}
		return r.addrs, nil
	case <-ctx.Done():
		err := ended(ctx)
		return nil, &net.DNSError{Err: err.Error(), Name: name, IsTimeout: isTimeout(err), UnwrapErr: err}
	}
}

func (a Answer) failure(name string, known bool) error {
	switch {
	case a.Silent:
		return &net.DNSError{Err: "i/o timeout", Name: name, IsTimeout: true, IsTemporary: true}
	case a.Broken:
		return &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	case !known || len(a.Addrs) == 0:
		return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return nil
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
