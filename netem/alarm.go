// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import "time"

// alarm is a time at which something of a connection is due. Putting it off or taking it back costs
// nothing: the event that was queued for it is moved, or dropped, when its time has come.
type alarm struct {
	conn  *Conn
	ring  func(*Conn)
	at    time.Duration // 0 for none
	quiet bool          // see quiet.go
	event event
}

func newAlarm(c *Conn, ring func(*Conn)) alarm { return alarm{conn: c, ring: ring} }

// setLocked makes the alarm ring at the given time, or never for 0.
func (a *alarm) setLocked(at time.Duration) {
	a.at = at
	w := a.conn.w
	switch e := &a.event; {
	case at == 0, e.place > 0 && e.at <= at && (a.quiet || !e.quiet):
		return
	case e.place > 0:
		w.unscheduleLocked(e)
	}
	a.event = event{at: at, host: a.conn.host.index, conn: a.conn.id, alarm: a, quiet: a.quiet}
	w.queueLocked(&a.event)
}

// dropLocked forgets the alarm of a connection that is over.
func (a *alarm) dropLocked() {
	a.at = 0
	a.conn.w.unscheduleLocked(&a.event)
}
