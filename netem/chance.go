// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"time"
)

// chance is a number that depends on nothing but what it is for.
func chance(xs ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, x := range xs {
		h ^= x + 0x9e3779b97f4a7c15 + (h << 6) + (h >> 2)
		h ^= h >> 30
		h *= 0xbf58476d1ce4e5b9 // splitmix64's finalizer
		h ^= h >> 27
		h *= 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// fraction maps a chance to [0, 1).
func fraction(c uint64) float64 { return float64(c>>11) / (1 << 53) }

// nameKey is the number of a name, the same in every process.
func nameKey(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		var size [4]byte
		binary.LittleEndian.PutUint32(size[:], uint32(len(p)))
		_, _ = h.Write(size[:])
		_, _ = h.Write([]byte(p))
	}
	return h.Sum64()
}

// Dist is a distribution of delays: never below Least, and above it uniform over Spread and
// exponential with mean Tail, which is cut at ten times its mean.
type Dist struct {
	Least, Spread, Tail time.Duration
}

// draw takes one delay for a chance.
func (d Dist) draw(c uint64) time.Duration {
	out := d.Least
	if d.Spread > 0 {
		out += time.Duration(fraction(chance(c, 1)) * float64(d.Spread))
	}
	if d.Tail > 0 {
		out += time.Duration(min(10, -math.Log(1-fraction(chance(c, 2)))) * float64(d.Tail))
	}
	return out
}

// Fixed is a delay that is always the same.
func Fixed(d time.Duration) Dist { return Dist{Least: d} }
