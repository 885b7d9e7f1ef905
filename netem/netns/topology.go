// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"time"
)

// Topology is what to build.
type Topology struct {
	Segments []Segment
	Hosts    []Host
	Edges    []Edge
	// Names resolve on every host, beside the hosts' own.
	Names map[string]netip.Addr
}

// Segment is a network whose machines reach each other directly.
type Segment struct {
	Name string
	// Prefix holds the addresses of its machines; 0.0.0.0/0 is everything that no other segment has.
	Prefix netip.Prefix
}

// Host is a machine that programs run on.
type Host struct {
	Name, Segment string
	// Addr must lie in the segment. The zero value takes the next free one.
	Addr  netip.Addr
	Delay time.Duration // one way, on the wire to its segment
}

// Edge leads from an inner segment to an outer one, through boxes in this order on the way out.
type Edge struct {
	Name, Inner, Outer string
	Delay              time.Duration // one way, on the wire to the outer segment
	Boxes              []Box
}

// Box is a machine that routes, and is one of three kinds.
type Box struct {
	Name     string
	NAT      *NAT
	Firewall *Firewall
	Balancer *Balancer
	// Idle is how long a quiet connection is remembered, in whole seconds, one at least; 0 is the
	// kernel's 5 days.
	Idle time.Duration
	// Stray is what a packet of an unknown connection gets, at a NAT one from inside. Pass takes it
	// for a new connection.
	Stray Reaction
}

// Reaction is what a box does with a packet that it does not let through.
type Reaction uint8

// The reactions.
const (
	Silence     Reaction = iota
	Reset                // answered by RST
	Unreachable          // answered by ICMP "administratively prohibited"
	Pass
)

// NAT shares one address of the outer segment among the machines inside.
type NAT struct {
	Public netip.Addr
	// FirstPort and LastPort are the outer ports to give away; 0 and 0 leave it to the kernel.
	FirstPort, LastPort uint16
}

// Firewall lets new connections through by rules and remembers them.
type Firewall struct {
	Out, In []Rule
	Refuse  Reaction // what the others get
}

// Rule lets new connections through. Zero fields match everything.
type Rule struct {
	First, Last uint16 // ports of the far end
	From, To    netip.Prefix
}

// Balancer spreads new connections to one address of the outer segment over machines inside.
type Balancer struct {
	Address  netip.Addr
	Backends []netip.Addr
	// HideClient puts the balancer's address in the place of the client's.
	HideClient bool
	// Check is how often each backend is probed at CheckPort, 0 for never. Up and Down are how many
	// probes in a row change the verdict; 0 means 2. All backends begin alive.
	Check     time.Duration
	CheckPort uint16
	Up, Down  int
}

// The bounds of a topology.
const (
	maxSegments = 32
	maxHosts    = 256
	maxEdges    = 64
	maxBoxes    = 4 // on one edge
	// MaxDelay bounds a wire.
	MaxDelay = 5 * time.Second
	// maxNameBytes leaves room for the run's name in that of a namespace.
	maxNameBytes = 60
)

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// inspection collects what is wrong with a topology.
type inspection struct {
	found    []error
	names    map[string]bool
	prefixes map[string]netip.Prefix
}

func (c *inspection) add(format string, args ...any) {
	c.found = append(c.found, fmt.Errorf(format, args...))
}

func (c *inspection) name(what, name string) {
	switch {
	case !nameForm.MatchString(name) || len(name) > maxNameBytes:
		c.add("%s name %q: want letters a-z, digits and inner dashes, at most %d", what, name, maxNameBytes)
	case c.names[name]:
		c.add("%s name %q: something else has it already", what, name)
	}
	c.names[name] = true
}

func (c *inspection) within(what string, a netip.Addr, segment string) {
	switch prefix, known := c.prefixes[segment]; {
	case !known:
		c.add("%s: there is no segment %q", what, segment)
	case a.IsValid() && (!a.Is4() || !prefix.Contains(a)):
		c.add("%s: address %s does not lie in %s, which is %s", what, a, segment, prefix)
	}
}

func (c *inspection) delay(what string, d time.Duration) {
	if d < 0 || d > MaxDelay {
		c.add("%s: delay %s: want 0 to %s", what, d, MaxDelay)
	}
}

// Check reports everything that is wrong with a topology.
func (t Topology) Check() error {
	c := &inspection{names: map[string]bool{}, prefixes: map[string]netip.Prefix{}}
	if len(t.Segments) > maxSegments || len(t.Hosts) > maxHosts || len(t.Edges) > maxEdges {
		c.add("%d segments, %d hosts, %d edges: want at most %d, %d and %d",
			len(t.Segments), len(t.Hosts), len(t.Edges), maxSegments, maxHosts, maxEdges)
	}
	for _, s := range t.Segments {
		c.name("segment", s.Name)
		if !s.Prefix.IsValid() || !s.Prefix.Addr().Is4() {
			c.add("segment %s: prefix %s: want one of IPv4", s.Name, s.Prefix)
		}
		c.prefixes[s.Name] = s.Prefix
	}
	for _, h := range t.Hosts {
		c.name("host", h.Name)
		c.within("host "+h.Name, h.Addr, h.Segment)
		c.delay("host "+h.Name, h.Delay)
	}
	for _, e := range t.Edges {
		c.edge(e)
	}
	return errors.Join(c.found...)
}

func (c *inspection) edge(e Edge) {
	where := "edge " + e.Name
	c.name("edge", e.Name)
	c.within(where, netip.Addr{}, e.Inner)
	c.within(where, netip.Addr{}, e.Outer)
	c.delay(where, e.Delay)
	if e.Inner == e.Outer {
		c.add("%s leads from %s to itself", where, e.Inner)
	}
	if len(e.Boxes) > maxBoxes {
		c.add("%s has %d boxes: want at most %d", where, len(e.Boxes), maxBoxes)
	}
	for _, b := range e.Boxes {
		c.name("box", b.Name)
		c.box(b, e)
	}
}

func (c *inspection) box(b Box, e Edge) {
	where, kinds := "box "+b.Name, 0
	if b.NAT != nil {
		kinds++
		c.address(where, b.NAT.Public, e.Outer)
		if b.NAT.FirstPort > b.NAT.LastPort {
			c.add("%s: ports %d to %d", where, b.NAT.FirstPort, b.NAT.LastPort)
		}
	}
	if b.Firewall != nil {
		kinds++
		if b.Firewall.Refuse == Pass {
			c.add("%s: a firewall that refuses by letting pass is none", where)
		}
	}
	if v := b.Balancer; v != nil {
		kinds++
		c.address(where, v.Address, e.Outer)
		if len(v.Backends) == 0 {
			c.add("%s: a balancer needs backends", where)
		}
		if v.Check > 0 && v.CheckPort == 0 {
			c.add("%s: a check needs a port", where)
		}
	}
	if kinds != 1 {
		c.add("%s is %d kinds of box: want one of NAT, Firewall, Balancer", where, kinds)
	}
	if b.Idle < 0 || b.Idle%time.Second != 0 {
		c.add("%s: idle %s: the kernel counts whole seconds", where, b.Idle)
	}
}

func (c *inspection) address(what string, a netip.Addr, segment string) {
	if !a.IsValid() {
		c.add("%s: it needs its outer address", what)
	}
	c.within(what, a, segment)
}
