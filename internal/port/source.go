// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package port

import (
	"net"
	"net/netip"
	"slices"
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
	if s.all >= s.max || !s.claim(source) {
		return false
	}
	s.all++
	return true
}

// enterUnknown takes a stranger in whose source is not known yet: claim follows, or leaveUnknown.
func (s *strangers) enterUnknown() bool {
	if s.all >= s.max {
		return false
	}
	s.all++
	return true
}

// claim counts one more stranger for a source.
func (s *strangers) claim(source netip.Prefix) bool {
	if s.sources[source] >= s.maxPerSource {
		return false
	}
	s.sources[source]++
	return true
}

func (s *strangers) leave(source netip.Prefix) {
	s.leaveUnknown()
	if s.sources[source]--; s.sources[source] == 0 {
		delete(s.sources, source)
	}
}

func (s *strangers) leaveUnknown() { s.all-- }

// listed reports whether an address lies in one of the prefixes.
func listed(prefixes []netip.Prefix, addr net.Addr) bool {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return false
	}
	ip := ap.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
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
