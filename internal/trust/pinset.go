// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust

import (
	"slices"
	"sync"

	"fairlead/internal/errkind"
)

// MaxSessionsPerPin is how many sessions one key may hold at once; the newest win.
const MaxSessionsPerPin = 4

// PinSet is who is accepted right now: a role and a subject for each pin, tombstones of the pins
// that never come back, and the sessions that must end when their pin goes. It mirrors what the
// store keeps. One pin belongs to one subject, for ever.
//
// Look-ups see either all of a change or nothing of it: once Revoke has returned, no handshake and
// no Hold succeeds under the pin.
type PinSet struct {
	mu      sync.RWMutex // held for map operations only, never while a session is closed
	entries map[Pin]*pinEntry
}

type pinEntry struct {
	grant Grant
	dead  bool
	held  []*hold // oldest first, at most MaxSessionsPerPin
}

type hold struct{ end func(error) }

// NewPinSet makes an empty set, which accepts nobody.
func NewPinSet() *PinSet { return &PinSet{entries: map[Pin]*pinEntry{}} }

// Add accepts a pin. Adding what is there already does nothing. Errors: Denied (the pin has a
// tombstone), Conflict (it belongs to another subject or role), Invalid.
func (s *PinSet) Add(pin Pin, grant Grant) error {
	if pin.IsZero() || grant.Role != RoleAgent && grant.Role != RoleServer || grant.Subject == "" {
		return errkind.Invalid.Errorf("accept pin %s as %q %q: want a pin, a role and a subject",
			pin.Short(), grant.Role, grant.Subject)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, known := s.entries[pin]
	switch {
	case !known:
		s.entries[pin] = &pinEntry{grant: grant}
		return nil
	case entry.dead:
		return errkind.Denied.Errorf("accept pin %s: it was revoked or retired and never comes back", pin)
	case entry.grant != grant:
		return errkind.Conflict.Errorf("accept pin %s for %s %q: it belongs to %s %q",
			pin, grant.Role, grant.Subject, entry.grant.Role, entry.grant.Subject)
	}
	return nil
}

// Revoke puts a tombstone on a pin, known or not, and ends its sessions with an Untrusted error
// before it returns.
func (s *PinSet) Revoke(pin Pin) {
	ended := s.bury(pin)
	for _, h := range ended {
		h.end(revokedError(pin))
	}
}

func (s *PinSet) bury(pin Pin) []*hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := s.entries[pin]
	if entry == nil {
		entry = &pinEntry{}
		s.entries[pin] = entry
	}
	ended := entry.held
	entry.dead, entry.held = true, nil
	return ended
}

func revokedError(pin Pin) error {
	return errkind.Hinted(errkind.Untrusted.Errorf("pin %s was revoked or retired", pin),
		"join the machine again: delete its identity, make a new token and run fairlead-agent join")
}

// Lookup is an AcceptFunc. Errors: Untrusted.
func (s *PinSet) Lookup(pin Pin) (Grant, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lookup(pin)
}

func (s *PinSet) lookup(pin Pin) (Grant, error) {
	entry, known := s.entries[pin]
	switch {
	case !known || pin.IsZero():
		return Grant{}, errkind.Hinted(errkind.Untrusted.Errorf("pin %s belongs to nobody known here", pin),
			"if that machine should be known, let it join: fairlead-server token create")
	case entry.dead:
		return Grant{}, revokedError(pin)
	}
	return entry.grant, nil
}

// Hold registers a session of peer that is to carry work; end is called, once and from another
// goroutine's call, when the pin is revoked or a fifth session of it arrives. It must not block. The
// session calls release when it is over. Errors: Untrusted (revoked since the handshake, or no
// Peer), Denied (its access is Restricted: no work goes to it).
func (s *PinSet) Hold(peer Peer, end func(error)) (release func(), err error) {
	if err := peer.Check(); err != nil {
		return nil, err
	}
	if peer.Access() != Full {
		return nil, errkind.Hinted(errkind.Denied.Errorf("pin %s: %s", peer.Pin(), peer.Warning()),
			"compare the clocks of both machines; if they are right, join the machine again with a new identity")
	}
	added := &hold{end: end}
	oldest, err := s.hold(peer.Pin(), added)
	if err != nil {
		return nil, err
	}
	if oldest != nil {
		oldest.end(errkind.Exhausted.Errorf("pin %s has %d newer sessions: limit is %d",
			peer.Pin().Short(), MaxSessionsPerPin, MaxSessionsPerPin))
	}
	return func() { s.release(peer.Pin(), added) }, nil
}

func (s *PinSet) hold(pin Pin, added *hold) (oldest *hold, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.lookup(pin); err != nil {
		return nil, err
	}
	entry := s.entries[pin]
	entry.held = append(entry.held, added)
	if len(entry.held) > MaxSessionsPerPin {
		oldest = entry.held[0]
		entry.held = slices.Delete(entry.held, 0, 1)
	}
	return oldest, nil
}

func (s *PinSet) release(pin Pin, gone *hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry := s.entries[pin]; entry != nil {
		entry.held = slices.DeleteFunc(entry.held, func(h *hold) bool { return h == gone })
		if len(entry.held) == 0 {
			entry.held = nil
		}
	}
}

// Len is the number of pins that are accepted.
func (s *PinSet) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	count := 0
	for _, entry := range s.entries {
		if !entry.dead {
			count++
		}
	}
	return count
}
