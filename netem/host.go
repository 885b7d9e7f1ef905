// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

const (
	// firstEphemeralPort is where Linux begins: net.ipv4.ip_local_port_range.
	firstEphemeralPort = 32768
	lastEphemeralPort  = 60999
	// defaultBacklog is net.core.somaxconn: connections that wait for Accept.
	defaultBacklog = 4096
	// maxFrozenPackets is what the queue of a frozen machine's card holds.
	maxFrozenPackets = 4096
)

// tuple is a connection as one of its ends sees it.
type tuple struct{ local, remote netip.AddrPort }

// Host is one machine. Its methods DialContext, Listen and LookupNetIP have the shapes of
// net.Dialer, net.ListenConfig and net.Resolver.
type Host struct {
	w     *World
	index int
	name  string
	key   uint64
	net   *Net
	addr  netip.Addr
	up    wire
	down  wire

	listeners map[uint16][]*Listener
	conns     map[tuple]*Conn
	latest    time.Duration     // when its last event was
	dials     map[string]uint64 // by target: the number of the next dial
	calls     uint64            // of DNS and After
	nextPort  uint16
	off       bool
	frozen    int
	held      []*Packet
	keepAlive net.KeepAliveConfig
	backlog   int
	resolver  time.Duration
	loose     time.Duration // when the last packet without a connection arrived at its peer
}

// HostSpec describes a machine. The zero value is a good default but for Addr.
type HostSpec struct {
	Addr netip.Addr
	// Link is the machine's access to its segment.
	Link Link
	// KeepAlive is what connections begin with; the zero value is Go's: 15 s, 15 s, 9.
	KeepAlive net.KeepAliveConfig
	// Backlog is how many connections may wait for Accept; 0 means 4,096.
	Backlog int
	// Resolver is how long the name server takes; 0 means 1 ms.
	Resolver time.Duration
}

// Host adds a machine to a segment. The name must be new; it is a DNS name as well.
func (n *Net) Host(name string, s HostSpec) *Host {
	w := n.w
	w.lock()
	defer w.mu.Unlock()
	if s.Backlog == 0 {
		s.Backlog = defaultBacklog
	}
	if s.Resolver == 0 {
		s.Resolver = time.Millisecond
	}
	if !s.KeepAlive.Enable && s.KeepAlive.Idle == 0 {
		s.KeepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}
	}
	h := &Host{
		w: w, index: len(w.hosts), name: name, key: nameKey(name), net: n, addr: s.Addr,
		up: wire{spec: s.Link.Up}, down: wire{spec: s.Link.Down}, listeners: map[uint16][]*Listener{},
		conns: map[tuple]*Conn{}, latest: -1, dials: map[string]uint64{},
		nextPort: firstEphemeralPort, keepAlive: s.KeepAlive, backlog: s.Backlog, resolver: s.Resolver,
	}
	w.hosts = append(w.hosts, h)
	w.o.Capture.knows(h)
	n.hosts[s.Addr] = h
	w.zone[name] = Answer{Addrs: []netip.Addr{s.Addr}}
	return h
}

// Name returns the machine's name.
func (h *Host) Name() string { return h.name }

// Addr returns the machine's address.
func (h *Host) Addr() netip.Addr {
	h.w.lock()
	defer h.w.mu.Unlock()
	return h.addr
}

// After runs f at an instant of its own, d from now or a little later, as an event of this host: what
// f wakes has settled before anything else happens. f must not wait or call the world. It is for
// models of what else happens on a machine. Events of one instant keep the order of their labels.
func (h *Host) After(d time.Duration, label string, f func()) {
	w := h.w
	w.lock()
	defer w.mu.Unlock()
	at := w.nowLocked() + d
	h.calls++
	w.askLocked(operation{host: h.index, key: label, seq: h.calls, run: func() {
		w.scheduleLocked(at, h.index, 0, func() {
			w.woke = true
			w.trace.add(record{at: w.nowLocked(), kind: "after", from: h.name, why: label})
			f()
		})
	}})
}

