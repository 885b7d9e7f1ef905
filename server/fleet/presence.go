// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"time"

	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/server/target"
)

// Presence is what is known of a machine's line now.
type Presence struct {
	Online bool
	Since  time.Time // on line, or off line, since; zero when the server has not seen it yet
	// Version is the agent's; "" while it is off line.
	Version string
	Remote  string // address that the line comes from
	// Trouble says in a clause why the last try did not work; "" when it did.
	Trouble string
}

// presence is one machine's sessions. The fleet's mutex guards it.
type presence struct {
	sessions []*session // that said hello; the newest last
	since    time.Time
	trouble  string
	journal  journal       // as last told in answer to an order
	events   []LineEvent   // maxLineEvents at most
	changed  chan struct{} // closed and replaced at each change
}

func newPresence() *presence { return &presence{changed: make(chan struct{})} }

func (p *presence) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *presence) newest() *session {
	if len(p.sessions) == 0 {
		return nil
	}
	return p.sessions[len(p.sessions)-1]
}

// Presence tells whether a machine is on line.
func (f *Fleet) Presence(id deploy.MachineID) Presence {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.machines[id]
	if !ok {
		return Presence{}
	}
	result := Presence{Since: p.since, Trouble: p.trouble}
	if s := p.newest(); s != nil {
		result.Online, result.Version, result.Remote = true, s.facts.version, s.remote
	}
	return result
}

// CountOnline counts the machines on line.
func (f *Fleet) CountOnline() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.machines {
		if len(p.sessions) > 0 {
			n++
		}
	}
	return n
}

// Target returns the way to a machine and the name of its agent's journal. Errors: NotFound (it was
// removed, or is not known yet), Unavailable.
func (f *Fleet) Target(id deploy.MachineID) (target.Target, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, ok := f.known[id]
	p := f.machines[id]
	switch {
	case !ok:
		return nil, "", errkind.NotFound.Errorf("%s is not a machine here any more", id)
	case known.isDisabled:
		return nil, "", errkind.Unavailable.Errorf("%s is %s", known.name, known.absence())
	case p == nil || p.newest() == nil:
		return nil, "", errkind.Unavailable.Errorf("%s is off line%s", known.name, f.absence(p))
	}
	s := p.newest()
	return witness{target.Line{Session: s.line}, f, s}, s.facts.journalID, nil
}

func (f *Fleet) absence(p *presence) string {
	if p == nil {
		return ": it has not called since the server started"
	}
	text := ""
	if !p.since.IsZero() {
		text = " since " + p.since.UTC().Format(time.RFC3339)
	}
	if p.trouble != "" {
		text += fmt.Sprintf(" (%s)", p.trouble)
	}
	return text
}

// Changed returns a channel that is closed when the machine's presence changes next.
func (f *Fleet) Changed(id deploy.MachineID) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.presenceLocked(id).changed
}

// presenceLocked makes the entry of a known machine; others get a channel nobody closes.
func (f *Fleet) presenceLocked(id deploy.MachineID) *presence {
	if p, ok := f.machines[id]; ok {
		return p
	}
	p := newPresence()
	if _, ok := f.known[id]; ok {
		f.machines[id] = p
	}
	return p
}
