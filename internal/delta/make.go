// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package delta

import (
	"context"
	"encoding/binary"
	"io"
	"math/bits"

	"fairlead/internal/errkind"
)

const (
	// seedBytes must be equal before a match is looked at.
	seedBytes = 16
	// indexEvery is how many bytes of the old lie between two places in the index; more when the
	// old is so long that the index would pass maxIndexSlots.
	indexEvery    = 4
	maxIndexSlots = 16 << 20
	// MaxBytes is the longest content that Make takes: 2 GiB.
	MaxBytes int64 = 2 << 30
	// A copy goes on over bytes that differ as long as its score stays within patience of its
	// best: an equal byte counts 1, one that differs costs missCost.
	missCost = 2
	patience = 32
	// cancelEvery is how many bytes of the new are looked at between two looks at the context.
	cancelEvery = 1 << 20
)

// Make writes a delta of at most limit bytes to w. Errors: Exhausted (the delta would be longer than
// limit, or a content longer than MaxBytes), Canceled, or w's.
func Make(ctx context.Context, w io.Writer, old, fresh []byte, limit int64) error {
	if int64(len(old)) > MaxBytes || int64(len(fresh)) > MaxBytes {
		return errkind.Exhausted.Errorf("delta of %d to %d bytes: at most %d each", len(old), len(fresh), MaxBytes)
	}
	e := newEncoder(w, old, fresh, limit)
	if err := e.head(); err != nil {
		return err
	}
	m := &matcher{ctx: ctx, old: old, fresh: fresh, index: newIndex(old)}
	for {
		c, ok := m.next()
		if err := ctx.Err(); err != nil {
			return errkind.Of(err).Errorf("make a delta: %w", err)
		}
		if !ok {
			return e.finish()
		}
		if err := e.copy(c); err != nil {
			return err
		}
	}
}

// match says that fresh[to:to+n] is nearly old[from:from+n].
type match struct{ to, from, n int }

// index finds places of the old by the hash of their seed.
type index struct {
	slots []uint32 // place/every+1; 0 for none
	every int
	shift uint
}

func newIndex(old []byte) index {
	x := index{every: indexEvery}
	for len(old)/x.every > maxIndexSlots {
		x.every *= 2
	}
	width := max(8, bits.Len(uint(len(old)/x.every)))
	x.slots, x.shift = make([]uint32, 1<<width), uint(64-width)
	// Backwards, so that the first of several equal places stays.
	for i := (len(old) - seedBytes) / x.every * x.every; i >= 0 && len(old) >= seedBytes; i -= x.every {
		x.slots[x.slot(old[i:])] = uint32(i/x.every + 1)
	}
	return x
}

// slot hashes a seed.
func (x *index) slot(b []byte) uint64 {
	_ = b[seedBytes-1]
	const odd, prime = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
	h := binary.LittleEndian.Uint64(b)*odd + bits.RotateLeft64(binary.LittleEndian.Uint64(b[8:])*prime, 29)
	return (h ^ h>>32) * odd >> x.shift
}

func sameSeed(a, b []byte) bool {
	return binary.LittleEndian.Uint64(a) == binary.LittleEndian.Uint64(b) &&
		binary.LittleEndian.Uint64(a[8:]) == binary.LittleEndian.Uint64(b[8:])
}

// matcher goes through the new from its begin to its end.
type matcher struct {
	ctx        context.Context
	old, fresh []byte
	index      index
	at         int // first byte of the new that no match covers yet
	shift      int // from the new to the old in the last match
}

// next finds the next match; false means that there is none to the end, or that the context ended.
func (m *matcher) next() (match, bool) {
	for i := m.at; i+seedBytes <= len(m.fresh); i++ {
		from, ok := m.seed(i)
		if !ok {
			if i%cancelEvery == 0 && m.ctx.Err() != nil {
				return match{}, false
			}
			continue
		}
		c := m.extend(match{i, from, seedBytes})
		m.at, m.shift = c.to+c.n, c.from-c.to
		return c, true
	}
	return match{}, false
}

// seed finds an equal place of the old for the seed at i: where the last match would go on, or by
// the index.
func (m *matcher) seed(i int) (from int, ok bool) {
	b := m.fresh[i:]
	if from = i + m.shift; from >= 0 && from+seedBytes <= len(m.old) && sameSeed(m.old[from:], b) {
		return from, true
	}
	slot := m.index.slots[m.index.slot(b)]
	if slot == 0 {
		return 0, false
	}
	from = int(slot-1) * m.index.every
	return from, sameSeed(m.old[from:], b)
}

// extend makes a match as long as it is worth it, in both directions.
func (m *matcher) extend(c match) match {
	most := min(len(m.fresh)-c.to, len(m.old)-c.from)
	a, b := m.fresh[c.to:c.to+most], m.old[c.from:c.from+most]
	score, best := 0, 0
	for k := c.n; k < most && score >= best-patience; k++ {
		if a[k] != b[k] {
			score -= missCost
			continue
		}
		if score++; score > best {
			best, c.n = score, k+1
		}
	}
	score, best = 0, 0
	back := 0
	for k := 1; k <= c.to-m.at && k <= c.from && score >= best-patience; k++ {
		if m.fresh[c.to-k] != m.old[c.from-k] {
			score -= missCost
			continue
		}
		if score++; score > best {
			best, back = score, k
		}
	}
	return match{c.to - back, c.from - back, c.n + back}
}
