// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package search

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"fairlead/sim/plan"
)

// dice is the chance of one part of one plan: a part that is drawn in another way leaves the others.
type dice struct{ *rand.Rand }

func newDice(seed uint64, number int, part string) dice {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", seed, number, part))
	return dice{rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))}
}

// between is a whole number from least to most.
func (d dice) between(least, most int) int { return least + d.IntN(max(1, most-least+1)) }

// one in n times.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

// seconds is a whole number of them.
func (d dice) seconds(least, most int) plan.Duration {
	return plan.Duration(time.Duration(d.between(least, most)) * time.Second)
}

// millis is a whole number of milliseconds.
func (d dice) millis(least, most int) plan.Duration {
	return plan.Duration(time.Duration(d.between(least, most)) * time.Millisecond)
}

// pick is one of some.
func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

// some keeps each with a chance of one in n, but at least one.
func some[T any](d dice, n int, from []T) (kept []T) {
	sure := d.IntN(len(from))
	for i, one := range from {
		if d.one(n) || i == sure {
			kept = append(kept, one)
		}
	}
	return kept
}
