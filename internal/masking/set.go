// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package masking

import (
	"slices"
	"sort"

	"fairlead/internal/errkind"
)

// MaxBytes bounds the secrets of one set in all their forms; a set takes 17 bytes for each.
const MaxBytes = 1 << 20

// Set finds secrets. A state of its automaton is the longest end of the text so far that a secret
// begins with; states are numbered by length, and the ways on from one lie beside each other.
type Set struct {
	short int

	root    [256]uint32 // the state after one byte, from the empty one
	first   []uint32    // state s goes on to the states first[s] up to first[s+1]
	label   []byte      // the byte that leads to a state
	fail    []uint32    // the state of the next shorter end
	hold    []uint32    // how much of the state's end a longer secret may begin with
	longest []uint32    // the longest secret that ends here, 0 for none
}

// New makes a set of secrets, in any order and also repeated. Errors: Exhausted (more than MaxBytes).
func New(secrets []string) (*Set, error) {
	s := &Set{}
	var all []string
	total := 0
	for _, secret := range secrets {
		if total+len(secret) > MaxBytes {
			return nil, tooMuch()
		}
		found := forms(secret)
		if len(found) == 0 && secret != "" {
			s.short++
		}
		for _, form := range found {
			total += len(form)
		}
		if total > MaxBytes {
			return nil, tooMuch()
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	s.build(slices.Compact(all))
	s.link()
	return s, nil
}

func tooMuch() error {
	return errkind.Exhausted.Errorf("secrets to look for in output have more than %d bytes in all their forms", MaxBytes)
}

// Short is how many secrets are too short to be looked for.
func (s *Set) Short() int { return s.short }

// Empty reports whether there is nothing to look for.
func (s *Set) Empty() bool { return len(s.label) <= 1 }

// build makes the tree of sorted secrets, level by level. A state stands for the secrets from
// low to high, which share their first depth bytes.
func (s *Set) build(sorted []string) {
	type span struct{ low, high int }
	spans := []span{{0, len(sorted)}}
	s.label, s.hold = []byte{0}, []uint32{0}
	for at := 0; at < len(spans); at++ {
		here, depth := spans[at], int(s.hold[at])
		s.first = append(s.first, uint32(len(spans)))
		end := uint32(0)
		if here.low < here.high && len(sorted[here.low]) == depth {
			end, here.low = uint32(depth), here.low+1
		}
		s.longest = append(s.longest, end)
		for here.low < here.high {
			c := sorted[here.low][depth]
			next := here.low + sort.Search(here.high-here.low, func(i int) bool { return sorted[here.low+i][depth] > c })
			spans = append(spans, span{here.low, next})
			s.label, s.hold = append(s.label, c), append(s.hold, uint32(depth+1))
			here.low = next
		}
		spans[at] = span{}
	}
	s.first = append(s.first, uint32(len(spans)))
}

// link finds, level by level, where each state goes when the next byte does not fit.
func (s *Set) link() {
	s.fail = make([]uint32, len(s.label))
	for c := s.first[0]; c < s.first[1]; c++ {
		s.root[s.label[c]] = c
	}
	for state := 1; state < len(s.label); state++ {
		for c := s.first[state]; c < s.first[state+1]; c++ {
			s.fail[c] = s.next(s.fail[state], s.label[c])
			if s.longest[c] == 0 {
				s.longest[c] = s.longest[s.fail[c]]
			}
			if s.first[c] == s.first[c+1] {
				s.hold[c] = s.hold[s.fail[c]]
			}
		}
	}
}

// next is the state after one more byte.
func (s *Set) next(state uint32, c byte) uint32 {
	for state != 0 {
		low, high := s.first[state], s.first[state+1]
		for low < high { // at most 256, and most often one
			middle := (low + high) / 2
			if s.label[middle] < c {
				low = middle + 1
			} else {
				high = middle
			}
		}
		if low < s.first[state+1] && s.label[low] == c {
			return low
		}
		state = s.fail[state]
	}
	return s.root[c]
}
