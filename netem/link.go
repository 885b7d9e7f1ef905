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

const defaultQueueBytes = 1 << 20

// wire is one direction of a link in use. The world's mutex guards it.
type wire struct {
	spec  LinkSpec
	extra Dist // of faults
	cut   int  // faults that cut it
	busy  time.Duration
}

// carry says when a packet of size payload bytes that enters at now leaves, or why it does not.
func (l *wire) carry(now time.Duration, size int, c uint64) (out time.Duration, lost string) {
	switch {
	case l.cut > 0:
		return 0, "cut"
	case l.spec.MTU > 0 && size > l.spec.MTU:
		return 0, "mtu"
	case l.spec.Loss > 0 && fraction(chance(c, 3)) < l.spec.Loss:
		return 0, "loss"
	}
	if l.spec.Rate > 0 {
		queue := l.spec.Queue
		if queue == 0 {
			queue = defaultQueueBytes
		}
		begin := max(now, l.busy)
		if waiting := float64(begin-now) / float64(time.Second) * float64(l.spec.Rate) / 8; waiting > float64(queue) {
			return 0, "queue"
		}
		spent := float64(size+headerBytes) * 8 / float64(l.spec.Rate)
		l.busy = begin + time.Duration(spent*float64(time.Second))
		now = l.busy
	}
	return now + l.spec.Latency.draw(chance(c, 4)) + l.extra.draw(chance(c, 5)), ""
}

// Link is the two directions of a wire: Up leads away from the host, or from the inner segment to
// the outer one.
type Link struct {
	Up, Down LinkSpec
}

// Symmetric is a link that is the same both ways.
func Symmetric(s LinkSpec) Link { return Link{Up: s, Down: s} }
