// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port

import (
	"net"
	"net/netip"
	"time"
)

// strangers counts connections whose peer is not proved yet.
type strangers struct {
	max, maxPerSource int
	all               int
	sources           map[netip.Prefix]int // never longer than max
}

func newStrangers(most, perSource int) strangers {
	return strangers{max: most, maxPerSource: perSource, sources: map[netip.Prefix]int{}}
}

func (s *strangers) enter(source netip.Prefix) bool {
	if s.all >= s.max || s.sources[source] >= s.maxPerSource {
		return false
	}
	s.all++
	s.sources[source]++
	return true
}

func (s *strangers) leave(source netip.Prefix) {
	s.all--
	if s.sources[source]--; s.sources[source] == 0 {
		delete(s.sources, source)
	}
}

// sourceOf is the /32 or /64 that an address belongs to; addresses that are neither share one.
func sourceOf(addr net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip := ap.Addr().Unmap()
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	prefix, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// quiet lets maxRefusalLogsPerMinute events through.
type quiet struct {
	minute time.Time
	count  int
}

func (q *quiet) allows(now time.Time) bool {
	if now.Sub(q.minute) >= time.Minute {
		q.minute, q.count = now, 0
	}
	q.count++
	return q.count <= maxRefusalLogsPerMinute
}
