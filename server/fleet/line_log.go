// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"slices"
	"strings"
	"time"

	"fairlead/internal/deploy"
)

const (
	// maxLineEvents is how many of the latest events are kept of each machine, while the server runs.
	maxLineEvents = 12
	// maxEventBytes is the longest text of one.
	maxEventBytes = 300
)

// LineKind is what happened to a machine's line.
type LineKind string

// The kinds.
const (
	LineUp      LineKind = "up"
	LineDown    LineKind = "down"
	LineTrouble LineKind = "trouble" // there was none to be had
)

// LineEvent is something that happened to a machine's line.
type LineEvent struct {
	At    time.Time // when it happened last
	Kind  LineKind
	Text  string // a sentence without its full stop
	Count int    // how often it happened in a row, from 1
}

// note adds an event; the same thing once more is only counted, so that an agent that is dialled in vain for a day
// leaves the rest to be read.
func (p *presence) note(e LineEvent) {
	e.Count = 1
	e.Text = strings.ToValidUTF8(e.Text[:min(len(e.Text), maxEventBytes)], "")
	if n := len(p.events); n > 0 && p.events[n-1].Kind == e.Kind && p.events[n-1].Text == e.Text {
		p.events[n-1].At = e.At
		p.events[n-1].Count++
		return
	}
	if len(p.events) >= maxLineEvents {
		p.events = slices.Delete(p.events, 0, len(p.events)-maxLineEvents+1)
	}
	p.events = append(p.events, e)
}

// LineLog is what happened to the line of a machine since the server started, oldest first.
func (f *Fleet) LineLog(id deploy.MachineID) []LineEvent {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.machines[id]; ok {
		return slices.Clone(p.events)
	}
	return nil
}

// ended says how a line ended; why is nil when nobody knows.
func ended(now time.Time, remote string, why error) LineEvent {
	text := "The line from " + remote + " ended"
	if why != nil {
		text += ": " + why.Error()
	}
	return LineEvent{At: now, Kind: LineDown, Text: text}
}
