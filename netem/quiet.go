// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import "time"

// An event is quiet when no program can notice it: an acknowledgement on its way to a connection that
// waits for none, and the timers beside it. The loop does not get up for those. They are carried out,
// each at its own time as far as the network can tell, before the next event that is not quiet and
// before any call of a program.

// isCalm reports whether an acknowledgement would change nothing that a program could notice.
func (c *Conn) isCalm() bool {
	return c != nil && !c.w.wakeful && c.state == established && !c.closed && !c.finAsked &&
		len(c.pending) == 0 && c.writeGate.waiting == 0 && !c.recovers()
}

// stirLocked is for a connection that is not calm any more: what was quiet of both its ends is not.
func (c *Conn) stirLocked() {
	c.w.loudenLocked(func(e *event) bool { return e.conn == c.id })
}

// alertLocked is for a network that somebody changes: what was quiet may now end in a way that matters.
func (w *World) alertLocked() { w.loudenLocked(func(*event) bool { return true }) }

func (w *World) loudenLocked(which func(*event) bool) {
	if len(w.quiet) == 0 {
		return
	}
	var loud []*event
	for _, e := range w.quiet {
		if which(e) {
			loud = append(loud, e)
		}
	}
	for _, e := range loud { // the heap sorts them, so that their order here does not matter
		w.quiet.remove(e)
		e.quiet = false
		w.pushLocked(e)
	}
}

// lock is for calls of programs: what was quiet has happened by then.
func (w *World) lock() {
	w.mu.Lock()
	if len(w.quiet) > 0 {
		w.catchUpLocked(w.Now())
	}
}

// catchUpLocked carries out what is due before now, after what was said earlier than now.
func (w *World) catchUpLocked(now time.Duration) {
	if len(w.said) > 0 && w.said[0].at < now {
		w.hearLocked()
	}
	for e := w.nextLocked(); e != nil && e.at < now; e = w.nextLocked() {
		w.runLocked(e)
	}
}

// nowLocked is the time of the event that runs, or Now.
func (w *World) nowLocked() time.Duration {
	if w.running != nil && w.o.Wait != nil {
		return w.running.at
	}
	return w.Now()
}
