// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"slices"
)

// maxJoinedBytes bounds a line that is put together from pieces; a longer one stays in pieces.
const maxJoinedBytes = 1 << 20

// pieces puts lines together that came in pieces: a script that prints without a newline is heard
// at once, and read as one line afterwards. Pieces of different nodes may be mixed.
type pieces struct {
	held map[string]LogLine // by node and category
}

func (p *pieces) key(l LogLine) string { return l.Node + "\x00" + l.Category }

// add returns the line that l completes; false while pieces are missing.
func (p *pieces) add(l LogLine) (LogLine, bool) {
	if p.held == nil {
		p.held = map[string]LogLine{}
	}
	key := p.key(l)
	if first, ok := p.held[key]; ok {
		delete(p.held, key)
		first.Text, first.More = first.Text+l.Text, l.More
		l = first
	}
	if l.More && len(l.Text) < maxJoinedBytes {
		p.held[key] = l
		return LogLine{}, false
	}
	l.More = false
	return l, true
}

// rest returns what was never completed, in the order of its first pieces.
func (p *pieces) rest() []LogLine {
	lines := make([]LogLine, 0, len(p.held))
	for _, l := range p.held {
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b LogLine) int { return cmp.Compare(a.Number, b.Number) })
	return lines
}
