// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import "time"

// alarm is a time at which something is due. Moving it later costs nothing: the event that was
// scheduled first looks whether it came too early.
type alarm struct {
	at     time.Duration // 0 for none
	events time.Duration // when the earliest scheduled look is, 0 for none
}

// setLocked makes fire run at the given time, or never for 0.
func (a *alarm) setLocked(c *Conn, at time.Duration, fire func()) {
	a.at = at
	if at == 0 || a.events != 0 && a.events <= at {
		return
	}
	a.events = at
	c.w.scheduleLocked(at, c.host.index, c.id, func() {
		if a.events != at {
			return // a nearer look took over
		}
		a.events = 0
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
