// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package finding

import (
	"strings"
	"time"

	"fairlead/internal/link"
	"fairlead/sim/history"
)

// outage is a time in which an agent's line was down.
type outage struct {
	from, to time.Duration // from when it was noticed; to is the end of the run when over is false
	over     bool
	heard    time.Duration // when the agent last heard of the server, as far as it tells
	text     string        // why the session ended
}

// away is how long the agent was out of reach.
func (o outage) away() time.Duration { return o.to - o.heard }

// member goes through what happened to an agent's line.
func (v *view) member(name string) member {
	m := member{name: name}
	var up time.Duration
	for _, e := range v.run.Events {
		if e.Kind == history.Answered && e.Text == "remove "+name && e.Code == ok {
			m.removed = true
		}
		if e.Who != name {
			continue
		}
		switch e.Kind {
		case history.LineUp:
			if n := len(m.outages); !m.up && n > 0 {
				m.outages[n-1].to, m.outages[n-1].over = e.At, true
			}
			m.up, m.served, up = true, true, e.At
		case history.LineDown, history.Crashed, history.Ended:
			if e.Kind == history.LineDown && !m.up {
				m.causes = append(m.causes, e.Cause)
			}
			if m.up && e.At < v.run.Over {
				o := outage{from: e.At, to: v.run.Over, heard: e.At, text: e.Text}
				if o.silent() {
					o.heard = max(up, e.At-link.DeadAfter)
				}
				m.outages = append(m.outages, o)
			}
			m.up = m.up && e.At >= v.run.Over
		}
	}
	return m
}

// ok is the HTTP status of what was done.
const ok = 200

// silent reports whether the session ended because nothing came for too long.
func (o outage) silent() bool { return strings.Contains(o.text, "nothing heard") }

// cut reports whether the session was ended from outside.
func (o outage) cut() bool { return strings.Contains(o.text, "connection lost") }
