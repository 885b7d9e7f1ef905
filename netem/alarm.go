// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import "time"

// alarm is a time at which something is due. Moving it later costs nothing: the event that was
// scheduled first looks whether it came too early.
type alarm struct {
	at     time.Duration // 0 for none
	events time.Duration // when the earliest scheduled look is, 0 for none
	look   *event
}

// setLocked makes fire run at the given time, or never for 0.
func (a *alarm) setLocked(c *Conn, at time.Duration, fire func()) {
	a.at = at
	if at == 0 || a.events != 0 && a.events <= at {
		return
	}
	a.events = at
	a.look = c.w.scheduleLocked(at, c.host.index, c.id, func() {
		if a.events != at {
			return // a nearer look took over
		}
		a.events, a.look = 0, nil
		switch now := c.w.Now(); {
		case a.at == 0:
		case a.at > now:
			a.setLocked(c, a.at, fire)
		default:
			a.at = 0
			fire()
		}
	})
}

// dropLocked is for alarms that rarely go off: the look is taken back, as each costs the loop a
// turn.
func (a *alarm) dropLocked(w *World) {
	a.at = 0
	if a.look != nil {
		w.unscheduleLocked(a.look)
		a.events, a.look = 0, nil
	}
}
