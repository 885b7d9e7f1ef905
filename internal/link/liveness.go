// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package link

import "time"

// servantLead is the part of the interval by which the servant pings before the caller would.
const servantLead = 25

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// soonest returns the earlier of two times, of which a zero one means never.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// deadline is when something must happen although nothing arrives; zero for never.
func (m *Machine) deadline() time.Time {
	switch m.state {
	case opening, parting, parted:
		return m.closeBy
	case working:
	default:
		return time.Time{}
	}
	next := m.lastHeard.Add(m.dead)
	next = soonest(next, m.hushBy)
	if !m.pingDue {
		next = soonest(next, m.pingAt())
	}
	if !m.writeFrom.IsZero() {
		next = soonest(next, m.writeFrom.Add(WriteLimit))
	}
	for _, f := range m.flows {
		if f.rated() {
			next = soonest(next, f.rateFrom.Add(RateWindow))
		}
	}
	return next
}

func (m *Machine) isHushed() bool { return !m.hushBy.IsZero() }

func (m *Machine) noteSent(now time.Time) {
	m.silence = max(m.silence, now.Sub(later(m.lastSent, m.lastHeard)))
	m.writeFrom, m.lastSent = now, now
}

func (m *Machine) noteHeard(now time.Time) {
	if m.state == working && m.silence >= idleCut(m.ping) {
		m.survived++
	}
	m.lastHeard, m.silence = now, 0
}

// idleCut is the quiet time from which on a path may have dropped the connection for idleness
// although we ping at this interval.
func idleCut(ping time.Duration) time.Duration { return ping * 3 / 4 }

// pingAt is when the direction that we send in has been silent for long enough. The phase keeps
// sessions that began together from pinging together. The servant is a little earlier, so that of
// two idle sides one pings and the other only answers; and where the agent dialled, a box that has
// forgotten the connection tells it at once.
func (m *Machine) pingAt() time.Time {
	after := m.ping - min(m.settings.Phase, m.ping/2)
	if m.role == Servant {
		after -= after / servantLead
	}
	return m.lastSent.Add(after)
}

// rated reports whether the rate floor holds for the stream.
func (f *flow) rated() bool {
	return f.bulk && !f.rateFrom.IsZero() && !f.peerEnded && !f.resetDue
}

func (Tick) apply(m *Machine, now time.Time) error {
	m.armed = time.Time{}
	if m.alive() && m.isHushed() && !now.Before(m.hushBy) {
		m.part(now, m.goodbye, ReasonGoodbye, nil)
		return nil
	}
	switch m.state {
	case opening:
		if !now.Before(m.closeBy) {
			m.end(&CloseError{Reason: ReasonSilent})
		}
	case parting, parted:
		if !now.Before(m.closeBy) {
			m.state = over
			m.emit(Cut{})
		}
	case working:
		m.tickWorking(now)
	}
	return nil
}

func (m *Machine) tickWorking(now time.Time) {
	switch {
	case !now.Before(m.lastHeard.Add(m.dead)):
		m.end(&CloseError{Reason: ReasonDead})
		return
	case !m.writeFrom.IsZero() && !now.Before(m.writeFrom.Add(WriteLimit)):
		m.end(&CloseError{Reason: ReasonStuck})
		return
	}
	if !m.pingDue && !now.Before(m.pingAt()) {
		m.pingDue, m.pingedAt = true, now
		m.pingToken++
		m.settings.Phase = 0
	}
	for _, f := range m.flows {
		if f.rated() && !now.Before(f.rateFrom.Add(RateWindow)) {
			m.rate(now, f)
		}
	}
}

// rate judges one window of a bulk stream and begins the next.
func (m *Machine) rate(now time.Time, f *flow) {
	if !f.heldUp && f.rateBytes < RateFloorBytes {
		m.abort(f, ResetTooSlow, "below 1 KiB/s for a minute", false)
		m.emit(StreamReset{Stream: f.id, Code: ResetTooSlow, Text: f.resetText})
		return
	}
	f.rateFrom, f.rateBytes, f.heldUp = now, 0, f.granted == 0
}
