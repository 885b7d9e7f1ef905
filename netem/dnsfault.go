// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package netem

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// wrongAnswer is what a fault makes of DNS's answer; known tells whether there is one.
type wrongAnswer func(a Answer, known bool) (Answer, bool)

// answerLocked is what a look-up gets now.
func (w *World) answerLocked(name string) (Answer, bool) {
	name = strings.ToLower(name)
	a, known := w.zone[name]
	for _, wrong := range w.wrong[name] {
		a, known = (*wrong)(a, known)
	}
	return a, known
}

func (w *World) answerWrongLocked(name string, wrong wrongAnswer) (heal func()) {
	name = strings.ToLower(name)
	mine := &wrong
	w.wrong[name] = append(w.wrong[name], mine)
	return func() {
		w.wrong[name] = slices.DeleteFunc(w.wrong[name], func(p *wrongAnswer) bool { return p == mine })
	}
}

// NameUnknown makes DNS deny that a name exists: NXDOMAIN.
type NameUnknown struct{ Name string }

// Kind implements Fault.
func (f NameUnknown) Kind() string { return "dns.unknown" }

func (f NameUnknown) where(*World) string { return f.Name }

func (f NameUnknown) applyLocked(w *World) func() {
	return w.answerWrongLocked(f.Name, func(Answer, bool) (Answer, bool) { return Answer{}, false })
}

// NameBroken makes the name server fail for a name: SERVFAIL.
type NameBroken struct{ Name string }

// Kind implements Fault.
func (f NameBroken) Kind() string { return "dns.broken" }

func (f NameBroken) where(*World) string { return f.Name }

func (f NameBroken) applyLocked(w *World) func() {
	return w.answerWrongLocked(f.Name, func(Answer, bool) (Answer, bool) { return Answer{Broken: true}, true })
}

// NameSlow makes the answer for a name come Delay later than usual, or not at all for a Delay of 0.
type NameSlow struct {
	Name  string
	Delay time.Duration
}

// Kind implements Fault.
func (f NameSlow) Kind() string { return "dns.slow" }

func (f NameSlow) where(*World) string { return f.Name }

func (f NameSlow) applyLocked(w *World) func() {
	return w.answerWrongLocked(f.Name, func(a Answer, known bool) (Answer, bool) {
		a.Delay += f.Delay
		a.Silent = a.Silent || f.Delay == 0
		return a, known
	})
}

// NameStale keeps DNS at the answer that it has for a name now, whatever becomes of it.
type NameStale struct{ Name string }

// Kind implements Fault.
func (f NameStale) Kind() string { return "dns.stale" }

func (f NameStale) where(*World) string { return f.Name }

func (f NameStale) applyLocked(w *World) func() {
	old, knew := w.answerLocked(f.Name)
	return w.answerWrongLocked(f.Name, func(Answer, bool) (Answer, bool) { return old, knew })
}

// NameDead puts addresses where nobody is before those that a name has; Alone leaves out the others.
type NameDead struct {
	Name  string
	Addrs []netip.Addr
	Alone bool
}

// Kind implements Fault.
func (f NameDead) Kind() string { return "dns.dead" }

func (f NameDead) where(*World) string { return f.Name }

func (f NameDead) applyLocked(w *World) func() {
	return w.answerWrongLocked(f.Name, func(a Answer, known bool) (Answer, bool) {
		if f.Alone {
			a.Addrs = nil
		}
		a.Addrs = slices.Concat(f.Addrs, a.Addrs)
		return a, known || len(f.Addrs) > 0
	})
}
