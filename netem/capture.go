// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// defaultCaptureBytes is what a capture holds unless told otherwise: 256 MiB.
const defaultCaptureBytes = 256 << 20

// cutReserve is kept free for the head of the file and the note that a capture ends before the run:
// 1 KiB.
const cutReserve = 1 << 10

// hostBytes is what a host takes in the file besides its names.
const hostBytes = 128

// Capture collects the packets of one world and writes them as a pcapng file, which Wireshark and
// tshark read. The zero value is ready to be put into Options.Capture.
//
// Each packet stands in it as its host sent it, on the interface that has the host's name; one that
// a box has rewritten stands in it once more as it arrived, so that the conversation of each end is
// whole. A packet that came nowhere has a comment that says who dropped it and why. A flight is one
// packet, as with segmentation offload. Times are those of the bubble.
//
// Wireshark guesses what the plaintext of an unknown protocol is, and may call it malformed RDPMT;
// --disable-protocol rdpmt stops that (tshark 4.0).
type Capture struct {
	// Limit is the size of the file in bytes, at most; 0 means 256 MiB. The last packet before it
	// says so in its comment, and the file's own comment says how many are missing.
	Limit int
	// Comment is put at the head of the file: what was run, with which seed.
	Comment string

	world *World

	mu      sync.Mutex
	keys    bytes.Buffer
	frames  []frame
	held    int // bytes
	missing uint64
	cutAt   time.Duration
}

// frame is a packet at one host.
type frame struct {
	Packet
	at      time.Duration
	host    int
	inbound bool
	icmp    bool   // the packet could not be delivered: the host is told
	comment string // "" for none
}

// KeyLog takes TLS secrets in the NSS key log format: tls.Config.KeyLogWriter.
func (c *Capture) KeyLog() io.Writer { return captureKeys{c} }

type captureKeys struct{ c *Capture }

// Write implements io.Writer. It never fails: keys of packets that are not held have no use.
func (k captureKeys) Write(b []byte) (int, error) {
	c := k.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fitsLocked(len(b)) {
		c.keys.Write(b)
		c.held += len(b)
	}
	return len(b), nil
}

func (c *Capture) limit() int {
	if c.Limit == 0 {
		return defaultCaptureBytes
	}
	return c.Limit
}

func (c *Capture) fitsLocked(n int) bool {
	return c.missing == 0 && c.held+n <= c.limit()-cutReserve-min(len(c.Comment), maxOptionBytes)
}

// knows makes room for what the file says of a host.
func (c *Capture) knows(h *Host) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held += hostBytes + 2*len(h.name) + len(h.net.name)
}

// sent holds a packet as its host put it on the wire. It returns the frame's number, from 1; 0 when
// nothing was held. A packet that was held back and goes on has its frame already.
func (c *Capture) sent(h *Host, p *Packet) int {
	if c == nil || p.frame > 0 {
		return p.frame
	}
	return c.add(frame{Packet: *p, at: h.w.nowLocked(), host: h.index})
}

// arrived holds a packet that is not the one that its sender put on the wire.
func (c *Capture) arrived(h *Host, p *Packet) {
	if c != nil && p.rewritten {
		c.add(frame{Packet: *p, at: h.w.nowLocked(), host: h.index, inbound: true})
	}
}

// boxed holds what a box says to h in the place of the far end: RST, or ICMP about a packet of h.
func (c *Capture) boxed(h *Host, p *Packet, icmp bool, why string) {
	if c != nil && !h.off {
		c.add(frame{
			Packet: *p, at: h.w.nowLocked(), host: h.index, inbound: true, icmp: icmp, comment: "sent by a box: " + why,
		})
	}
}

// remark says what became of a packet after it had left its host.
func (c *Capture) remark(p *Packet, what string) {
	if c == nil || p.frame == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	one := &c.frames[p.frame-1]
	c.held -= one.blockBytes()
	one.comment = what
	if !c.fitsLocked(one.blockBytes()) {
		one.comment = ""
	}
	c.held += one.blockBytes()
}

func (c *Capture) add(f frame) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size := f.blockBytes(); c.fitsLocked(size) {
		c.held += size
		f.data = slices.Clone(f.data)
		c.frames = append(c.frames, f)
		return len(c.frames)
	}
	if c.missing == 0 {
		c.cutAt = f.at
	}
	c.missing++
	return 0
}

// Missing tells how many packets came after the limit was reached.
func (c *Capture) Missing() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.missing
}

// WriteTo writes the file: what was held so far. Errors: the writer's.
func (c *Capture) WriteTo(out io.Writer) (int64, error) {
	var hosts []captureHost
	var epoch time.Time
	if c.world != nil {
		hosts, epoch = c.world.captureHosts(), c.world.start
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f := newPcapng(out, epoch)
	f.section(c.commentLocked())
	for _, h := range hosts {
		f.face(h.name, h.segment)
	}
	f.names(hosts)
	f.secrets(c.keys.Bytes())
	for i := range c.frames {
		one := &c.frames[i]
		comment := one.comment
		if c.missing > 0 && i == len(c.frames)-1 {
			comment = joinComments(comment, c.cutLocked())
		}
		f.packet(one, comment)
	}
	return f.end()
}

func (c *Capture) commentLocked() string {
	comment := joinComments(c.Comment, "a simulated network: times are virtual, a flight of bytes is one packet")
	if c.missing > 0 {
		comment = joinComments(comment, c.cutLocked())
	}
	return comment
}

func (c *Capture) cutLocked() string {
	return fmt.Sprintf("the capture ends at %v, when it had reached its limit of %d bytes: %d later packets are missing",
		c.cutAt, c.limit(), c.missing)
}

func joinComments(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// captureHost is what a capture says of a host.
type captureHost struct {
	name, segment string
	addr          [4]byte
	named         bool // nobody else has the address
}

func (w *World) captureHosts() []captureHost {
	w.lock()
	defer w.mu.Unlock()
	owners := map[[4]byte]int{}
	list := make([]captureHost, 0, len(w.hosts))
	for _, h := range w.hosts {
		one := captureHost{name: h.name}
		if h.net != nil {
			one.segment = h.net.name
		}
		if a := h.addr.Unmap(); a.Is4() {
			one.addr, one.named = a.As4(), true
			owners[one.addr]++
		}
		list = append(list, one)
	}
	for i := range list {
		list[i].named = list[i].named && owners[list[i].addr] == 1
	}
	return list
}
