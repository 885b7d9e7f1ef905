// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import "time"

// headerBytes is what each packet weighs beyond its payload: Ethernet, IPv4 and TCP.
const headerBytes = 66

// LinkSpec describes one direction of a wire. The zero value is a perfect one.
type LinkSpec struct {
	Latency Dist
	// Loss is the share of packets that vanish, 0 to 1.
	Loss float64
	// Rate is bits per second; 0 is unlimited. Packets wait for the ones before them.
	Rate int64
	// Queue is how many bytes may wait when Rate is set; 0 means 1 MiB. More is dropped.
	Queue int
	// MTU is the largest payload that passes, and larger ones vanish without a word, as on a path
	// whose ICMP is filtered; 0 is unlimited.
	MTU int
}

// wire is one direction of a link in use. The world's mutex guards it.
type wire struct {
	spec LinkSpec
	harm []*impairment // what faults do, the oldest first
	busy time.Duration // until then, with what it has taken; it has a rate
}

// carry says when a packet that enters at now leaves, or why it does not.
func (l *wire) carry(now time.Duration, p *Packet, c uint64) (time.Duration, Verdict) {
	spec := &l.spec
	extra := time.Duration(0)
	if len(l.harm) > 0 {
		worse := l.spec
		for _, h := range l.harm {
			if v := h.stops(now, c); v.Action != Pass {
				return now, v
			}
			extra += h.worsen(&worse, p, c)
		}
		spec = &worse
	}
	switch {
	case spec.MTU > 0 && p.Size > spec.MTU:
		return now, Verdict{Action: Silence, Why: "mtu"}
	case spec.Loss > 0 && fraction(chance(c, 3)) < spec.Loss:
		return now, Verdict{Action: Silence, Why: "loss"}
	}
	at := now
	if spec.Rate > 0 {
		if at = l.queue(spec, now, p); at == 0 {
			return now, Verdict{Action: Silence, Why: "queue"}
		}
	}
	return at + spec.Latency.draw(chance(c, 4)) + extra, Verdict{}
}

// Link is the two directions of a wire: Up leads away from the host, or from the inner segment to
// the outer one.
type Link struct {
	Up, Down LinkSpec
}

// Symmetric is a link that is the same both ways.
func Symmetric(s LinkSpec) Link { return Link{Up: s, Down: s} }
