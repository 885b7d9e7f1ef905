// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package sim

import (
	"maps"
	"slices"

	"fairlead/sim/history"
)

// trap waits until a life of some kind passes a crash point.
type trap struct {
	kind, point string
	left        int
	fire        func(*Life)
}

// Trap calls fire when a life of the kind passes the crash point for the n-th time from now, from 1.
// The life is held there until it is killed; fire must see to that without waiting itself, as by
// netem.World.At. disarm takes the trap away.
func (m *Machine) Trap(kind, point string, n int, fire func(*Life)) (disarm func()) {
	t := &trap{kind: kind, point: point, left: max(1, n), fire: fire}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.traps = append(m.traps, t)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.traps = slices.DeleteFunc(m.traps, func(other *trap) bool { return other == t })
	}
}

// Passes counts how often lives of each kind passed each crash point, by "kind point".
func (m *Machine) Passes() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.passes)
}

// passed is host.Env.Point of a life.
func (m *Machine) passed(l *Life, point string) {
	if l.Killed() {
		return
	}
	if t := m.sprung(l, point); t != nil {
		m.o.Record(history.Event{Kind: history.Point, Who: m.name, Ticket: l.ticket, Text: l.kind + " " + point, N: l.number})
		t.fire(l)
		<-l.dead
	}
}

func (m *Machine) sprung(l *Life, point string) *trap {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.passes[l.kind+" "+point]++
	for i, t := range m.traps {
		if t.kind != l.kind || t.point != point {
			continue
		}
		if t.left--; t.left == 0 {
			m.traps = slices.Delete(m.traps, i, i+1)
			return t
		}
	}
	return nil
}