// Conns counts the connections that the machine's kernel knows, closing ones included.
func (h *Host) Conns() int {
	h.w.lock()
	defer h.w.mu.Unlock()
	return len(h.conns)
}

// connsLocked lists the connections in an order that is the same in every run.
func (h *Host) connsLocked() []*Conn {
	list := make([]*Conn, 0, len(h.conns))
	for _, c := range h.conns {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *Conn) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.side, b.side))
	})
	return list
}

// portLocked returns an ephemeral port that no connection to remote uses.
func (h *Host) portLocked(remote netip.AddrPort, local netip.Addr) (uint16, error) {
	for range lastEphemeralPort - firstEphemeralPort + 1 {
		p := h.nextPort
		if h.nextPort++; h.nextPort > lastEphemeralPort {
			h.nextPort = firstEphemeralPort
		}
		_, used := h.conns[tuple{netip.AddrPortFrom(local, p), remote}]
		if !used && len(h.listeners[p]) == 0 {
			return p, nil
		}
	}
	return 0, syscall.EADDRNOTAVAIL
}

// arriveLocked hands a packet to its connection, to a listener, or answers it with RST.
func (h *Host) arriveLocked(p *Packet) {
	switch {
	case h.off:
		h.dropLocked(p, "off")
		return
	case h.frozen > 0:
		if len(h.held) == maxFrozenPackets {
			h.dropLocked(p, "frozen")
			return
		}
		held := *p
		h.held = append(h.held, &held)
		return
	case p.To.Addr() != h.addr && !p.To.Addr().IsLoopback():
		h.dropLocked(p, "not my address")
		return
	}
	h.w.o.Capture.arrived(h, p)
	h.w.trace.add(record{
		at: h.w.nowLocked(), kind: p.Kind.String(), from: p.From.String(), to: h.name, stream: p.stream, side: p.side,
		seq: p.seq, size: p.Size, data: p.data,
	})
	if c := h.conns[tuple{p.To, p.From}]; c != nil {
		c.receiveLocked(p)
		return
	}
	switch p.Kind {
	case syn:
		h.welcomeLocked(p)
	case rst:
	default:
		h.refuseLocked(p)
	}
}

func (h *Host) dropLocked(p *Packet, why string) {
	h.w.counts.Dropped++
	h.w.o.Capture.remark(p, "dropped: "+h.name+" "+why)
	h.w.trace.add(record{
		at: h.w.nowLocked(), kind: "drop", from: p.From.String(), to: h.name, stream: p.stream, side: p.side, seq: p.seq,
		size: p.Size, why: p.Kind.String() + " " + h.name + " " + why,
	})
}

// refuseLocked answers a packet that belongs to nobody.
func (h *Host) refuseLocked(p *Packet) {
	h.sendLocked(Packet{
		From: p.To, To: p.From, Kind: rst, stream: p.stream, key: p.key, side: 1 - p.side, number: p.number,
		seq: p.ack, ack: p.seq,
	}, &h.loose)
}

// unreachableLocked takes an ICMP message about a packet of this host. It ends a dial; Linux keeps
// an open connection alive and goes on trying.
func (h *Host) unreachableLocked(p *Packet) {
	if c := h.conns[tuple{p.To, p.From}]; c != nil && c.state == synSent {
		c.failLocked(syscall.EHOSTUNREACH)
	}
}

// dropAllLocked fails every connection and closes every listener of the host, without a word to
// the other ends.
func (h *Host) dropAllLocked() {
	for _, c := range h.connsLocked() {
		c.failLocked(syscall.ECONNRESET)
	}
	ports := make([]uint16, 0, len(h.listeners))
	for p := range h.listeners {
		ports = append(ports, p)
	}
	slices.Sort(ports)
	for _, p := range ports {
		for _, l := range slices.Clone(h.listeners[p]) {
			l.closeLocked()
		}
	}
}
