// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"fmt"
	"net/netip"
)

const (
	// firstHost is the place of the first machine without an address in its segment.
	firstHost = 10
	// maxTries bounds the search for a free address.
	maxTries = 1 << 16
)

// internetBase is where addresses of 0.0.0.0/0 begin. Source: RFC 2544, 198.18.0.0/15.
func internetBase() netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, 0}) }

// lastInternet is the last address of the same range.
func lastInternet() netip.Addr { return netip.AddrFrom4([4]byte{198, 19, 255, 254}) }

// addresses gives each machine and each router one that nobody else has.
type addresses struct {
	taken map[netip.Addr]bool
}

func newAddresses(t Topology) *addresses {
	a := &addresses{taken: map[netip.Addr]bool{}}
	for _, h := range t.Hosts {
		a.taken[h.Addr] = true
	}
	for _, e := range t.Edges {
		for _, b := range e.Boxes {
			a.taken[b.owns()] = true
		}
	}
	return a
}

// owns is the address of the outer segment that a box answers for, if any.
func (b Box) owns() netip.Addr {
	switch {
	case b.NAT != nil:
		return b.NAT.Public
	case b.Balancer != nil:
		return b.Balancer.Address
	}
	return netip.Addr{}
}

// host is the next free address from the bottom.
func (a *addresses) host(s Segment) (netip.Addr, error) {
	base := s.Prefix.Masked().Addr()
	if s.Prefix.Bits() == 0 {
		base = internetBase()
	}
	for range firstHost {
		base = base.Next()
	}
	return a.take(s, base, netip.Addr.Next)
}

// gateway is the next free address from the top.
func (a *addresses) gateway(s Segment) (netip.Addr, error) {
	if s.Prefix.Bits() == 0 {
		return a.take(s, lastInternet(), netip.Addr.Prev)
	}
	last := s.Prefix.Masked().Addr().As4()
	for bit := s.Prefix.Bits(); bit < 32; bit++ {
		last[bit/8] |= 1 << (7 - bit%8)
	}
	return a.take(s, netip.AddrFrom4(last).Prev(), netip.Addr.Prev)
}

func (a *addresses) take(s Segment, from netip.Addr, next func(netip.Addr) netip.Addr) (netip.Addr, error) {
	for at, tries := from, 0; s.Prefix.Contains(at) && tries < maxTries; at, tries = next(at), tries+1 {
		if !a.taken[at] {
			a.taken[at] = true
			return at, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("segment %s (%s) has no address left", s.Name, s.Prefix)
}

// transit is the pair of addresses between two routers of an edge, number n of all such pairs.
// They are next hops alone and never seen by a machine. Source: RFC 3927, 169.254.0.0/16.
func transit(n int) (inner, outer netip.Addr) {
	at := func(low int) netip.Addr {
		return netip.AddrFrom4([4]byte{169, 254, byte(n >> 6), byte(n<<2&0xff | low)})
	}
	return at(1), at(2)
}
