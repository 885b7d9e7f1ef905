// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package masking

// Mask stands where secrets were.
const Mask = "********"

// Stream hides the secrets of a set in one text that comes piece by piece.
type Stream struct {
	set   *Set
	state uint32
	held  []byte // the end of the text that a secret may begin with: set.hold[state] bytes
	found []span // secrets in held, apart from each other and in order
	// hides says that the last byte written was hidden, so that one Mask stands for the whole run.
	hides bool
}

// span is a part of the text.
type span struct{ from, to int }

// Stream begins a text.
func (s *Set) Stream() *Stream { return &Stream{set: s} }

// Write appends to to what is known of the text so far, p included.
func (st *Stream) Write(to, p []byte) []byte {
	text := p
	if len(st.held) > 0 {
		st.held = append(st.held, p...)
		text = st.held
	}
	for i := len(text) - len(p); i < len(text); i++ {
		if st.state == 0 {
			for st.set.root[text[i]] == 0 {
				if i++; i == len(text) {
					return st.release(to, text, i)
				}
			}
		}
		st.state = st.set.next(st.state, text[i])
		if n := int(st.set.longest[st.state]); n > 0 {
			st.hide(span{i + 1 - n, i + 1})
		}
	}
	return st.release(to, text, len(text)-int(st.set.hold[st.state]))
}

// Close ends the text: what was held back was the beginning of no secret.
func (st *Stream) Close(to []byte) []byte {
	st.state = 0
	return st.release(to, st.held, len(st.held))
}

// Widen goes on with a set that has further secrets. What is held back is searched for them too; what was
// let pass stays as it is.
func (st *Stream) Widen(set *Set) {
	begun := len(st.found) > 0 && st.found[0].from == 0 // it may have begun before what is held
	st.set, st.state = set, 0
	if begun {
		st.found = st.found[:1]
	} else {
		st.found = st.found[:0]
	}
	for i, c := range st.held {
		st.state = set.next(st.state, c)
		if n := int(set.longest[st.state]); n > 0 {
			st.hide(span{i + 1 - n, i + 1})
		}
	}
}

// hide notes a secret; it swallows those that it touches, none of which begins behind it.
func (st *Stream) hide(s span) {
	for n := len(st.found); n > 0 && st.found[n-1].to >= s.from; n-- {
		s = span{min(s.from, st.found[n-1].from), max(s.to, st.found[n-1].to)}
		st.found = st.found[:n-1]
	}
	st.found = append(st.found, s)
}

// release writes text up to safe, where no secret can begin any more, and keeps the rest.
func (st *Stream) release(to, text []byte, safe int) []byte {
	at, done := 0, 0
	for _, s := range st.found {
		if s.from >= safe {
			break
		}
		if s.from > at {
			to, st.hides = append(to, text[at:s.from]...), false
		}
		if !st.hides {
			to, st.hides = append(to, Mask...), true
		}
		if at = min(s.to, safe); s.to > safe {
			break
		}
		done++
	}
	if at < safe {
		to, st.hides = append(to, text[at:safe]...), false
	}
	st.held = append(st.held[:0], text[safe:]...)
	st.found = append(st.found[:0], st.found[done:]...)
	for i := range st.found {
		st.found[i] = span{max(0, st.found[i].from-safe), st.found[i].to - safe}
	}
	return to
}

// Text hides the secrets in a text that is whole.
func (s *Set) Text(text string) string {
	if s.Empty() {
		return text
	}
	st := s.Stream()
	return string(st.Close(st.Write(nil, []byte(text))))
}
